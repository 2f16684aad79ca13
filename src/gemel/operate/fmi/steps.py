"""In the child: an FMU for co-simulation gone on with from what it remembered: its state, saved and brought back (FMI 2.0.4, 4.2.1; FMI 3.0, 2.2.10.4).

One instance serves any number of members: each is brought back into it, goes one step, and is saved again as bytes. `Marches` are
members that are not saved: each has an instance of its own, and all of them go from one communication point to the next.
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
        self.alone: bool = self._about.coSimulation.canBeInstantiatedOnlyOncePerProcess

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

    def started(self, starts: dict[str, float], u: Row | None) -> list[float]:
        """Begin the instance at time 0, anew where it was begun before; give what it shows."""
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
        return self._read()

    def went(self, t: float, dt: float, given: Row, *, onward: bool) -> list[float]:
        """Go one step, and give what it shows; NaN where it refuses. `onward`: nobody will set its state to one before."""
        from fmpy.fmi1 import FMICallException

        try:
            self._set(self._refs["inputs"] + self._refs["tunable"], given)
            ended = self._fmu.doStep(t, dt, onward)
        except FMICallException:
            return [math.nan] * len(self._refs["seen"])
        return [math.nan] * len(self._refs["seen"]) if ended is not None and ended[1] else self._read()

    def _begun(self, starts: dict[str, float], u: Row | None) -> tuple[bytes, list[float]]:
        shown = self.started(starts, u)
        return self._saved(), shown

    def _stepped(self, saved: bytes, t: float, given: Row, dt: float) -> tuple[bytes, list[float]]:
        self._bring_back(saved)
        shown = self.went(t, dt, given, onward=False)
        return (saved if any(map(math.isnan, shown)) else self._saved()), shown

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


class Marches:
    """Members of one FMU, each with an instance of its own; as of `Steps`.

    Raises where the FMU can be instantiated only once in a process, and more than one is asked for.
    """

    def __init__(self, folder: str, names: dict[str, list[str]]) -> None:
        self._of, self._each = (folder, names), list[Steps]()

    def begin(self, starts: Sequence[Row], inputs: Sequence[Row]) -> list[list[float]]:
        """Give what each member shows at time 0, of its starts and inputs."""
        while len(self._each) < len(starts):
            self._each.append(Steps(*self._of))
            if len(starts) > 1 and self._each[-1].alone:
                raise ValueError("it can be instantiated only once in a process, and more than one member is asked for")
        named = [dict(zip(self._of[1]["starts"], row, strict=True)) for row in starts]
        return [one.started(s, u) for one, s, u in zip(self._each, named, inputs, strict=False)]

    def step(self, t: float, dt: float, given: Sequence[Row]) -> list[list[float]]:
        """Give what each member shows `dt` after `t`; NaN where it refuses."""
        return [one.went(t, dt, row, onward=True) for one, row in zip(self._each, given, strict=False)]
