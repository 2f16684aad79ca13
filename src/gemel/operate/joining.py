"""A part of a plant as one dynamic model: the relations between its assets join the ports of their models.

    area, or assets ─► those with a dynamic model ─┐
    relations       ─► which ports are joined      ├─► System ─► Binding, as of a single asset
    their bindings  ─► signals, parameters, units ─┘

`pump-1 feeds pipe-1` joins the outlet of the pump to the inlet of the pipe, of one kind. Where that is not unique, the
relation names the ports (`pump-1:discharge feeds pipe-1:inlet`), or its relation type does (`joins: [shaft, shaft]`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from gemel.assets import Plant
from gemel.assets.graph import FEEDS, canonical
from gemel.assets.relations import Ports, Relation
from gemel.dynamics import DynamicModel
from gemel.dynamics.ports import Port, ports_of
from gemel.errors import ModelError, NotFoundError
from gemel.operate.binding import KINDS, Binding, Bound, bind
from gemel.operate.fmi.coupled import joined
from gemel.operate.models import declared
from gemel.twin.releases import Releases

AND: Final = "+"  # between assets that are meant together; no name can hold it
MOST: Final = 200  # components of one system
Joint = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a system is made of, as plain values.

    Args:
        assets: paths, by the name of the component.
        references: how each model is found, by the name of the component.
        joints: pairs of ``component/port``.
    """

    assets: Mapping[str, str]
    references: Mapping[str, str]
    joints: tuple[Joint, ...]

    @property
    def told(self) -> dict[str, Any]:
        """The same as plain JSON, from which whoever computes makes the system."""
        return {"components": dict(self.references), "joints": [list(j) for j in self.joints]}


def bind_any(plant: Plant, asked: str, releases: Releases | None = None, at: int | None = None) -> Binding:
    """Bind an asset, several divided by ``+``, or all that is modelled in an area or an asset without a model of its own.

    Raises NotFoundError (nothing there, nothing modelled), ModelError (a wrong model, ports that do not fit).
    """
    if AND not in asked and _own(plant, asked):
        return bind(plant, asked, releases, at)
    assets = members(plant, asked)
    if len(assets) == 1:
        return bind(plant, assets[0], releases, at)
    parts = parts_of(plant, assets)
    bindings = {name: bind(plant, path, releases, at) for name, path in parts.assets.items()}
    system: Any = joined({name: b.model for name, b in bindings.items()}, parts.joints)
    return _joined(asked, system, bindings)


def members(plant: Plant, asked: str) -> list[str]:
    """Give the paths of the modelled assets that are meant; raises NotFoundError where there are none."""
    found: dict[str, None] = {}
    for one in (part.strip() for part in asked.split(AND)):
        if _own(plant, one):
            found[one] = None
            continue
        rows = [int(row) for row in plant.graph.parts(one)]
        inside = [plant.assets.paths[row] for row in sorted(rows) if plant.template(row).dynamics]
        if not inside:
            raise NotFoundError(
                f"nothing in {one[:200]} has a dynamic model", code="no-dynamics",
                remedy="say dynamics: package.module:Class in a type, in the plant file",
            )  # fmt: skip
        found |= dict.fromkeys(inside)
    if len(found) > MOST:
        raise ModelError(
            f"{len(found)} assets are too many for one system", code="system-joint", remedy=f"name an area of at most {MOST}"
        )
    return list(found)


def _own(plant: Plant, asset: str) -> bool:
    """Tell whether an asset is to be taken as it is: its type has a model, or nothing in it could have one."""
    row = plant.assets.find(asset)
    if row is None:
        return False
    return bool(plant.template(row).dynamics) or not len(plant.graph.parts(asset))


