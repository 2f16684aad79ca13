"""Shapes: what may stand where in a plant file, said once, for the reader and for the JSON Schema alike.

A shape checks a node (and reports what is wrong, with what to write instead) and gives its JSON Schema. What does
not fit is taken out of the tree, so that whoever reads on may trust what is left.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gemel.assets.node import Node, plain
from gemel.assets.problem import Problems, did_you_mean
from gemel.errors import AssetError
from gemel.samples import units

QUANTITY: Final = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?(\s*[^\s0-9].*)?$"
Json = dict[str, Any]


class Shape(Protocol):
    """What may stand in one place."""

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        """Tell whether a node fits; report what does not."""

    def schema(self) -> Json:
        """Give the JSON Schema of it."""


def _no(problems: Problems, node: Node, name: str, remedy: str) -> bool:
    shown = plain(node)
    words = f"{name} has no value" if shown is None else f"{name} cannot be {_short(shown)}"
    problems.error(node, words, remedy)
    return False


def _short(value: Any) -> str:
    kinds: dict[type, str] = {dict: "a mapping", list: "a list"}
    return kinds.get(type(value)) or (repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "…'")


@dataclass(frozen=True)
class Text:
    """A text; with a pattern where it must look a certain way. A plain number counts as its digits."""

    example: str
    pattern: str = ""
    banned: str = ""  # words for what the pattern wants

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            node.value = str(node.value)
        if not isinstance(node.value, str) or not node.value.strip():
            return _no(problems, node, name, f"write a text, such as {self.example!r}")
        if self.pattern and not re.search(self.pattern, node.value):
            return _no(
                problems,
                node,
                name,
                f"write it like {self.example!r}" + (f": {self.banned}" if self.banned else ""),
            )
        return True

    def schema(self) -> Json:
        looks = {"pattern": self.pattern} if self.pattern else {"minLength": 1}
        return {"type": ["string", "number"], **looks, "examples": [self.example]}


@dataclass(frozen=True)
class Word:
    """One word out of a few."""

    words: tuple[str, ...]

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if isinstance(node.value, str | int | float) and str(node.value) in self.words:
            node.value = str(node.value)
            return True
        return _no(
            problems,
            node,
            name,
            did_you_mean(str(node.value), self.words, f"write one of: {', '.join(self.words)}"),
        )

    def schema(self) -> Json:
        numbers = [float(w) if "." in w else int(w) for w in self.words if re.fullmatch(r"\d+(\.\d+)?", w)]
        return {"enum": [*self.words, *numbers]}


@dataclass(frozen=True)
class Number:
    """A finite number between limits."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        value = node.value
        kinds = int if self.whole else (int, float)
        if (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and self.low <= value <= self.high
        ):
            return True
        limits = f" from {self.low:g} to {self.high:g}" if math.isfinite(self.low) else ""
        return _no(problems, node, name, f"write a {'whole ' if self.whole else ''}number{limits}")

    def schema(self) -> Json:
        limits = {"minimum": self.low} if math.isfinite(self.low) else {}
        limits |= {"maximum": self.high} if math.isfinite(self.high) else {}
        return {"type": "integer" if self.whole else "number", **limits}


@dataclass(frozen=True)
class Flag:
    """True or false; `yes` and `on` are words in YAML 1.2."""

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        return isinstance(node.value, bool) or _no(problems, node, name, "write true or false")

    def schema(self) -> Json:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Unit:
    """A unit of measure: UCUM or a common spelling; 1 where there is none."""

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if isinstance(node.value, int) and node.value == 1:
            node.value = "1"
        if not isinstance(node.value, str):
            return _no(problems, node, name, "write a unit, such as m3/h, degC, bar, rpm, kW, or 1 for none")
        try:
            units.parse(node.value)
        except AssetError as e:
            problems.error(node, e.message, e.remedy)
            return False
        return True

    def schema(self) -> Json:
        return {"anyOf": [{"type": "string"}, {"const": 1}], "examples": ["m3/h", "degC", "bar", "rpm", "1"]}


@dataclass(frozen=True)
class Quantity:
    """A number, or a number with a unit; of a fixed dimension where one is given (`s` for a duration)."""

    example: str
    unit: str = ""
    least: float = -math.inf

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        value = node.value
        remedy = f"write a number and a unit, such as {self.example!r}" + self._bound()
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return _no(problems, node, name, remedy)
        if isinstance(value, int | float):
            return (math.isfinite(value) and value >= self.least) or _no(problems, node, name, remedy)
        if not re.match(QUANTITY, value):
            return _no(problems, node, name, remedy)
        if not self.unit:
            return True
        try:
            number = units.quantity(value, self.unit)
        except AssetError as e:
            problems.error(node, f"{name}: {e.message}", remedy)
            return False
        return (math.isfinite(number) and number >= self.least) or _no(problems, node, name, remedy)

    def _bound(self) -> str:
        if not math.isfinite(self.least):
            return ""
        return f", not below {self.least:g}{' ' if self.unit else ''}{self.unit}"

    def schema(self) -> Json:
        least = {"minimum": self.least} if math.isfinite(self.least) else {}
        return {
            "anyOf": [{"type": "number", **least}, {"type": "string", "pattern": QUANTITY}],
            "examples": [self.example],
        }


