"""The plant as its file says it: what exists, and the way to everything that is derived from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gemel.assets.balances import Balance
from gemel.assets.branches import Branches
from gemel.assets.changes import Plan
from gemel.assets.checks import Checks
from gemel.assets.commands import Commands
from gemel.assets.derivations import Derivations
from gemel.assets.derive import (
    Sources,
    accuracy_of,
    alarms_of,
    checks_of,
    numbers_in,
    registry_of,
    sources_of,
)
from gemel.assets.derived_bind import derivations_of
from gemel.assets.fleet import Fleet
from gemel.assets.graph import Graph
from gemel.assets.layout import Layout
from gemel.assets.limits import AlarmLimits
from gemel.assets.notices import Notice
from gemel.assets.pairs import pairs_of
from gemel.assets.plan import plan
from gemel.assets.related import RelationType, Ways
from gemel.assets.relations import Ports, Relation
from gemel.assets.rules import events_of
from gemel.assets.spec import Connection, Estimates, Template
from gemel.assets.sync import sync_of
from gemel.assets.views import AssetView, asset_view, tree_of
from gemel.assets.volume import Volume, volume_of
from gemel.samples import Registry
from gemel.samples.batch import F64, I32


@dataclass(frozen=True, eq=False)
class Plant:
    """A plant, read and checked.

    Args:
        root: enterprise/site, the head of every path.
        title, description: for people.
        clock: ``wall``, or ``data`` (plant time follows the newest reading).
        timezone: for display only; times are UTC.
        writes: whether commands may be sent at all.
        retention: how long readings are kept [s], by class; there is always a ``default``.
        rollups: how long their roll-ups are kept [s], by class and level.
        connections: by name.
        namespace: name of the connection that the plant is published to, or None.
        notices: who is told when something happens, by name.
        assets: all assets as columns; ``assets.template`` numbers `templates`.
        templates: what assets of one kind have in common.
        relations: (from path, word, to path).
        digest: SHA-256 (hex) of the files it was read from.
        relation_types: by the word of the relations.
        shifts: when shifts begin, local time, ascending.
        ports: those that a relation names, a pair for each joint; empty where it leaves one open.
        fmus: SHA-256 (hex) of each FMU that its types name, by name.
        balances: sums of signals that always hold.
        estimates: areas (or assets with parts) that are followed as one system, by path.
    """

    root: str
    title: str
    description: str
    clock: str
    timezone: str
    writes: bool
    retention: Mapping[str, float]
    rollups: Mapping[str, Mapping[str, float]]
    connections: Mapping[str, Connection]
    namespace: str | None
    notices: Mapping[str, Notice]
    assets: Fleet
    templates: Sequence[Template]
    relations: Sequence[Relation]
    digest: str
    relation_types: Mapping[str, RelationType] = field(default_factory=dict)
    shifts: tuple[str, ...] = ()
    ports: Mapping[Relation, tuple[Ports, ...]] = field(default_factory=dict)
    fmus: Mapping[str, str] = field(default_factory=dict)
    estimates: Mapping[str, Estimates] = field(default_factory=dict)
    balances: tuple[Balance, ...] = ()

    @cached_property
    def layout(self) -> Layout:
        """Which asset and which declaration stand behind each signal."""
        return Layout.of(self.assets, self.templates)

    @cached_property
    def commands(self) -> Commands:
        """What its assets can be told."""
        return Commands(self)

    @cached_property
    def own_registry(self) -> Registry:
        """The registry that this plant alone would have."""
        return registry_of(self)

    @cached_property
    def related(self) -> Mapping[str, list[Relation]]:
        """The relations that each asset takes part in, by path."""
        found: dict[str, list[Relation]] = {}
        for relation in self.relations:
            found.setdefault(relation[0], []).append(relation)
            found.setdefault(relation[2], []).append(relation)
        return found

    @cached_property
    def graph(self) -> Graph:
        """What belongs to what, to walk along."""
        return Graph(self.assets, self.relations)

    def template(self, row: int) -> Template:
        """Give what the asset in a row of the fleet has."""
        return self.templates[int(self.assets.template[row])]

    def registry(self) -> Registry:
        """Give the registry that this plant alone would have; an applied one may number signals otherwise."""
        return self.own_registry

    def numbers(self, registry: Registry) -> I32:
        """Give the number in a registry of each signal of the layout; raises DefectError where one has none."""
        if registry.digest not in self._numbers:
            self._numbers[registry.digest] = numbers_in(self, registry)
        return self._numbers[registry.digest]

    @cached_property
    def _numbers(self) -> dict[str, I32]:
        return {}

    def checks(self, registry: Registry) -> Checks:
        """Give what `condition` judges readings by, indexed by the registry's numbers."""
        return checks_of(self, registry)

    def accuracy(self, registry: Registry) -> F64:
        """Give the declared standard uncertainty of each signal; NaN where none is."""
        return accuracy_of(self, registry)

    def sources(self, connection: str, registry: Registry) -> Sources:
        """Give what comes from a connection."""
        return sources_of(self, connection, registry)

    def alarms(self, registry: Registry) -> AlarmLimits:
        """Give the alarm limits."""
        return alarms_of(self, registry)

    @cached_property
    def ways(self) -> Ways:
        """The ways from an asset to related ones that expressions may take."""
        return Ways(self.graph, self.relation_types)

    @cached_property
    def own_derivations(self) -> Derivations:
        """The derived signals, numbered by their place in the layout."""
        return derivations_of(self)

    def derivations(self, registry: Registry) -> Derivations:
        """Give the derived signals: what each is made of, and in what order; and the rules over them."""
        own, pairs, sync = self.own_derivations, pairs_of(self, registry), sync_of(self, registry)
        if not own.programs and not own.rollups:
            return replace(own, pairs=pairs, sync=sync)
        numbers = numbers_in(self, registry)
        return replace(own.numbered(numbers), events=events_of(self, numbers), pairs=pairs, sync=sync)

    def asset(self, path: str) -> AssetView:
        """Give an asset with its context; raises NotFoundError."""
        return asset_view(self, path)

    def tree(self) -> dict[str, Any]:
        """Give the plant as a tree, from the enterprise down."""
        return tree_of(self)

    @cached_property
    def branches(self) -> Branches:
        """The tree, to be asked for in pieces."""
        return Branches(self.assets, self.title)

    def volume(self) -> Volume:
        """Estimate what it will write."""
        return volume_of(self)

    def planned_from(self, applied: "Plant") -> Plan:
        """Compare with what is applied: what would change, and what would be lost."""
        return plan(applied, self)
