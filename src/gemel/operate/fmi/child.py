"""The child process in which foreign models run: requests on standard input, answers on standard output.

``python -P -m gemel.operate.fmi.child`` answers one, ``… SECONDS`` one after another, each with its length before it, and is
ended by the system where one takes longer. Whatever a model prints goes to standard error.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from gemel.operate.fmi.exchange import Exchange
from gemel.operate.fmi.steps import Marches, Steps


def main() -> None:
    """Answer one request: a dictionary with `do`, `path` and what that needs. Its sender is our own parent process."""
    answer_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if len(sys.argv) > 1:
        _stay(answer_to, float(sys.argv[1]))
    request: dict[str, Any] = pickle.load(sys.stdin.buffer)  # noqa: S301 - a pipe from the parent, nobody else writes
    pickle.dump(_answered(request), answer_to)
    answer_to.flush()
    os._exit(0)  # an FMU that hangs when it is unloaded is not waited for


def _stay(answer_to: BinaryIO, seconds: float) -> None:
    """Answer until nobody asks any more."""
    while head := sys.stdin.buffer.read(8):
        request = pickle.loads(sys.stdin.buffer.read(int.from_bytes(head)))  # noqa: S301 - as above
        signal.setitimer(signal.ITIMER_REAL, seconds)  # ends this process also where its code never comes back
        data = pickle.dumps(_answered(request))
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        answer_to.write(len(data).to_bytes(8) + data)
        answer_to.flush()
    os._exit(0)


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return VERBS[request.pop("do")](**request)
    except MemoryError:
        return {"error": "it needs more memory than it may have"}
    except ModuleNotFoundError as e:
        return {"error": f"{e.name} is not installed", "remedy": "pip install 'gemel[fmi]'", "code": "fmi-missing"}
    except Exception as e:  # whatever the FMU or its description is
        return {"error": f"{type(e).__name__}: {(str(e).splitlines() or [''])[0]}"}


def described(path: str) -> dict[str, Any]:
    """Give the variables of an FMU, each as a dictionary, and what kinds of simulation it offers."""
    import fmpy

    version = _version(path)
    if version.startswith("1."):
        return {"version": version, "kinds": []}
    description = fmpy.read_model_description(path, validate=False)
    units = {u.name: _unit(u.baseUnit) for u in description.unitDefinitions or [] if u.baseUnit is not None}
    variables = [
        {
            "name": v.name, "causality": v.causality, "unit": v.unit or (v.declaredType.unit if v.declaredType else None),
            "start": v.start, "low": _least(v, "min"), "high": _least(v, "max"), "nominal": v.nominal,
            "description": v.description or "", "state": v.derivative.name if v.derivative is not None else None,
            "tunable": v.causality == "parameter" and v.variability == "tunable",
            "settable": v.causality in {"local", "output"} and v.variability == "continuous" and v.initial == "exact",
        }
        for v in description.modelVariables
        if v.type in {"Real", "Float64", "Float32"} and not v.shape and not v.dimensions
    ]  # fmt: skip
    kinds = [k for k in ("coSimulation", "modelExchange") if getattr(description, k) is not None]
    whole = description.coSimulation
    return {
        "saves": whole is not None and bool(whole.canGetAndSetFMUstate and whole.canSerializeFMUstate),
        "name": description.modelName, "version": description.fmiVersion, "kinds": kinds,
        "variables": variables, "units": units, "events": description.numberOfEventIndicators or 0,
        "platforms": fmpy.supported_platforms(path), "here": fmpy.platform,
    }  # fmt: skip


def _version(path: str) -> str:
    """Give which FMI it is of, without understanding the rest."""
    with zipfile.ZipFile(path) as archive:
        said = re.search(rb"""fmiVersion\s*=\s*["']([^"']+)""", archive.read("modelDescription.xml"))
    return said[1].decode() if said else ""


def _least(variable: Any, key: str) -> float | None:
    value = getattr(variable, key)
    if value is None and variable.declaredType is not None:
        value = getattr(variable.declaredType, key)
    return None if value is None else float(value)


def _unit(base: Any) -> tuple[dict[str, int], float, float]:
    """Give powers of SI units, factor and offset: SI = value * factor + offset (FMI 2.0.4, section 2.2.2)."""
    powers = {k: int(getattr(base, k)) for k in ("kg", "m", "s", "A", "K", "mol", "cd", "rad")}
    return {k: v for k, v in powers.items() if v}, float(base.factor), float(base.offset)


def simulated(path: str, runs: list[dict[str, Any]], patience_s: float, **how: Any) -> dict[str, Any]:
    """Run an FMU by FMPy, as often as there are runs; gives each result by column, and of fewer runs once patience is over."""
    import fmpy

    until, found = time.monotonic() + patience_s, []
    with tempfile.TemporaryDirectory() as folder:
        fmpy.extract(path, folder)
        description = fmpy.read_model_description(folder, validate=False)
        for run in runs:
            found.append(fmpy.simulate_fmu(folder, validate=False, model_description=description, **how, **run))
            if time.monotonic() > until:
                break
    return {"runs": [{name: one[name].copy() for name in one.dtype.names} for one in found]}


def opened(path: str, as_: str, names: dict[str, list[str]]) -> dict[str, Any]:
    """Take an FMU for model exchange, to be evaluated from now on under a name: a sealed one lies elsewhere in plain."""
    import fmpy

    EXCHANGES[as_] = Exchange(fmpy.extract(path, tempfile.mkdtemp()), names)
    return {}


def evaluated(of: str, rows: Any) -> dict[str, Any]:
    """Evaluate an FMU that was opened, at rows of (time, states, inputs, parameters) [n, …]."""
    import numpy as np

    if of not in EXCHANGES:
        return {"closed": True}
    return {"rows": np.array(EXCHANGES[of].rows(rows.tolist()), np.float64).reshape(len(rows), -1)}


def remembered(path: str, as_: str, names: dict[str, list[str]]) -> dict[str, Any]:
    """Take an FMU for co-simulation, to go on with from what it remembers, as `opened`."""
    import fmpy

    STEPS[as_, tuple(names["seen"])] = Steps(fmpy.extract(path, tempfile.mkdtemp()), names)
    return {}


def gone_on(of: str, seen: tuple[str, ...], what: str, how: dict[str, Any]) -> dict[str, Any]:
    """Have members of an FMU that was taken `begin`, or go one `step`."""
    if (of, seen) not in STEPS:
        return {"closed": True}
    return {"members": getattr(STEPS[of, seen], what)(**how)}


def marching(path: str, as_: str, names: dict[str, list[str]]) -> dict[str, Any]:
    """Take an FMU for co-simulation, to go with others from one communication point to the next, as `opened`."""
    import fmpy

    MARCHES[as_] = Marches(fmpy.extract(path, tempfile.mkdtemp()), names)
    return {}


def marched(of: str, what: str, how: dict[str, Any]) -> dict[str, Any]:
    """Have members that go with others `begin`, or go one `step`."""
    if of not in MARCHES:
        return {"closed": True}
    return {"members": getattr(MARCHES[of], what)(**how)}


def looked_at(path: str, evaluate: bool) -> dict[str, Any]:
    """Check a model by its reference ``module:Class``: what it declares, and what is found."""
    from gemel.dynamics.check import check_declared, check_model
    from gemel.dynamics.declared import Declared
    from gemel.dynamics.reference import find_model
    from gemel.dynamics.stiffness import fastest
    from gemel.dynamics.ties import ties
    from gemel.errors import ModelError

    try:
        model = find_model(path)
    except ModelError as e:
        return {"error": e.message, "remedy": e.remedy, "code": e.code}
    found = check_model(model) if evaluate else list(check_declared(model))
    answer: dict[str, Any] = {"findings": [(f.severity, f.code, f.message, f.remedy) for f in found]}
    wrong = any(f.code == "model-quantity" for f in found)
    if wrong:
        return answer
    sound = evaluate and not any(f.severity == "error" for f in found)
    return answer | {"declared": Declared.of(model), "ties": ties(model) if sound else [], "fastest": fastest(model) if sound else 0.0}


EXCHANGES: Final[dict[str, Exchange]] = {}
STEPS: Final[dict[tuple[str, tuple[str, ...]], Steps]] = {}
MARCHES: Final[dict[str, Marches]] = {}
VERBS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "describe": described, "simulate": simulated, "check": looked_at, "open": opened, "evaluate": evaluated,
    "remember": remembered, "go_on": gone_on, "marching": marching, "march": marched,
}  # fmt: skip

if __name__ == "__main__":
    main()
