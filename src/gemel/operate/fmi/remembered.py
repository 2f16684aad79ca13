"""An FMU for co-simulation as something that goes on from what it remembers: bytes in, bytes out, so that a filter's belief is a value.

members in SI ─► its own units ─► child (Steps): state brought back, one step, state saved ─► bytes, what it shows in SI
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.errors import ModelError
from gemel.operate.fmi.model import FmuModel

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
ROWS: Final = 64  # members of one request: the limit of time is that of so many steps
HEAD: Final = 8  # bytes that say how long the rest is
GROWS: Final = 1 << 16  # bytes, at most as many again as it takes when it begins, and …
MORE: Final = 256  # … so many: a state written as text grows and shrinks
MOST: Final = 3 << 19  # bytes of one member, 1.5 MB: the fewest members and one instant are then what a machine may keep
KEPT: Final = 100_000_000  # bytes of a machine: what all of its members remember, now and at each instant that can be gone back
MEMBERS: Final = 32, 128  # of a machine, at least and where there is room
BACK: Final = 10  # instants that can be gone back, where there is room


class Remembered:
    """The steps of an FMU.

    Args:
        model: for co-simulation, one that saves its state.
        seen: names of what it is to show, states or outputs.

    Raises ModelError (`model-foreign`) where it cannot save its state.
    """

    def __init__(self, model: FmuModel, seen: tuple[str, ...]) -> None:
        if not model.saves:
            raise ModelError(
                f"{model.called} cannot save its state (canGetAndSetFMUState, canSerializeFMUState): nobody can go on from what it remembers",
                code="model-foreign", remedy="export it with both, or for model exchange",
            )  # fmt: skip
        self._model, self.movable = model, tuple[str, ...]()
        starts = (*model.states, *model.parameters)
        self.tunable = tuple(n for n in model.parameters if n in model.tunable)
        self._names = {"starts": list(starts), "inputs": list(model.inputs), "tunable": list(self.tunable), "seen": list(seen)}
        self._starts, self._inputs = self._scales(starts), self._scales(tuple(model.inputs))
        self._given, self._seen = self._scales((*model.inputs, *self.tunable)), self._scales(seen)
        self._places = [list(model.parameters).index(n) for n in self.tunable]

    def begin(self, x: Floats, u: Floats, p: Floats) -> tuple[Bytes, Floats]:
        """Give what members remember [members, bytes] and show [members, seen] that begin with states, inputs, parameters."""
        starts, inputs = _own(np.hstack((x, p)), self._starts), _own(u, self._inputs)
        found = []
        for i in range(0, len(x), ROWS):
            found += self._asked("begin", starts=starts[i : i + ROWS].tolist(), inputs=inputs[i : i + ROWS].tolist())
        longest = max(len(saved) for saved, _ in found)
        capacity = HEAD + -(-(longest + min(longest, GROWS) + MORE) // 64) * 64
        return self._packed(found, capacity), self._shown(found)

    def step(self, memory: Bytes, times: Floats, dt: float, given: tuple[Floats, Floats], moved: Floats | None = None) -> tuple[Bytes, Floats]:
        """Give what members remember and show `dt` [s] later, with inputs [members, inputs] and parameters held; as `begin`.

        None of its states may be `moved`.
        """
        u, p = given
        rows, found = _own(np.hstack((u, p[:, self._places])), self._given), []
        for i in range(0, len(memory), ROWS):
            part = slice(i, i + ROWS)
            saved = [_unpacked(row) for row in memory[part]]
            found += self._asked("step", saved=saved, times=times[part].tolist(), dt=dt, given=rows[part].tolist())
        return self._packed(found, memory.shape[1]), self._shown(found)

    def show(self, memory: Bytes, given: tuple[Floats, Floats], shown: Floats) -> Floats:
        """Give what members show: as they came here, for nobody but its own step makes it look anew."""
        return shown

    def _asked(self, what: str, **how: Any) -> list[tuple[bytes, list[float]]]:
        m = self._model
        request = {"do": "go_on", "of": str(m.path), "seen": tuple(self._names["seen"]), "what": what, "how": how}
        opening = {"do": "remember", "path": str(m.path), "as_": str(m.path), "names": self._names}
        found: list[tuple[bytes, list[float]]] = m.ask(request, opening)["members"]
        return found

    def _packed(self, found: list[tuple[bytes, list[float]]], capacity: int) -> Bytes:
        longest = max(len(saved) for saved, _ in found)
        if longest + HEAD > min(capacity, MOST):
            raise ModelError(
                f"{self._model.called}: its saved state takes {longest} bytes, {min(capacity, MOST) - HEAD} are kept of each member",
                code="fmu", remedy="export it for model exchange, or with less that it remembers",
            )  # fmt: skip
        memory = np.zeros((len(found), capacity), np.uint8)
        for row, (saved, _) in zip(memory, found, strict=True):
            row[:HEAD] = np.frombuffer(len(saved).to_bytes(HEAD), np.uint8)
            row[HEAD : HEAD + len(saved)] = np.frombuffer(saved, np.uint8)
        return memory

    def _shown(self, found: list[tuple[bytes, list[float]]]) -> Floats:
        scale, offset = self._seen
        return np.array([values for _, values in found], np.float64).reshape(len(found), -1) * scale + offset

    def _scales(self, names: tuple[str, ...]) -> tuple[Floats, Floats]:
        of = np.array([self._model.scales[n] for n in names], np.float64).reshape(-1, 2)
        return of[:, 0], of[:, 1]


def room(size: int) -> tuple[int, int]:
    """Give how many members of a machine are kept that remember so many bytes each, and how many instants can be gone back.

    Instants go first, for late readings are rarer than readings: one stays.

    >>> room(500), room(200_000), room(1_000_000)
    ((128, 10), (128, 2), (50, 1))
    """
    fewest, most = MEMBERS
    back = min(max(KEPT // (most * size) - 1, 1), BACK)
    return min(max(KEPT // ((back + 1) * size), fewest), most), back


def _own(si: Floats, scales: tuple[Floats, Floats]) -> Floats:
    found: Floats = (si - scales[1]) / scales[0]
    return found


def _unpacked(row: Bytes) -> bytes:
    return row[HEAD : HEAD + int.from_bytes(row[:HEAD].tobytes())].tobytes()
