"""What is related to what: `pump-1 feeds tank-1`. The word is free; containment must not run in a circle."""

import difflib
from collections.abc import Collection, Iterator
from typing import Final

from gemel.assets.fleet import Fleet
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean

Relation = tuple[str, str, str]
Ports = tuple[str, str]
"""The ports that a relation names of its left and right asset; empty where it names none."""
CONTAINS: Final = frozenset({"contains", "has", "has_part", "has-part"})  # from the whole to the part
PART_OF: Final = frozenset({"part_of", "part-of", "is_part_of", "belongs_to", "belongs-to", "inside", "in"})


def read_relations(
    section: Node | None, assets: Node | None, fleet: Fleet, problems: Problems
) -> dict[Relation, tuple[Ports, ...]]:
    """Give the relations as (from path, word, to path), each once, with the ports named: `motor-1:shaft drives pump-1:shaft`.

    Args:
        section: the relations of the file.
        assets: its assets; one that was refused does not make a relation to it wrong as well.
        fleet: the assets that were read.
        problems: where to report.
    """
    if section is None:
        return {}
    names: dict[str, dict[str, None]] = {}
    for name, path in zip(fleet.names, fleet.paths, strict=True):
        names.setdefault(name, {})[path] = None
    refused = (assets.fields.keys() | assets.lost) - names.keys() if assets is not None else frozenset[str]()
    found: dict[Relation, Node] = {}
    ports: dict[Relation, tuple[Ports, ...]] = {}
    for node in section.items:
        first, word, last = str(node.value).split()
        (left, here), (right, there) = (_ported(end, names, fleet) for end in (first, last))
        ends = [
            None if _meant(end, refused, names) else _asset(end, names, fleet, node, problems)
            for end in (left, right)
        ]
        if ends[0] is None or ends[1] is None:
            continue
        relation = (ends[0], word, ends[1])
        if ends[0] == ends[1]:
            problems.error(node, f"{left!r} is related to itself", "name two assets")
        elif relation in found and (here, there) in (*ports[relation], ("", "")):
            problems.error(
                node, f"the relation stands twice, first on line {found[relation].line}", "keep one"
            )
        else:
            found.setdefault(relation, node)
            ports[relation] = (*ports.get(relation, ()), (here, there))
    _check_circles(found, fleet, problems)
    return ports


def _ported(end: str, names: Collection[str], fleet: Fleet) -> tuple[str, str]:
    """Split off the port that an end names; an asset may have a colon in its own name."""
    name, colon, port = end.rpartition(":")
    if not colon or end in names or any(fleet.find(path) is not None for path in (end, f"{fleet.root}/{end}")):
        return end, ""
    return name, port


def _meant(end: str, refused: Collection[str], names: Collection[str]) -> bool:
    """Tell whether a name may be that of an asset that was refused."""
    last = end.rpartition("/")[2]
    return last not in names and bool(difflib.get_close_matches(last, refused, n=1, cutoff=0.8))


def _asset(
    end: str, names: dict[str, dict[str, None]], fleet: Fleet, node: Node, problems: Problems
) -> str | None:
    for path in (end, f"{fleet.root}/{end}"):
        if fleet.find(path) is not None:
            return path
    called = list(names.get(end, ()))
    if len(called) == 1:
        return called[0]
    if called:
        short = [path.removeprefix(fleet.root + "/") for path in called]
        problems.error(
            node, f"{end!r} could be any of {len(called)} assets", f"write one of: {', '.join(short[:6])}"
        )
    else:
        problems.error(node, f"the relation dangles: there is no asset {end!r}", did_you_mean(end, names))
    return None


def _check_circles(relations: dict[Relation, Node], fleet: Fleet, problems: Problems) -> None:
    inside: dict[str, list[tuple[str, Node]]] = {}
    for row, at in enumerate(fleet.at):
        whole = fleet.find(f"{fleet.root}/{at}")
        if whole is not None:
            inside.setdefault(fleet.paths[row], []).append((fleet.paths[whole], Node(None, "", 0)))
    for (left, word, right), node in relations.items():
        if word in CONTAINS:
            inside.setdefault(right, []).append((left, node))
        elif word in PART_OF:
            inside.setdefault(left, []).append((right, node))
    for circle, node in _circles(inside):
        shown = " in ".join(path.removeprefix(fleet.root + "/") for path in circle)
        problems.error(node, f"containment runs in a circle: {shown}", "take one of these relations out")


def _circles(inside: dict[str, list[tuple[str, Node]]]) -> Iterator[tuple[list[str], Node]]:
    """Walk upwards from each part, once; a whole met again on the way is a circle."""
    done: set[str] = set()
    for start in inside:
        way: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            here, step = stack.pop()
            if step == 0 and here in done:
                continue
            way[len(stack) :] = [here]
            wholes = inside.get(here, [])
            if step == len(wholes):
                done.add(here)
                continue
            stack.append((here, step + 1))
            whole, node = wholes[step]
            if whole in way:
                if node.line:
                    yield [*way[way.index(whole) :], whole], node
                else:
                    yield (
                        [*way[way.index(whole) :], whole],
                        next(n for p in way for _, n in inside[p] if n.line),
                    )
            else:
                stack.append((whole, 0))