@dataclass(frozen=True)
class ListOf:
    """A list; of a fixed length where one is given."""

    item: Shape
    example: str
    length: int | None = None
    least: int = 0

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        right = isinstance(node.value, list) and len(node.items) >= self.least
        if not right or (self.length is not None and len(node.items) != self.length):
            return _no(problems, node, name, f"write it like {self.example}")
        before = problems.count
        node.value = [n for n in node.items if self.item.check(n, name, problems)]
        return problems.count == before or self.length is None

    def schema(self) -> Json:
        size = {"minItems": self.length, "maxItems": self.length} if self.length is not None else {}
        size |= {"minItems": self.least} if self.least else {}
        return {"type": "array", "items": self.item.schema(), **size}


@dataclass(frozen=True)
class MapOf:
    """A mapping from names to values of one shape."""

    item: Shape
    what: str
    pattern: str
    remedy: str
    empty: bool = True  # a name without a value counts as an empty mapping

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if node.value is None:
            node.value = {}
        if not isinstance(node.value, dict):
            return _no(problems, node, name, f"write a mapping: a line `name: …` for each {self.what}")
        kept = {}
        for key, value in node.value.items():
            if value.refused:
                continue
            if value.value is None and self.empty:
                value.value = {}
            if not re.search(self.pattern, key):
                problems.error(
                    value,
                    f"{key!r} cannot name {'an' if self.what[0] in 'aeiou' else 'a'} {self.what}",
                    self.remedy,
                )
            elif self.item.check(value, f"{self.what} {key!r}", problems):
                kept[key] = value
        node.lost = frozenset(node.value.keys() - kept.keys())
        node.value = kept
        return True

    def schema(self) -> Json:
        item = self.item.schema()
        item = {"anyOf": [item, {"type": "null"}]} if self.empty else item
        return {
            "type": ["object", "null"],
            "patternProperties": {self.pattern: item},
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Field:
    """An entry of a record: its shape, what it means, whether it must be there."""

    shape: Shape
    words: str
    required: bool = False


@dataclass(frozen=True)
class Record:
    """A mapping with known keys; an unknown one is refused, with the nearest known."""

    what: str
    fields: Mapping[str, Field]
    hints: Mapping[str, str] = field(default_factory=dict)  # remedies for keys that people expect

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if not isinstance(node.value, dict):
            return _no(problems, node, name, f"write a mapping, such as {{{next(iter(self.fields))}: …}}")
        kept: dict[str, Node] = {}
        meant: set[str] = set()  # by the unknown keys: not missing, but misspelt
        for key, value in node.value.items():
            known = self.fields.get(key)
            if value.refused:
                continue
            if known is None:
                meant.update(difflib.get_close_matches(key, self.fields, n=1))
                meant.update(self.fields if key in self.hints else ())
                problems.error(
                    value,
                    f"unknown key {key!r} in {name}",
                    self.hints.get(key) or did_you_mean(key, self.fields),
                )
            elif known.shape.check(value, f"{key} of {name}" if name else key, problems):
                kept[key] = value
        missing = [k for k, f in self.fields.items() if f.required and k not in node.value and k not in meant]
        for key in missing:
            problems.error(node, f"{name or self.what} has no {key}", f"add {key}: {self.fields[key].words}")
        node.lost = frozenset(meant | (node.value.keys() - kept.keys()))
        node.value = kept
        return True

    def schema(self) -> Json:
        properties = {k: {"description": f.words, **f.shape.schema()} for k, f in self.fields.items()}
        required = [k for k, f in self.fields.items() if f.required]
        more = {"required": required} if required else {}
        return {"type": "object", "properties": properties, "additionalProperties": False, **more}


@dataclass(frozen=True)
class Either:
    """One of several shapes, told apart by the kind of value."""

    choices: Sequence[tuple[type | tuple[type, ...], Shape]]
    remedy: str

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        for kind, shape in self.choices:
            if isinstance(node.value, kind) and not (isinstance(node.value, bool) and kind is not bool):
                return shape.check(node, name, problems)
        return _no(problems, node, name, self.remedy)

    def schema(self) -> Json:
        return {"anyOf": [shape.schema() for _, shape in self.choices]}


@dataclass(frozen=True)
class Given:
    """A value of an example, or a list of such: a quantity, a word, true or false, or nothing."""

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if node.value is None or isinstance(node.value, str | int | float | bool):
            return True
        if isinstance(node.value, list) and all(not isinstance(n.value, dict | list) for n in node.items):
            return True
        return _no(problems, node, name, "write a value such as 40 m3/h, running or true, or a list of such")

    def schema(self) -> Json:
        one: Json = {"type": ["string", "number", "boolean", "null"]}
        return {"anyOf": [one, {"type": "array", "items": one}]}


@dataclass(frozen=True)
class Window:
    """A window of time: a duration of a second at least, a shift or a day."""

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        if node.value in {"shift", "day"}:
            return True
        return Quantity("1 h", unit="s", least=1.0).check(node, name, problems)

    def schema(self) -> Json:
        return {"anyOf": [{"enum": ["shift", "day"]}, {"type": "string", "pattern": QUANTITY}]}


@dataclass(frozen=True)
class OftenOrNever:
    """A duration of a minute at least, or the word never."""

    def check(self, node: Node, name: str, problems: Problems) -> bool:
        return node.value == "never" or Quantity("1 d", unit="s", least=60.0).check(node, name, problems)

    def schema(self) -> Json:
        return {"anyOf": [{"const": "never"}, {"type": "string", "pattern": QUANTITY}]}