def parts_of(plant: Plant, assets: Sequence[str]) -> Parts:
    """Give what a system of some modelled assets is made of; raises ModelError where a joint is not unique."""
    names = {path: name for name, path in _named(assets).items()}
    references = {names[path]: str(plant.template(plant.assets.find(path) or 0).dynamics) for path in assets}
    models = {name: cast(DynamicModel, declared(reference)) for name, reference in references.items()}
    joints: dict[Joint, None] = {}
    for relation in plant.relations:
        left, right = names.get(relation[0]), names.get(relation[2])
        if left is not None and right is not None:
            for a, b in joined_by(plant, relation, models[left], models[right]):
                joints[f"{left}/{a}", f"{right}/{b}"] = None
    return Parts({name: path for path, name in names.items()}, references, tuple(joints))


def _named(assets: Sequence[str]) -> dict[str, str]:
    """Give each a short name: its own where that is unique, else as much of its path as tells it apart."""
    found: dict[str, str] = {}
    levels = {path: path.split("/") for path in assets}
    for path, parts in levels.items():
        depth = next(d for d in range(1, len(parts) + 1) if sum(p[-d:] == parts[-d:] for p in levels.values()) == 1)
        found["/".join(parts[-depth:])] = path
    return found


def joined_by(plant: Plant, relation: Relation, left: DynamicModel, right: DynamicModel) -> Iterator[Ports]:
    """Give the pairs of ports that a relation joins, left and right; none where it joins nothing.

    Raises ModelError where more than one pair would do.
    """
    word, direction = canonical(relation[1], "out")
    kind = plant.relation_types.get(relation[1])
    named = plant.ports.get(relation) or ((kind.joins,) if kind is not None and kind.joins is not None else ())
    if not named and word == FEEDS:
        named = (("", ""),)
    for a, b in named:
        if a and b:
            yield a, b
        elif direction == "out":
            yield from _fitting(relation, (left, a), (right, b))
        else:
            yield from ((one, other) for other, one in _fitting(relation, (right, b), (left, a)))


def _fitting(relation: Relation, source: tuple[DynamicModel, str], target: tuple[DynamicModel, str]) -> Iterator[Ports]:
    """Give the only outlet of the source that fits an inlet of the target."""
    (giver, out), (taker, into) = source, target
    outlets = _chosen(ports_of(giver), out, outlet=True)
    inlets = _chosen(ports_of(taker), into, outlet=False)
    found = [(a, b) for a, p in outlets.items() for b, q in inlets.items() if p.kind == q.kind]
    if len(found) > 1:
        ways = " or ".join(f"{a} to {b}" for a, b in found)
        ends = [end.rpartition("/")[2] for end in (relation[0], relation[2])]
        raise ModelError(
            f"`{ends[0]} {relation[1]} {ends[1]}` could join {ways}", code="system-joint",
            remedy=f"name the ports: {ends[0]}:{found[0][0]} {relation[1]} {ends[1]}:{found[0][1]}",
        )  # fmt: skip
    yield from found


def _chosen(ports: Mapping[str, Port], name: str, *, outlet: bool) -> dict[str, Port]:
    """Give the port named, or all that let out (or in); one through which nothing flows may be either."""
    if name:
        return {name: ports[name]} if name in ports else {}
    return {n: p for n, p in ports.items() if p.out is outlet or p.flow is None}


def _joined(asked: str, system: Any, bindings: Mapping[str, Binding]) -> Binding:
    every = {(kind, f"{c}/{b.name}"): b for c, binding in bindings.items() for kind in KINDS for b in binding.of(kind)}
    kinds: dict[str, tuple[Bound, ...]] = {
        kind: tuple(
            # an input that is joined is an output of the system
            replace(every.get((kind, name)) or every["inputs", name], name=name, quantity=q)
            for name, q in getattr(system, kind).items()
        )
        for kind in KINDS
    }
    versions = {asset: version for b in bindings.values() for asset, version in b.versions.items()}
    told = Parts({}, {c: str(b.reference) for c, b in bindings.items()}, system.joints).told
    return Binding(asked, told, cast(DynamicModel, system), **kinds, versions=versions)
