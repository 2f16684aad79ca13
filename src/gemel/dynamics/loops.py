"""In which order the joined inputs of a system are computed, and which few are solved for together.

Where inputs depend on each other in a circle, the smallest set of them whose values break every circle becomes
unknown (tearing: Cellier and Kofman 2006, Continuous System Simulation, section 7.4). Conditions and unknowns are then
matched, and what hangs together is solved together (Dulmage and Mendelsohn 1958).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gemel.dynamics.joints import Joined, Place, Sum
from gemel.errors import ModelError

MOST_TORN = 4
Graph = Mapping[Place, frozenset[Place]]


@dataclass(frozen=True, slots=True)
class Block:
    """Unknowns that are solved together, and the sums that are zero then.

    Args:
        unknown: joined inputs.
        conditions: as many sums.
        words: what they say.
    """

    unknown: tuple[Place, ...]
    conditions: tuple[Sum, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Order:
    """How the joined inputs of a system come about.

    Args:
        given: inputs that are sums of others.
        blocks: what is solved for, in an order in which each needs only those before it.
    """

    given: Mapping[Place, Sum]
    blocks: tuple[Block, ...]


def ordered(joined: Joined, depends: Mapping[Place, frozenset[Place]]) -> Order:
    """Order what joints say; `depends` gives the inputs that an output depends on directly.

    Raises:
        ModelError: there is no order: a condition that nothing can fulfil, or an unknown that nothing decides.
    """
    given, unknown, conditions = dict(joined.given), list(joined.unknown), list(joined.conditions)
    reads = {place: _reads(value, depends) for place, value in given.items()}
    for circle in _circles(reads):
        for place in _torn(circle, reads):
            conditions.append(((*given.pop(place), (-1.0, place)), f"{'/'.join(place)} depends on itself"))
            unknown.append(place)
            reads.pop(place)
    through = [_unknown_in(_reads(value, depends), reads, frozenset(unknown)) for value, _ in conditions]
    partner = _matched(through, unknown, conditions)
    return Order(given, tuple(_blocks(through, partner, conditions)))


def _reads(value: Sum, depends: Mapping[Place, frozenset[Place]]) -> frozenset[Place]:
    """Give the inputs that a sum needs."""
    found: set[Place] = set()
    for _, place in value:
        if not isinstance(place, float):
            found |= depends.get(place, frozenset([place]))
    return frozenset(found)


def _circles(reads: Graph) -> list[list[Place]]:
    return [c for c in components(reads) if len(c) > 1 or c[0] in reads[c[0]]]


def components(graph: Graph) -> list[list[Place]]:
    """Give the strongly connected components, each after those that it reads (Tarjan 1972)."""
    index: dict[Place, int] = {}
    low: dict[Place, int] = {}
    stack: list[Place] = []
    found: list[list[Place]] = []

    def visit(v: Place) -> None:
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in sorted(graph[v]):
            if w not in graph:
                continue
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            at = stack.index(v)
            found.append(stack[at:])
            del stack[at:]

    for v in graph:
        if v not in index:
            visit(v)
    return found


def _torn(circle: Sequence[Place], reads: Graph) -> Sequence[Place]:
    for size in range(1, MOST_TORN + 1):
        for chosen in combinations(circle, size):
            rest = {v: reads[v] for v in circle if v not in chosen}
            if not _circles(rest):
                return chosen
    names = ", ".join("/".join(v) for v in circle)
    raise ModelError(
        f"these depend on each other in more than {MOST_TORN} circles: {names}", code="system-loop",
        remedy="give one of the components a state there: a volume, an inertia",
    )  # fmt: skip


def _unknown_in(start: Iterable[Place], reads: Graph, unknown: frozenset[Place]) -> frozenset[Place]:
    """Give the unknowns that some inputs depend on, through whatever is between."""
    seen: set[Place] = set()
    todo = list(start)
    while todo:
        place = todo.pop()
        if place not in seen:
            seen.add(place)
            todo += reads.get(place, ())
    return frozenset(seen & unknown)


def _matched(
    through: Sequence[frozenset[Place]], unknown: Sequence[Place], conditions: Sequence[tuple[Sum, str]]
) -> dict[Place, int]:
    """Give each unknown a condition of its own, by augmenting paths (Kuhn 1955)."""
    partner: dict[Place, int] = {}

    def augment(i: int, seen: set[Place]) -> bool:
        for place in sorted(through[i] - seen):
            seen.add(place)
            if place not in partner or augment(partner[place], seen):
                partner[place] = i
                return True
        return False

    for i in range(len(conditions)):
        if not augment(i, set()):
            needs = ", ".join("/".join(p) for p in sorted(through[i])) or "nothing that can be changed"
            raise ModelError(
                f"nothing can make this true: {conditions[i][1]}; it depends on {needs}", code="system-loop",
                remedy="put between them what lets a flow follow from a difference: a pipe, a valve, a resistance",
            )  # fmt: skip
    free = [p for p in unknown if p not in partner]
    if free:
        raise ModelError(
            f"nothing decides {', '.join('/'.join(p) for p in free)}", code="system-loop", remedy="join what decides it"
        )  # fmt: skip
    return partner


def _blocks(
    through: Sequence[frozenset[Place]], partner: Mapping[Place, int], conditions: Sequence[tuple[Sum, str]]
) -> Iterator[Block]:
    graph = {place: through[i] for place, i in partner.items()}
    for together in components(graph):
        rows = [partner[place] for place in together]
        yield Block(tuple(together), tuple(conditions[i][0] for i in rows), "; ".join(conditions[i][1] for i in rows))
