"""In the child: an FMU for model exchange evaluated at points of time, state, inputs and parameters (FMI 2.0.4, 3.2; FMI 3.0, 3.2).

Each set of parameters has an instance of its own, initialised with it, for parameters may be set before that only. Where the
FMU has events, its discrete variables are brought to each point by an update of the event mode.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from ctypes import c_double
from typing import Any, Final

INSTANCES: Final = 64
UPDATES: Final = 100  # of the discrete variables at one point


class Exchange:
    """One FMU, unpacked.

    Args:
        folder: with its content.
        names: of its ``states``, ``inputs``, ``outputs``, ``parameters``, in the order of the rows.
    """

    def __init__(self, folder: str, names: dict[str, list[str]]) -> None:
        import fmpy

        self._folder, self._names = folder, names
        self._about = fmpy.read_model_description(folder, validate=False)
        by_name = {v.name: v for v in self._about.modelVariables}
        self._refs = {kind: [by_name[n].valueReference for n in some] for kind, some in names.items()}
        own = [unknown.variable.derivative.name for unknown in self._about.derivatives]
        self._order = [names["states"].index(name) for name in own]
        discrete = any(by_name[n].variability == "discrete" for n in names["inputs"])
        self._second = self._about.fmiVersion.startswith("2")
        once = self._about.modelExchange.canBeInstantiatedOnlyOncePerProcess
        self._most = 1 if once else INSTANCES
        self._eventful = discrete or self._about.numberOfEventIndicators > 0
        self._kept: OrderedDict[tuple[float, ...], Any] = OrderedDict()

    def rows(self, rows: list[list[float]]) -> list[list[float]]:
        """Give rates, then outputs, of each row (time, states, inputs, parameters), in the FMU's units; NaN where it refuses."""
        x, u = 1 + len(self._order), 1 + len(self._order) + len(self._refs["inputs"])
        return [self._row(row[0], tuple(row[1:x]), tuple(row[x:u]), tuple(row[u:])) for row in rows]

    def _row(self, t: float, x: tuple[float, ...], u: tuple[float, ...], p: tuple[float, ...]) -> list[float]:
        from fmpy.fmi1 import FMICallException

        try:
            return self._at(self._instance(p), t, x, u)
        except FMICallException:
            self._kept.pop(p, None)  # it may stand in no mode that one can go on from
            return [math.nan] * (len(x) + len(self._refs["outputs"]))

    def _at(self, fmu: Any, t: float, x: tuple[float, ...], u: tuple[float, ...]) -> list[float]:
        fmu.setTime(t)
        n = len(x)
        if n:
            fmu.setContinuousStates((c_double * n)(*(x[i] for i in self._order)), n)
        if self._eventful:
            fmu.enterEventMode()
            self._set(fmu, self._refs["inputs"], u)
            self._settled(fmu)
        else:
            self._set(fmu, self._refs["inputs"], u)
        own, found = (c_double * n)(), [0.0] * n
        if n:
            (fmu.getDerivatives if self._second else fmu.getContinuousStateDerivatives)(own, n)
        for place, rate in zip(self._order, own, strict=True):
            found[place] = rate
        return found + self._read(fmu, self._refs["outputs"])

    def _instance(self, p: tuple[float, ...]) -> Any:
        """Give the instance of some parameters; the one longest unused makes room."""
        if p in self._kept:
            self._kept.move_to_end(p)
            return self._kept[p]
        if len(self._kept) >= self._most:
            _, fmu = self._kept.popitem(last=False)
            fmu.terminate()
            fmu.reset()
        else:
            fmu = self._made()
        self._begin(fmu, dict(zip(self._names["parameters"], p, strict=True)))
        self._kept[p] = fmu
        return fmu

    def _made(self) -> Any:
        from fmpy.simulation import instantiate_fmu

        return instantiate_fmu(self._folder, self._about, "ModelExchange")

    def _begin(self, fmu: Any, given: dict[str, float]) -> None:
        from fmpy.simulation import (
            apply_start_values,
            settable_in_initialization_mode,
            settable_in_instantiated,
        )

        if self._second:
            fmu.setupExperiment(startTime=0.0)
        left = apply_start_values(fmu, self._about, given, settable=settable_in_instantiated)
        fmu.enterInitializationMode()
        apply_start_values(fmu, self._about, left, settable=settable_in_initialization_mode)
        fmu.exitInitializationMode()
        self._settled(fmu)

    def _settled(self, fmu: Any) -> None:
        update = fmu.newDiscreteStates if self._second else fmu.updateDiscreteStates
        for _ in range(UPDATES):
            if not update()[0]:
                break
        fmu.enterContinuousTimeMode()

    def _set(self, fmu: Any, refs: list[int], values: tuple[float, ...]) -> None:
        if refs:
            (fmu.setReal if self._second else fmu.setFloat64)(refs, values)

    def _read(self, fmu: Any, refs: list[int]) -> list[float]:
        return list((fmu.getReal if self._second else fmu.getFloat64)(refs)) if refs else []
