"""The plant, as its file says it: what exists, and everything that is derived from it."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gemel.assets.checks import Checks
from gemel.assets.commands import Commands, filled
from gemel.assets.dimension import duration_ns
from gemel.assets.fleet import Fleet
from gemel.assets.grammar import PLANT
from gemel.assets.instances import InstanceReader
from gemel.assets.merge import read_directory
from gemel.assets.problem import Problem, Problems
from gemel.assets.relations import Relation, read_relations
from gemel.assets.signals import Scope
from gemel.assets.spec import Connection, Signal, Template
from gemel.assets.types import read_types
from gemel.errors import AssetError, NotFoundError
from gemel.samples import Registry
from gemel.samples.batch import I32

PROTOCOLS = ("mqtt",)


@dataclass(frozen=True)
class AlarmLimit:
    signal: int
    level: str
    limit: float
    delay_ns: int
    deadband: float
    priority: int
    cause: str = ""
    consequence: str = ""
    response: str = ""
    respond_within_s: float | None = None


@dataclass(frozen=True)
class Sources:
    signal: I32
    topic: list[str]
    path: list[str | None]
    time_path: list[str | None]
    time_unit: list[str | None]
    status_path: list[str | None]


@dataclass(frozen=True)
class SignalView:
    path: str
    name: str
    spec: Signal

    def __getattr__(self, name: str) -> Any:
        return getattr(self.spec, name)

    @property
    def range(self) -> tuple[float, float] | None:
        return None if self.spec.low is None or self.spec.high is None else (self.spec.low, self.spec.high)

    @property
    def alarm(self) -> Any:
        return dict(self.spec.alarm.limits) if self.spec.alarm else None

    @property
    def interval_s(self) -> float | None:
        return self.spec.interval_ns / 1e9 or None

    @property
    def stale_after_s(self) -> float:
        return self.spec.stale_after_ns / 1e9


@dataclass(frozen=True)
class AssetView:
    path: str
    name: str
    title: str
    type: str
    at: str
    parent: str
    description: str
    signals: list[SignalView]
    commands: list[Any]
    parameters: dict[str, Any]
    relations: list[Relation]


@dataclass(frozen=True, eq=False)
class Plant:
    root: str
    title: str
    clock: str
    timezone: str
    writes: bool
    retention: Mapping[str, float]
    connections: Mapping[str, Connection]
    namespace: str | None
    assets: Fleet
    templates: tuple[Template, ...]
    relations: tuple[Relation, ...]
    digest: str = ""

    def template(self, row: int) -> Template:
        return self.templates[self.assets.template[row]]

    @cached_property
    def commands(self) -> Commands:
        return Commands(self)

    @cached_property
    def _signals(self) -> list[tuple[int, str, Signal]]:
        return [(row, f"{path}/{s.name}", s) for row, path in enumerate(self.assets.paths) for s in self.template(row).signals]

    def registry(self) -> Registry:
        return Registry.of([
            {"path": p, "unit": s.unit, "kind": s.kind, "states": list(s.states), "retention": s.retention} for _, p, s in self._signals
        ])

    def checks(self, registry: Registry) -> Checks:
        checks = Checks.plain(len(registry))
        for _, path, s in self._signals:
            i = registry.index(path)
            checks.scale[i], checks.offset[i] = s.scale, s.offset
            checks.low[i] = np.nan if s.low is None else s.low
            checks.high[i] = np.nan if s.high is None else s.high
            checks.max_rate[i] = np.nan if s.max_rate is None else s.max_rate
            checks.stuck_after[i], checks.interval[i], checks.stale_after[i] = s.stuck_after_ns, s.interval_ns, s.stale_after_ns
        return checks

    def sources(self, connection: str, registry: Registry) -> Sources:
        rows = [(row, path, s) for row, path, s in self._signals if s.source and s.source.connection == connection]
        topic, paths, times = [], [], []
        for row, path, s in rows:
            values = {**self.assets.values(row), "signal": s.name}
            topic.append(filled(s.source.topic, values))
            paths.append(filled(s.source.path, values) if s.source.path else None)
            times.append(filled(s.source.time, values) if s.source.time else None)
        return Sources(
            np.array([registry.index(p) for _, p, _ in rows], np.int32), topic, paths, times,
            [s.source.time_unit for *_, s in rows], [s.source.status for *_, s in rows],
        )

    def alarms(self, registry: Registry) -> list[AlarmLimit]:
        return [
            AlarmLimit(registry.index(p), level, limit, s.alarm.delay_ns, s.alarm.deadband, s.alarm.priorities.get(level, 2), s.alarm.cause,
                       s.alarm.consequence, s.alarm.response, s.alarm.respond_within_s)
            for _, p, s in self._signals if s.alarm for level, limit in s.alarm.limits.items()
        ]

    def asset(self, path: str) -> AssetView:
        row = self.assets.find(path)
        if row is None:
            raise NotFoundError(f"no asset {path!r}")
        t, f = self.template(row), self.assets
        return AssetView(
            path, f.names[row], f.titles[row], f.types[row], f.at[row], path.rsplit("/", 1)[0], f.descriptions[row],
            [SignalView(f"{path}/{s.name}", s.name, s) for s in t.signals], self.commands.of(path),
            {p.name: {"value": float(f.parameters[p.name][row]) if p.name in f.parameters else None, "unit": p.unit} for p in t.parameters},
            [r for r in self.relations if path in (r[0], r[2])],
        )

    def tree(self) -> dict[str, Any]:
        kinds = ("enterprise", "site", "area", "line", "unit")
        nodes: dict[str, dict[str, Any]] = {}

        def node(path: str, depth: int, kind: str | None = None, title: str = "") -> dict[str, Any]:
            if path not in nodes:
                nodes[path] = {"path": path, "name": path.rsplit("/", 1)[-1], "title": title, "kind": kind or kinds[min(depth, 4)], "children": []}
                if depth:
                    node(path.rsplit("/", 1)[0], depth - 1)["children"].append(nodes[path])
            return nodes[path]

        for path, title in zip(self.assets.paths, self.assets.titles, strict=True):
            node(path, path.count("/"), "asset", title)
        return nodes[self.root.split("/")[0]]

    def grown_from(self, applied: "Plant") -> tuple[list[str], list[str]]:
        old, new = {p: s for _, p, s in applied._signals}, {p: s for _, p, s in self._signals}
        added = [f"signal {p}" for p in new if p not in old]
        refused = [f"signal {p} is gone" for p in old if p not in new]
        refused += [f"signal {p} changed its unit" for p in old if p in new and old[p].unit != new[p].unit]
        return added, refused


def check(directory: Path | str) -> tuple[Plant | None, list[Problem]]:
    problems = Problems()
    root = read_directory(Path(directory), problems)
    if root is None or not PLANT.check(root, "the plant file", problems):
        return None, problems.sorted()
    retention = {"default": 400 * 86400.0}
    for name, node in (root.get("retention").fields if root.get("retention") else {}).items():
        retention[name] = duration_ns(node, 0) / 1e9
    connections = {}
    for name, node in (root.get("connections").fields if root.get("connections") else {}).items():
        from gemel.assets.node import plain

        options = plain(node)
        url = options.pop("mqtt")
        connections[name] = Connection(name, "mqtt", url, options)
    scope = Scope(connections, retention, problems)
    types = read_types(root.get("types"), scope)
    name = str(root.plain("plant"))
    assets = InstanceReader(name, Path(directory), types, scope).read(root.get("assets"))
    relations = read_relations(root.get("relations"), assets.fleet, problems)
    ns = root.get("namespace")
    text = "".join(f.read_text() for f in sorted(Path(directory).glob("*.yaml"))) + "".join(f.read_text() for f in sorted(Path(directory).glob("*.csv")))
    plant = Plant(
        name, str(root.plain("title", "")), str(root.plain("clock", "wall")), str(root.plain("timezone", "UTC")), bool(root.plain("writes", False)),
        retention, connections, str(ns.plain("connection")) if ns else None, assets.fleet, assets.templates, relations,
        hashlib.sha256(text.encode()).hexdigest(),
    )
    found = problems.sorted()
    return (None if any(p.severity == "error" for p in found) else plant), found


def load(directory: Path | str) -> Plant:
    plant, problems = check(directory)
    if plant is None:
        raise AssetError("the plant file cannot be used:\n" + "\n".join(str(p) for p in problems))
    return plant


def secret(name: str, data: Path) -> str:
    import os

    found = os.environ.get(f"GEMEL_SECRET_{name.upper()}")
    return found if found is not None else (data / "secrets" / name).read_text().strip()
