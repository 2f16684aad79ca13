"""A model's rates as straight lines of numbers, from the same trace as the machine code: for the tools it is compared to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


class Lines:
    """The rates of a model, one operation a line.

    Args:
        model: compiled; its rates must not depend on time.
    """

    def __init__(self, model: Any) -> None:
        from gemel.scenarios.functions import Functions
        from gemel.scenarios.graph import MOVING, Graph, reachable
        from gemel.scenarios.trace import Traced

        class Library(Functions):
            """Elementary functions left to the C library."""

            exp = lambda self, x: self.graph._node("exp", (x,), 0.0, "")  # noqa: E731
            tanh = lambda self, x: self.graph._node("tanh", (x,), 0.0, "")  # noqa: E731
            power = lambda self, x, y: self.graph._node("pow", (x, y), 0.0, "")  # noqa: E731

        g = Graph()
        sizes = {"x": len(model.states), "u": len(model.inputs), "p": len(model.parameters)}
        given = [np.array([g.given(f"{k}[{i}]", MOVING) for i in range(n)], object) for k, n in sizes.items()]
        time = np.array(g.given("0.0", MOVING), object)
        traced = Traced(model.rate, [(), *((n,) for n in sizes.values())])
        found = list(traced.apply(Library(g, double=True), time, *given)[0])
        self._nodes = list(reachable(found))
        self._names = {n.number: self._name(n) for n in self._nodes}
        self.ends = [self._names[node.number] for node in found]

    def written(self, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Give name and expression of each operation in order; `words` is the expression of each kind of operation."""
        for node in self._nodes:
            if node.op not in {"given", "const"}:
                yield self._names[node.number], words[node.op].format(*(self._names[a.number] for a in node.args))

    def _name(self, node: Any) -> str:
        if node.op == "given":
            return str(node.name)
        return repr(float(node.value)) if node.op == "const" else f"v{node.number}"
