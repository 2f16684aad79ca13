"""From a directory to a plant, or to everything that is wrong with it.

plant.yaml, *.yaml -> one tree of nodes -> shapes -> connections, types, assets, relations -> Plant
"""

import hashlib
import json
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gemel.assets.areas import read_areas
from gemel.assets.balances import balanced_names, read_balances
from gemel.assets.connections import read_connections, read_namespace
from gemel.assets.derived_check import check_derived
from gemel.assets.fmus import Fmus
from gemel.assets.grammar import PLANT
from gemel.assets.instances import Assets, InstanceReader
from gemel.assets.merge import read_directory
from gemel.assets.node import Node, plain
from gemel.assets.notices import read_notices
from gemel.assets.plant import Plant
from gemel.assets.problem import Problem, Problems, did_you_mean
from gemel.assets.related import read_relation_types
from gemel.assets.relations import read_relations
from gemel.assets.retention import read_retention
from gemel.assets.signals import Scope
from gemel.assets.types import read_types
from gemel.assets.wiring import check_wiring
from gemel.errors import AssetError

NOWHERE: Final = "?/?"  # the root of a plant that has none: all else is read and reported
SHOWN: Final = 50  # problems that an exception tells; `check` gives all


def check(directory: Path | str) -> tuple[Plant | None, list[Problem]]:
    """Read a plant file; give the plant (None where it cannot be one) and everything that is wrong, by file and line.

    Args:
        directory: a folder with a plant.yaml.
    """
    folder, problems = Path(directory), Problems()
    root = read_directory(folder, problems)
    if root is None or not PLANT.check(root, "the plant file", problems):
        return None, problems.sorted()
    plant = _read(root, folder, problems)
    return (None if problems.count else plant), problems.sorted()


def load(directory: Path | str) -> Plant:
    """Read a plant file; raises AssetError with all that is wrong."""
    plant, problems = check(directory)
    if plant is not None:
        return plant
    errors = [str(p) for p in problems if p.severity == "error"]
    rest = [f"… and {len(errors) - SHOWN} more"] if len(errors) > SHOWN else []
    raise AssetError(
        "the plant file cannot be used:\n" + "\n".join(errors[:SHOWN] + rest), code="plant-file",
        context={"problems": [p.as_dict() for p in problems]},
    )  # fmt: skip


def _read(root: Node, folder: Path, problems: Problems) -> Plant:
    name = str(root.plain("plant", NOWHERE))
    retention, rollups = read_retention(root.get("retention"))
    connections = read_connections(root.get("connections"), problems)
    scope = Scope(connections, retention, problems, fmus=Fmus(folder), balanced=balanced_names(root.get("balances")))
    types = read_types(root.get("types"), scope)
    assets = InstanceReader(name, folder, types, scope).read(
        root.get("assets")
    )
    if not len(assets.fleet) and not problems.count:
        problems.warn(
            root, "there are no assets: the twin has nothing to show", "add assets: and a type for them"
        )
    relations = read_relations(root.get("relations"), root.get("assets"), assets.fleet, problems)
    plant = Plant(
        root=name, title=root.plain("title", ""), description=root.plain("description", ""), clock=root.plain("clock", "wall"),
        timezone=_timezone(root.get("timezone"), problems), writes=root.plain("writes", False), retention=retention, rollups=rollups,
        connections=connections, namespace=read_namespace(root.get("namespace"), connections, problems),
        notices=read_notices(root.get("notify"), problems), assets=assets.fleet, templates=assets.templates,
        relations=tuple(relations), ports={r: p for r, p in relations.items() if any(map(any, p))}, digest=_digest(root, assets, scope.fmus.found),
        relation_types=read_relation_types(root.get("relation_types"), problems),
        shifts=tuple(sorted({str(n.value) for n in root.items_of("shifts")})), fmus=dict(sorted(scope.fmus.found.items())),
        estimates=read_areas(root.get("estimates"), assets.fleet, problems),
        balances=read_balances(root.get("balances"), (name, assets.fleet, tuple(assets.templates)), problems),
    )  # fmt: skip
    check_wiring(plant, assets, scope)
    check_derived(plant, types, problems)
    return plant


def _timezone(node: Node | None, problems: Problems) -> str:
    if node is None:
        return "UTC"
    name, known = str(node.value), zoneinfo.available_timezones()
    if known and name not in known:  # a machine without a zone database cannot tell
        problems.error(
            node,
            f"unknown time zone {name!r}",
            did_you_mean(name, known, "write a name of the IANA database, such as Europe/Berlin or UTC"),
        )
    return name


def _digest(root: Node, assets: Assets, fmus: Mapping[str, str]) -> str:
    """Tell by what is said, not by how: comments, quotes and the format of a table do not matter."""
    content = {"plant": plain(root), "tables": {name: table.digest for name, table in assets.tables.items()}}
    content |= {"fmus": dict(fmus)} if fmus else {}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
