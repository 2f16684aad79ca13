"""In the child: an FMU for co-simulation gone on with from what it remembered: its state, saved and brought back (FMI 2.0.4, 4.2.1; FMI 3.0, 2.2.10.4).

One instance serves any number of members: each is brought back into it, goes one step, and is saved again as bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Row = Sequence[float]


class Steps:
    """One FMU, unpacked.

    Args:
        folder: with its content.
        names: of what may be given before it begins (``starts``), of its ``inputs``, of the parameters that may change
            (``tunable``), and of what is read off (``seen``).
    """

    def __init__(self, folder: str, names: dict[str, list[str]]) -> None:
        import fmpy
        from fmpy.simulation import instantiate_fmu

        self._about = fmpy.read_model_description(folder, validate=False)
        by_name = {v.name: v for v in self._about.modelVariables}
        self._refs = {kind: [by_name[n].valueReference for n in some] for kind, some in names.items()}
        self._names = names
        self._second = self._about.fmiVersion.startswith("2")
        self._fmu: Any = instantiate_fmu(folder, self._about, "CoSimulation")
        self._new = True

    def begin(self, starts: Sequence[Row], inputs: Sequence[Row]) -> list[tuple[bytes, list[float]]]:
        """Give what each member remembers at time 0 and what it shows, of its starts and inputs."""
        return [self._begun(dict(zip(self._names["starts"], s, strict=True)), u) for s, u in zip(starts, inputs, strict=True)]

    def step(self, saved: Sequence[bytes], times: Row, dt: float, given: Sequence[Row]) -> list[tuple[bytes, list[float]]]:
        """Give what each member remembers and shows `dt` after its time; NaN, and what it remembered, where it refuses.

        `given` has inputs, then tunable parameters, of each member.
        """
        if self._new:  # it is brought back into an instance that was begun
            self._begun({}, None)
        return [self._stepped(*one, dt) for one in zip(saved, times, given, strict=True)]

    def _begun(self, starts: dict[str, float], u: Row | None) -> tuple[bytes, list[float]]:
        from fmpy.simulation import (
            apply_start_values,
            settable_in_initialization_mode,
            settable_in_instantiated,
        )

        fmu = self._fmu
        if not self._new:
            fmu.terminate()
            fmu.reset()
        self._new = False
        if self._second:
            fmu.setupExperiment(startTime=0.0)
        left = apply_start_values(fmu, self._about, starts, settable=settable_in_instantiated)
        fmu.enterInitializationMode()
        apply_start_values(fmu, self._about, left, settable=settable_in_initialization_mode)
        if u is not None:
            self._set(self._refs["inputs"], u)
        fmu.exitInitializationMode()
        return self._saved(), self._read()

    def _stepped(self, saved: bytes, t: float, given: Row, dt: float) -> tuple[bytes, list[float]]:
        from fmpy.fmi1 import FMICallException

        try:
            self._bring_back(saved)
            self._set(self._refs["inputs"] + self._refs["tunable"], given)
            ended = self._fmu.doStep(t, dt, False)  # its state may be set to one before this
            if ended is not None and ended[1]:
                return saved, [math.nan] * len(self._refs["seen"])
            return self._saved(), self._read()
        except FMICallException:
            return saved, [math.nan] * len(self._refs["seen"])

    def _set(self, refs: list[int], values: Row) -> None:
        if refs:
            (self._fmu.setReal if self._second else self._fmu.setFloat64)(refs, list(values))

    def _read(self) -> list[float]:
        refs = self._refs["seen"]
        return list((self._fmu.getReal if self._second else self._fmu.getFloat64)(refs)) if refs else []

    def _saved(self) -> bytes:
        fmu = self._fmu
        state = fmu.getFMUstate() if self._second else fmu.getFMUState()
        found: bytes = fmu.serializeFMUstate(state) if self._second else fmu.serializeFMUState(state)
        (fmu.freeFMUstate if self._second else fmu.freeFMUState)(state)
        return found

    def _bring_back(self, saved: bytes) -> None:
        fmu = self._fmu
        state = fmu.deSerializeFMUstate(saved) if self._second else fmu.deserializeFMUState(saved)
        (fmu.setFMUstate if self._second else fmu.setFMUState)(state)
        (fmu.freeFMUstate if self._second else fmu.freeFMUState)(state)
