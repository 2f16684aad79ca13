"""The station as a compiled FMU in FMPy's hands: the same straight-line equations, in C, stepped by Runge–Kutta 4."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.bench.whatif_lines import Lines

STEP_S, DAY_S = 10.0, 86_400.0
WORDS: Final = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}", "neg": "-({0})", "abs": "fabs({0})",
    "max": "({0} > {1} ? {0} : {1})", "min": "({0} < {1} ? {0} : {1})", "sqrt": "sqrt({0})", "fma": "{0} * {1} + {2}",
    "floor": "floor({0})", "round": "nearbyint({0})", "lt": "{0} < {1}", "le": "{0} <= {1}", "gt": "{0} > {1}", "ge": "{0} >= {1}",
    "eq": "{0} == {1}", "ne": "{0} != {1}", "and": "{0} && {1}", "or": "{0} || {1}", "not": "!{0}", "select": "({0} ? {1} : {2})",
    "exp": "exp({0})", "tanh": "tanh({0})", "pow": "pow({0}, {1})",
}  # fmt: skip
ABSENT: Final = "needs fmpy (pip install 'gemel[fmi]') and a C compiler called gcc"


@contextmanager
def runner(model: Any, start: Any) -> Iterator[Callable[[], float] | None]:
    """Hold what simulates a day by FMPy and gives the last level; None where FMPy or a C compiler is absent.

    The FMU is compiled, unpacked and instantiated before: a future is `simulate_fmu` on the instance, stepped and
    recorded every 10 s. Raises CalledProcessError where the compiler fails.
    """
    if find_spec("fmpy") is None or shutil.which("gcc") is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="gemel-bench-fmu-") as folder:
        yield _future(folder, model, start)


def _future(folder: str, model: Any, start: Any) -> Callable[[], float]:
    import fmpy
    import fmpy.fmi2

    description, instance = _loaded(fmpy, _built(Path(folder), model, start))
    inputs = _inputs(model, start)

    def one() -> float:
        instance.reset()
        found = fmpy.simulate_fmu(
            folder, validate=False, stop_time=DAY_S, output_interval=STEP_S, input=inputs, output=["level"],
            model_description=description, fmu_instance=instance, fmi_type="CoSimulation",
        )  # fmt: skip
        return float(found["level"][-1])

    return one


def rates(model: Any, start: Any) -> str:
    """Give the model's rates and starts as a C header."""
    lines = Lines(model)
    body = "\n".join(f"    double {name} = {text};" for name, text in lines.written(WORDS))
    given = ", ".join(repr(float(v)) for v in (*start.x, *start.u, *start.p))
    ends = "\n".join(f"    out[{i}] = {name};" for i, name in enumerate(lines.ends))
    sizes = "\n".join(f"#define {n} {len(v)}" for n, v in (("X", start.x), ("U", start.u), ("P", start.p)))
    head = f"{sizes}\nstatic const double starts[X + U + P] = {{{given}}};"
    return f"{head}\nstatic void rate(const double *x, const double *u, const double *p, double *out) {{\n{body}\n{ends}\n}}\n"


def _inputs(model: Any, start: Any) -> Any:
    """Give the inputs as FMPy takes them: held from hour to hour, by two rows at each step."""
    day, at = start.profiles["demand"], model.inputs.index("demand")
    rows = []
    for (since, value), until in zip(day, [*(s for s, _ in day[1:]), DAY_S], strict=True):
        held = [*start.u]
        held[at] = value
        rows += [(since, *held), (until, *held)]
    return np.array(rows, [("time", float), *((name, float) for name in model.inputs)])


def _built(folder: Path, model: Any, start: Any) -> Path:
    import fmpy

    (folder / "rates.h").write_text(rates(model, start))
    headers, library = Path(fmpy.__file__).parent / "c-code", folder / "station.so"
    source = Path(__file__).with_name("whatif_fmu.c")
    command = ["gcc", "-O2", "-shared", "-fPIC", "-w", f"-I{headers}", f"-I{folder}", str(source), "-o", str(library), "-lm"]
    subprocess.run(command, check=True)
    path = folder / "station.fmu"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("modelDescription.xml", _description(model, start))
        archive.write(library, "binaries/linux64/station.so")
    return path


def _description(model: Any, start: Any) -> str:
    kinds = (("local", "continuous", model.states, start.x), ("input", "continuous", model.inputs, start.u),
             ("parameter", "fixed", model.parameters, start.p))  # fmt: skip
    variables, at = [], 0
    for causality, variability, names, values in kinds:
        for name, value in zip(names, values, strict=True):
            out = causality == "local" and name == "level"
            cause, initial = ("output", "exact") if out else (causality, "exact")
            exact = "" if cause == "input" else f' initial="{initial}"'
            variables.append(f'<ScalarVariable name="{name}" valueReference="{at}" causality="{cause}" variability="{variability}"{exact}>'
                             f'<Real start="{float(value)!r}"/></ScalarVariable>')  # fmt: skip
            at += 1
    level = model.states.index("level") + 1
    return (
        '<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="2.0" modelName="station" guid="{1}">'
        '<CoSimulation modelIdentifier="station"/><ModelVariables>' + "".join(variables) + "</ModelVariables>"
        f'<ModelStructure><Outputs><Unknown index="{level}"/></Outputs></ModelStructure></fmiModelDescription>'
    )


def _loaded(fmpy: Any, path: Path) -> tuple[Any, Any]:
    unpacked = fmpy.extract(str(path), str(path.parent))
    description = fmpy.read_model_description(unpacked, validate=False)
    instance = fmpy.fmi2.FMU2Slave(guid=description.guid, unzipDirectory=unpacked, instanceName="station",
                                   modelIdentifier="station")  # fmt: skip
    instance.instantiate()
    return description, instance
