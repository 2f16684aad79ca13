"""Examples beside an expression or a rule: what is given, what must come out. Run when the plant file is read.

`{given: {flow: 40 m3/h, head: 30 m, power: 5 kW}, expect: 65.4 %}`; a list is one value for each related asset, what is
not given is not known, and `unknown` may be expected.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.assets.dimension import duration_ns
from gemel.assets.node import Node, plain
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Signal, Template
from gemel.errors import AssetError
from gemel.samples import units
from gemel.samples.expression import Column, Expression, Kind, Leaf
from gemel.samples.status import BAD_NO_DATA

UNKNOWN: Final = "unknown"
NEAR: Final = 1e-3  # of the expected value, where an example gives no tolerance
TRUTHS: Final[Mapping[Any, float]] = {True: 1.0, False: 0.0, "yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Bench:
    """What an example is run on: an expression, what is known of its type, and where to report."""

    signal: Signal
    expression: Expression
    template: Template
    problems: Problems

    def run(self, example: Node, hold_ns: int | None) -> None:
        """Run one example; `hold_ns` is how long a rule's condition must hold [ns], None where this is no rule."""
        try:
            value = self._value(example)
            expected = self._expected(example, hold_ns)
        except AssetError as e:
            self.problems.error(example, f"an example of {self.signal.name!r}: {e.message}", e.remedy)
            return
        if hold_ns is not None:
            held = example.get("after")
            if held is not None and duration_ns(held) < hold_ns and value == 1.0:
                value = 0.0
        if not self._agrees(value, expected, example):
            self.problems.error(
                example, f"an example of {self.signal.name!r} gives {self._shown(value)}, and {self._shown(expected)} is expected",
                "correct the expression, or the example",
            )  # fmt: skip

    def _value(self, example: Node) -> float:
        section = example.get("given")
        given = {} if section is None else {name: plain(node) for name, node in section.fields.items()}
        names = [".".join(leaf.path) for leaf in self.expression.leaves]
        for name in given:
            if name not in names:
                raise AssetError(f"the expression does not read {name!r}", remedy=did_you_mean(name, names))
        counts: dict[str, Any] = {}
        columns = [self._column(leaf, given.get(".".join(leaf.path)), counts) for leaf in self.expression.leaves]
        for column, leaf in zip(columns, self.expression.leaves, strict=True):
            if leaf.over and len(column.value) != counts[leaf.over][0]:
                raise AssetError(f"as many values for each name of {leaf.over}", remedy="give lists of one length")
        value, _ = self.expression.evaluate(columns, 1, counts)
        return float(value[0])

    def _column(self, leaf: Leaf, said: Any, counts: dict[str, Any]) -> Column:
        if isinstance(said, list) != bool(leaf.over) and said is not None:
            shown = ".".join(leaf.path)
            many = f"write {shown}: [a, b]" if leaf.over else f"write {shown}: a"
            raise AssetError(f"{shown} is {'many values' if leaf.over else 'one value'}", remedy=many)
        if said is None and not leaf.over and (default := self._default(leaf)) is not None:
            said = default
        values = (said or []) if leaf.over else [said]
        if leaf.over and (said is not None or leaf.over not in counts):
            counts[leaf.over] = np.array([len(values)])
        found = np.array([code(v, leaf.kind) for v in values], np.float64)
        return Column(found, np.where(np.isnan(found), np.uint32(BAD_NO_DATA), np.uint32(0)))

    def _default(self, leaf: Leaf) -> float | None:
        return next((p.default for p in self.template.parameters if p.name == leaf.path[-1]), None)

    def _expected(self, example: Node, hold_ns: int | None) -> float:
        node = example.get("expect")
        said = None if node is None else plain(node)
        kind = Kind("truth") if hold_ns is not None else self.expression.kind
        return code(None if said == UNKNOWN else said, kind)

    def _agrees(self, value: float, expected: float, example: Node) -> bool:
        if np.isnan(value) or np.isnan(expected):
            return bool(np.isnan(value) and np.isnan(expected))
        if self.expression.kind.sort != "number":
            return value == expected
        tolerance = example.plain("tolerance")
        most = NEAR * abs(expected) if tolerance is None else units.quantity(tolerance, self.signal.unit, difference=True)
        return abs(value - expected) <= most + 1e-12

    def _shown(self, value: float) -> str:
        if np.isnan(value):
            return UNKNOWN
        kind = self.expression.kind
        if kind.sort == "number":
            return f"{value:.6g}{units.after(kind.unit)}"
        return kind.states[int(value)] if kind.states else ("no", "yes")[int(value)]


def code(said: Any, kind: Kind) -> float:
    """Give the number of what an example says: a quantity, a word of a state, true or false; NaN where it says nothing."""
    if said is None or said == UNKNOWN:
        return float("nan")
    if kind.sort == "number":
        if isinstance(said, bool):
            raise AssetError(f"{said!r} is no {kind.words}", remedy="write a number and a unit")
        return units.quantity(said, kind.unit)
    if kind.sort == "state" and str(said) in kind.states:
        return float(kind.states.index(str(said)))
    if isinstance(said, (bool, str)) and said in TRUTHS and (kind.sort == "truth" or len(kind.states) == 2):
        return TRUTHS[said]
    raise AssetError(f"{said!r} is not {kind.words}", remedy=did_you_mean(str(said), kind.states or ("true", "false")))
