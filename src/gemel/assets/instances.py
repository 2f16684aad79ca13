"""From the `assets` section to columns: single assets and fleets, their templates, what they change of their type."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.cells import Places, doubled, plain_numbers, unfit
from gemel.assets.commands import PLACEHOLDER, read_command
from gemel.assets.dimension import amount
from gemel.assets.fleet import Fleet, FleetBuilder
from gemel.assets.fmus import said_of
from gemel.assets.grammar import WHERE
from gemel.assets.grammar_names import LEVELS_BELOW, NAME
from gemel.assets.lanes import read_property
from gemel.assets.modelled import followed
from gemel.assets.node import Node, merged
from gemel.assets.problem import did_you_mean
from gemel.assets.signals import Scope, where
from gemel.assets.spec import Parameter, Signal, Template
from gemel.assets.table import Table, read_table
from gemel.assets.types import AssetType
from gemel.samples.batch import F64
from gemel.samples.texts import Texts

BUILT_IN: Final = frozenset({"asset", "signal", "command", "value", "at", "path", "plant", "type"})
_OWN: Final = frozenset(
    {"name", "at", "title", "formerly"}
)  # columns of a table that are not placeholders only
_NO_COLUMNS: Final[Mapping[str, Texts]] = {}


@dataclass(frozen=True)
class Assets:
    """What the section gives.

    Args:
        fleet: the assets as columns.
        templates: what they have; `fleet.template` numbers them.
        tables: the tables that were read, by file name.
    """

    fleet: Fleet
    templates: tuple[Template, ...]
    tables: Mapping[str, Table]
    places: Places


class InstanceReader:
    """Reads assets one entry after another."""

    def __init__(self, root: str, directory: Path, types: Mapping[str, AssetType], scope: Scope) -> None:
        self._directory = directory
        self._types = types
        self._scope = scope
        self._problems = scope.problems
        self._builder = FleetBuilder(root)
        self._templates: list[Template] = []
        self._plain: dict[str, int] = {}  # type -> the template of assets that change nothing of it
        self._tables: dict[str, Table] = {}
        self._places = Places()
        self._checked: set[tuple[int, frozenset[str]]] = set()
        self._said: set[str] = set()

    def read(self, section: Node | None) -> Assets:
        """Read all entries."""
        for name, node in (section.fields if section is not None else {}).items():
            self._entry(name, node)
        fleet = self._builder.build()
        self._check_paths(fleet)
        return Assets(fleet, tuple(self._templates), self._tables, self._places)

    def _entry(self, name: str, node: Node) -> None:
        given = node.get("type")
        if given is None:
            return  # its shape has said so
        kind = self._types.get(str(given.value))
        if kind is None:
            self._problems.error(
                given,
                f"{name!r} is of an unknown type {given.value!r}",
                did_you_mean(str(given.value), self._types, "" if self._types else "add it under types:"),
            )
            return
        at = str(node.plain("at", ""))
        if at == self._builder.root or at.startswith(self._builder.root + "/"):
            self._problems.error(
                node.fields["at"],
                f"at of {name!r} repeats the root of the plant",
                "write what is below enterprise/site, such as area-1/line-1",
            )
            return
        number = self._template(kind, node)
        table_name = node.get("table")
        if table_name is None:
            self._add(
                [name],
                node,
                kind,
                number,
                at=[at],
                titles=[str(node.plain("title", ""))],
                columns=_NO_COLUMNS,
            )
            self._places.single(node)
        else:
            self._fleet(name, node, kind, number, table_name)

    def _fleet(self, name: str, node: Node, kind: AssetType, number: int, table_name: Node) -> None:
        path = self._directory / str(table_name.value)
        if path.parent != self._directory:  # what is applied is this folder, copied
            self._problems.error(
                table_name, f"the table {table_name.value} lies elsewhere", "put it beside plant.yaml, and write its name only"
            )  # fmt: skip
            return
        table = self._tables.get(path.name) or read_table(path, table_name, self._problems)
        if table is None:
            return
        self._tables[path.name] = table
        names = table.columns.get("name")
        if names is None:
            self._problems.error(
                table.row(-1 if table.first > 1 else 0),
                f"the table of {name!r} has no column 'name'",
                did_you_mean("name", table.columns, "add a column `name`"),
            )
            return
        at = str(node.plain("at", ""))
        self._check_cells(table, names)
        rows_at = _given(table, "at", at)
        titles = _given(table, "title", str(node.plain("title", "")))
        columns = {
            k: v for k, v in table.columns.items() if k not in _OWN and not k.startswith("parameters.")
        }
        self._add(names, node, kind, number, at=rows_at, titles=titles, columns=columns, table=table)
        self._places.rows(table)

    def _check_cells(self, table: Table, names: Texts) -> None:
        for row in unfit(names, NAME).tolist():
            self._problems.error(
                table.row(row),
                f"{names[row]!r} cannot be the name of an asset" if names[row] else "a row without a name",
                "use letters, digits, _ and -, without blanks, / + # or quotes",
            )
        for column in ("at", "formerly"):
            cells = table.columns.get(column, Texts.of([]))
            for row in unfit(cells, LEVELS_BELOW, alike=True).tolist():
                if cells[row]:
                    self._problems.error(
                        table.row(row),
                        f"{column} cannot be {cells[row]!r}",
                        "write levels below the site, divided by /",
                    )

    def _add(
        self, names: Sequence[str], node: Node, kind: AssetType, number: int, *, at: Sequence[str], titles: Sequence[str],
        columns: Mapping[str, Sequence[str]], table: Table | None = None,
    ) -> None:  # fmt: skip
        template = self._templates[number]
        self._check_placeholders(number, node, columns)
        self._builder.add(
            names, at=at, titles=titles, description=str(node.plain("description", "")), type_name=template.type,
            template=number, columns=columns, parameters=self._parameters(node, template, len(names), table),
            formerly=[str(node.plain("formerly", ""))] if table is None else table.columns.get("formerly", ()),
        )  # fmt: skip

    def _parameters(self, node: Node, template: Template, n: int, table: Table | None) -> dict[str, F64]:
        known = {p.name: p for p in template.parameters}
        found = {name: np.full(n, p.default) for name, p in known.items() if p.default is not None}
        section = node.get("parameters")
        for name, said in (section.fields if section is not None else {}).items():
            if name not in known:
                self._problems.error(
                    said, f"unknown parameter {name!r} of {template.type}", did_you_mean(name, known)
                )
                continue
            value = self._value(said, known[name])
            if value is not None:
                found[name] = np.full(n, value)
        for column, cells in (table.columns if table is not None else _NO_COLUMNS).items():
            if table is not None and column.startswith("parameters."):
                self._column(column.removeprefix("parameters."), cells, table, known, found)
        return found

    def _column(
        self,
        name: str,
        cells: Texts,
        table: Table,
        known: Mapping[str, Parameter],
        found: dict[str, F64],
    ) -> None:
        if name not in known:
            self._problems.error(
                table.row(-1 if table.first > 1 else 0),
                f"the column parameters.{name} names an unknown parameter",
                did_you_mean(name, known),
            )
            return
        numbers = found.setdefault(name, np.full(len(cells), np.nan))
        for row in plain_numbers(cells, known[name], numbers).tolist():
            place = table.row(row)
            place.value = cells[row]
            value = self._value(place, known[name])
            numbers[row] = np.nan if value is None else value

    def _value(self, said: Node, parameter: Parameter) -> float | None:
        value = amount(said, parameter.unit, self._problems)
        low, high = parameter.low, parameter.high
        if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
            self._problems.error(
                said,
                f"{parameter.name} = {value:g} lies outside its range",
                f"write a value from {low:g} to {high:g}",
            )
        return value

    def _template(self, kind: AssetType, node: Node) -> int:
        changed = any(node.get(key) is not None for key in ("source", "signals", "commands"))
        if not changed:
            if kind.template.type not in self._plain:
                self._plain[kind.template.type] = self._remember(kind.template)
            return self._plain[kind.template.type]
        signals = tuple(self._signals(kind, node))
        by_name = {s.name: s for s in signals}
        own = {}
        section = node.get("commands")
        for name, said in (section.fields if section is not None else {}).items():
            base = (kind.node.get("commands") or Node({}, node.file, node.line)).get(name)
            if base is None:
                self._problems.error(
                    said,
                    f"{kind.template.type} has no command {name!r}",
                    did_you_mean(name, (c.name for c in kind.template.commands)),
                )
                continue
            own[name] = read_command(name, merged(base, said), by_name, self._scope)
        commands = tuple(own.get(c.name) or c for c in kind.template.commands)
        return self._remember(replace(kind.template, signals=signals, commands=commands))

    def _remember(self, template: Template) -> int:
        self._templates.append(template)
        return len(self._templates) - 1

    def _signals(self, kind: AssetType, node: Node) -> Iterable[Signal]:
        section = node.get("signals")
        said = section.fields if section is not None else {}
        for name, own in said.items():
            if name not in self._scope.broken and not any(name == s.name for s in kind.template.signals):
                self._problems.error(
                    own,
                    f"{kind.template.type} has no signal {name!r}",
                    did_you_mean(name, (s.name for s in kind.template.signals)),
                )
        everywhere = node.get("source")
        for signal in kind.template.signals:
            if signal.name not in said and (everywhere is None or signal.given):
                yield signal
                continue
            base = kind.node.fields["signals"].fields[signal.name]
            own = said.get(signal.name, Node({}, node.file, node.line))
            judged = {k: v for k, v in own.fields.items() if k not in {"unit", "source", *WHERE}}
            layers = (
                kind.node.get("source"),
                base.get("source"),
                where(base),
                everywhere,
                own.get("source"),
                where(own, "unit"),
            )
            read = read_property(
                signal.name, merged(base, Node(judged, own.file, own.line)), layers, self._scope
            )
            template = kind.template
            yield signal if read is None else followed(read, said_of(template.dynamics), template.estimates)

    def _check_placeholders(self, number: int, node: Node, columns: Mapping[str, Sequence[str]]) -> None:
        key = (number, frozenset(columns))
        if key in self._checked:
            return
        self._checked.add(key)
        template = self._templates[number]
        known = BUILT_IN | columns.keys()
        texts = [
            (f"the source of {s.name!r}", t)
            for s in (lane for signal in template.signals for lane in signal.lanes)
            if s.source
            for t in (s.source.topic, s.source.path, s.source.time, s.source.status)
            if t
        ]
        texts += [
            (f"the command {c.name!r}", t) for c in template.commands for t in (c.topic, c.payload) if t
        ]
        for what, text in texts:
            for word in PLACEHOLDER.findall(text):
                if word not in known and text not in self._said:
                    self._said.add(text)
                    self._problems.error(
                        node,
                        f"nothing is known for {{{word}}} in {what} ({text})",
                        did_you_mean(word, known - {"value"}),
                    )

    def _check_paths(self, fleet: Fleet) -> None:
        for row in doubled(fleet.found).tolist():
            before = self._places[fleet.found.find(fleet.paths[row])[0]]
            self._problems.error(
                self._places[row],
                f"the path {fleet.paths[row]} is already taken, in {before.file}:{before.line}",
                "rename one, or put it elsewhere with at:",
            )
        self._check_no_signals(fleet)
        self._check_paths_before(fleet)

    def _check_paths_before(self, fleet: Fleet) -> None:
        first: dict[str, int] = {}
        for row, word in fleet.formerly.items():
            was = f"{fleet.root}/{word.removeprefix(fleet.root + '/')}"
            if fleet.find(was) is not None:
                self._problems.error(
                    self._places[row],
                    f"{fleet.paths[row]} is formerly {word}, which is an asset still",
                    "drop formerly: where it was applied; two assets that swap their places need two steps",
                )
            elif was in first:
                self._problems.error(
                    self._places[row],
                    f"both {fleet.paths[first[was]]} and {fleet.paths[row]} are formerly {word}",
                    "only one of them can go on from it",
                )
            first[was] = row

    def _check_no_signals(self, fleet: Fleet) -> None:
        """Report assets that are called as a signal of the asset they stand in."""
        if not len(fleet):
            return
        at = fleet.at.array  # few places, each said once
        parents = fleet.found.numbers(pc.binary_join_element_wise(fleet.root, at.dictionary, "/"))
        parent = parents[at.indices.to_numpy(zero_copy_only=False)]
        inside = np.flatnonzero(parent >= 0)
        for number in np.unique(fleet.template[parent[inside]]).tolist():
            rows = inside[fleet.template[parent[inside]] == number]
            signals = pa.array([s.name for s in self._templates[number].signals], pa.string())
            called = pc.is_in(fleet.names.array.take(pa.array(rows)), value_set=signals)
            for row in rows[np.asarray(called, np.bool_)].tolist():
                self._problems.error(
                    self._places[row],
                    f"{fleet.paths[row]} is a signal of {fleet.names[int(parent[row])]!r} already",
                    "rename the asset",
                )


def _given(table: Table, column: str, otherwise: str) -> Texts:
    """Give the cells of a column; what the entry says where a cell is empty, or where there is no such column."""
    if column not in table.columns:
        return Texts.one(otherwise, len(table))
    cells = table.columns[column].array
    return Texts(pc.if_else(pc.equal(cells, ""), otherwise, cells))
