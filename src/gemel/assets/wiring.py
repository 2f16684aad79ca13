"""What can be said only when all is read: what has no source, no way out, no time, and names that a table spoils."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.commands import PLACEHOLDER, filled
from gemel.assets.grammar_names import JSON_PATH
from gemel.assets.instances import BUILT_IN, Assets
from gemel.assets.node import Node
from gemel.assets.problem import Problems, few
from gemel.assets.signals import Scope
from gemel.assets.spec import Template

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

_GOOD_PATH: Final = re.compile(JSON_PATH).search


@dataclass(frozen=True)
class _Text:
    """A topic or JSON path with placeholders, as a template says it."""

    text: str
    kind: str
    signal: str
    columns: tuple[str, ...]


def check_wiring(plant: "Plant", assets: Assets, scope: Scope) -> None:
    """Report what the assets lack; each kind of thing once per type, not once per asset."""
    said: set[tuple[str, str]] = set()
    texts = [_texts(t) for t in plant.templates]
    numbers, first = np.unique(plant.assets.template, return_index=True)
    for number, row in sorted(zip(numbers.tolist(), first.tolist(), strict=True), key=lambda pair: pair[1]):
        template = plant.templates[number]
        _check_silent(template, assets.places[row], scope.problems, said)
        _check_unwired(template, assets.places[row], scope.problems, said)
        if texts[number]:
            for doubtful in _doubtful(plant, number, texts[number]).tolist():
                _check_filled(plant, doubtful, texts[number], assets.places[doubtful], scope.problems)
    for file, line in scope.untimed:
        scope.problems.warn(
            Node(None, file, line),
            "no time is read from here: the time of receipt counts, and a message sent twice is stored twice",
            "add time: and the JSON path of the reading's time",
        )


def _check_silent(template: Template, place: Node, problems: Problems, said: set[tuple[str, str]]) -> None:
    silent = [
        s.name for s in template.signals if all(lane.source is None and not lane.given for lane in s.lanes)
    ]
    key = (template.type, " ".join(silent))
    if silent and key not in said:
        said.add(key)
        problems.warn(
            place,
            f"nothing feeds {few(silent)} of {template.type}: only POST /telemetry can",
            "add source: {from: …, topic: …} to the type",
        )


def _check_unwired(template: Template, place: Node, problems: Problems, said: set[tuple[str, str]]) -> None:
    for command in template.commands:
        key = (template.type, f"command {command.name}")
        if not command.wired and key not in said:
            said.add(key)
            lacks = "to" if command.connection is None else "topic"
            problems.warn(
                place,
                f"the command {command.name!r} of {template.type} is not wired: it has no {lacks}",
                "add to: (a connection) and topic: to the command",
            )


def _texts(template: Template) -> list[_Text]:
    """Give the texts whose filling depends on the asset in a way that may go wrong."""
    found = []
    for s in (lane for signal in template.signals for lane in signal.lanes):
        if s.source is not None:
            paths = [(p, "path") for p in (s.source.path, s.source.time, s.source.status) if p]
            found += [_Text(t, kind, s.name, _columns(t)) for t, kind in [(s.source.topic, "topic"), *paths]]
    found += [_Text(c.topic, "topic", "", _columns(c.topic)) for c in template.commands if c.topic]
    spoilt = [t for t in found if t.columns or (t.kind == "path" and PLACEHOLDER.search(t.text))]
    return list({(t.text, t.columns and t.kind): t for t in spoilt}.values())


def _columns(text: str) -> tuple[str, ...]:
    return tuple(word for word in PLACEHOLDER.findall(text) if word not in BUILT_IN)


def _check_filled(plant: "Plant", row: int, texts: list[_Text], place: Node, problems: Problems) -> None:
    values: Mapping[str, str] = plant.assets.values(row)
    for text in texts:
        empty = [c for c in text.columns if c in plant.assets.columns and c not in values]
        if empty:
            problems.error(
                place,
                f"{plant.assets.names[row]!r} has no {empty[0]}, which its {text.kind} needs ({text.text})",
                f"fill the cell of the column {empty[0]}",
            )
            continue
        told = filled(text.text, {**values, "signal": text.signal})
        spoilt = next((values[c] for c in text.columns if set(values.get(c, "")) & set("+#")), None)
        if text.kind == "topic" and spoilt is not None:
            problems.error(
                place,
                f"{spoilt!r} would make {told!r} a filter of many topics",
                "take + and # out of the cell",
            )
        elif text.kind == "path" and not _GOOD_PATH(told):
            problems.error(place, f"{told!r} is no JSON path", f"put quotes around it: {_quoted(text.text)}")


def _doubtful(plant: "Plant", number: int, texts: list[_Text]) -> npt.NDArray[np.intp]:
    """Give the assets of a template that have to be looked at: a cell is empty or holds a wildcard, or makes a path."""
    rows = np.flatnonzero(plant.assets.template == number)
    if any(t.kind == "path" for t in texts):
        return rows
    wrong = np.zeros(len(rows), np.bool_)
    for name in {column for t in texts for column in t.columns} & plant.assets.columns.keys():
        cells = plant.assets.columns[name].array.take(pa.array(rows))
        spoilt = pc.or_(pc.equal(cells, ""), pc.match_substring_regex(cells, "[+#]"))
        wrong |= np.asarray(spoilt, np.bool_)
    return rows[wrong]


def _quoted(path: str) -> str:
    """Write a step that a placeholder fills in quotes: ``$.{tag}`` as ``$["{tag}"]``."""
    return re.sub(r"\.([^.\[]*\{\w+\}[^.\[]*)", r'["\1"]', path)
