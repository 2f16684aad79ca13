"""Members of an FMU for co-simulation that go from one communication point to the next, with others: SI in, SI out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gemel.operate.fmi.model import FmuModel

Floats = npt.NDArray[np.float64]


class Marching:
    """The members of one component.

    Args:
        model: for co-simulation.
        called: the component: another of the same FMU has instances of its own.
    """

    def __init__(self, model: FmuModel, called: str) -> None:
        self.model, self._as = model, f"{model.path}\n{called}"
        self.seen = tuple(dict.fromkeys((*model.states, *model.outputs)))
        self._tunable = [i for i, n in enumerate(model.parameters) if n in model.tunable]
        self._names = {"starts": [*model.states, *model.parameters], "inputs": list(model.inputs), "seen": list(self.seen),
                       "tunable": [list(model.parameters)[i] for i in self._tunable]}  # fmt: skip

    def begin(self, x: Floats, u: Floats, p: Floats) -> dict[str, Floats]:
        """Give what each member shows [members], by name, at time 0, of its states, inputs, parameters [members, …]."""
        how = {"starts": self._own(np.hstack((x, p)), self._names["starts"]), "inputs": self._own(u, self._names["inputs"])}
        opening = {"do": "marching", "path": str(self.model.path), "as_": self._as, "names": self._names}
        return self._told(self.model.ask({"do": "march", "of": self._as, "what": "begin", "how": how}, opening))

    def step(self, t: float, dt: float, given: tuple[Floats, Floats]) -> dict[str, Floats]:
        """Give what each shows `dt` after `t`, its inputs and tunable parameters held."""
        u, p = given
        rows = self._own(np.hstack((u, p[:, self._tunable])), [*self._names["inputs"], *self._names["tunable"]])
        how = {"t": t, "dt": dt, "given": rows}
        return self._told(self.model.ask({"do": "march", "of": self._as, "what": "step", "how": how}))

    def _told(self, answer: dict[str, Any]) -> dict[str, Floats]:
        shown = np.array(answer["members"], np.float64).reshape(len(answer["members"]), -1)
        scales = [self.model.scales[n] for n in self.seen]
        return {n: shown[:, i] * scale + offset for i, (n, (scale, offset)) in enumerate(zip(self.seen, scales, strict=True))}

    def _own(self, si: Floats, names: list[str]) -> list[list[float]]:
        scale, offset = np.array([self.model.scales[n] for n in names], np.float64).reshape(-1, 2).T
        rows: list[list[float]] = ((si - offset) / scale).tolist()
        return rows
