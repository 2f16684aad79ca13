"""FMUs made on the fly: a first-order lag of FMI 2, compiled of C, and those of `fmi/slaves.py`, of FMI 3; and a plant that names one."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gemel.dynamics import Quantity

HERE = Path(__file__).parent / "fmi"
_spec = importlib.util.spec_from_file_location("fmi_slaves", HERE / "slaves.py")
slaves = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(slaves)

DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="{version}" modelName="decay" guid="{{1}}" numberOfEventIndicators="0">
  {kind}
  <UnitDefinitions>
    <Unit name="degC"><BaseUnit K="1" offset="273.15"/></Unit>
    <Unit name="min"><BaseUnit s="1" factor="60"/></Unit>
  </UnitDefinitions>
  <DefaultExperiment startTime="0" stopTime="1e8"/>
  <ModelVariables>
    <ScalarVariable name="x" valueReference="0" causality="output" variability="continuous" initial="{initial}"><Real{start} unit="degC"/></ScalarVariable>
    <ScalarVariable name="u" valueReference="1" causality="input" variability="continuous"><Real start="0" unit="degC"/></ScalarVariable>
    <ScalarVariable name="lag" valueReference="2" causality="parameter" variability="fixed" initial="exact"><Real start="1" min="0.01" unit="min"/></ScalarVariable>
    <ScalarVariable name="gain" valueReference="3" causality="parameter" variability="{gain}" initial="exact"><Real start="1"/></ScalarVariable>
    <ScalarVariable name="der(x)" valueReference="4" causality="local" variability="continuous"><Real derivative="1"/></ScalarVariable>{shell}
  </ModelVariables>
  <ModelStructure><Outputs><Unknown index="1"/>{shown}</Outputs><Derivatives><Unknown index="5"/></Derivatives>
    <InitialUnknowns><Unknown index="5"/></InitialUnknowns></ModelStructure>
</fmiModelDescription>
"""


SHELL = """
    <ScalarVariable name="shell" valueReference="5" causality="output" variability="continuous" initial="exact"><Real start="20" unit="degC"/></ScalarVariable>"""

BUILT: list[Path] = []
"""Where those lie that were built already in this run of the tests, by all that they are built of; `conftest.py` names it."""


def kept(path, of, build):
    """Build an FMU, or take it where it was built before; worker processes may build the same one at a time, the last one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not BUILT:
        build(path)
        return path
    before = BUILT[0] / f"{hashlib.sha256(repr(of).encode()).hexdigest()}.fmu"
    if not before.exists():
        build(path)
        mine = before.with_suffix(f".{os.getpid()}")
        shutil.copy(path, mine)
        mine.replace(before)
    else:
        shutil.copy(before, path)
    return path


def lag(folder, kind="ModelExchange", *, version="2.0", binaries="linux64", initial="exact", body=None, name="lag.fmu", saves=False, gain="fixed", shell=False, takes=1):
    """Build the lag: lag dx/dt = gain u - x, x and u in degC, lag in min.

    `body` replaces the rate in C; `saves`: it says that its state can be got, set and written; `shell`: it shows that too, which follows x within 2 min;
    `takes`: so many bytes more its state takes.
    """
    import fmpy

    if shutil.which("gcc") is None:
        pytest.skip("no C compiler here")
    def build(path):
        source = (HERE / "decay.c").read_text()
        if body is not None:
            source = source.replace("return (m->gain * m->u - m->x) / (60.0 * m->lag);", body)
        (folder / "decay.c").write_text(source)
        library = folder / "decay.so"
        headers = Path(fmpy.__file__).parent / "c-code"
        subprocess.run(["gcc", "-shared", "-fPIC", "-w", f"-DMORE={takes}", f"-I{headers}", folder / "decay.c", "-o", library, "-lm"], check=True)
        start = ' start="20"' if initial == "exact" else ""
        more = {"shell": SHELL if shell else "", "shown": '<Unknown index="6"/>' if shell else ""}
        able = ' canGetAndSetFMUstate="true" canSerializeFMUstate="true"' if saves else ""
        kinds = "".join(f'<{k} modelIdentifier="decay"{able}/>' for k in kind.split("+"))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("modelDescription.xml", DESCRIPTION.format(kind=kinds, version=version, initial=initial, start=start, gain=gain, **more))
            archive.write(library, f"binaries/{binaries}/decay.so")
        for left in (library, folder / "decay.c"):
            left.unlink()

    return kept(folder / name, ("lag", kind, version, binaries, initial, body, saves, gain, shell, takes), build)


def third(folder, name, **able):
    """Build one of `slaves`, of FMI 3; `able`: what else it says that it can."""
    from pythonfmu3 import FmuBuilder

    def build(path):
        source = folder / f"{name.lower()}.py"
        source.write_text(getattr(slaves, name))
        (folder / FmuBuilder.build_FMU(source, dest=folder, **able)).rename(path)
        source.unlink()

    return kept(folder / f"{name.lower()}.fmu", ("third", name, able), build)


ZERO = 273.15


class Lag:
    """The equations of `lag` in Python."""

    states = {"x": Quantity("K", ZERO + 20)}
    inputs = {"u": Quantity("K", ZERO)}
    outputs = {"x": Quantity("K")}
    parameters = {"lag": Quantity("s", 60.0, low=0.6), "gain": Quantity("1", 1.0)}

    def derivative(self, t, x, u, p):
        return {"x": (p.gain * (u.u - ZERO) - (x.x - ZERO)) / p.lag}

    def output(self, t, x, u, p):
        return {"x": x.x}


PLANT = """{head}types:
  Heater:
    dynamics: {{fmu: models/lag.fmu, names: {{x: temperature, u: supply}}}}
{followed}    signals:
      temperature: {{unit: degC, range: [-50, 200], accuracy: 0.1 degC{temperature}}}
      supply: {{unit: degC, range: [-50, 200]}}
{signals}    parameters:
      lag: {{unit: s, default: 120, range: [10, 1000], calibrate: true}}
{more}assets:
  heater-1: {{type: Heater, at: hall}}
"""


FOLLOWED = {
    "followed": '    estimates: {every: 1 s}\n    source: {from: field, topic: "heaters/{asset}/{signal}"}\n',
    "temperature": ", estimated: {dynamics: true}", "signals": '      gain: {unit: "1", range: [0.1, 3], dynamics: true}\n',
}  # fmt: skip
"""For `plant`: a filter follows the heater, and tells a gain that nothing measures."""


DT = 10  # seconds from instant to instant of `course`


def course(steps, gain=1.2):
    """Give what a heater of that gain is supplied with, its temperature, and that as it is read [degC]."""
    rng = np.random.default_rng(3)
    supply = np.repeat(rng.uniform(20, 90, steps // 20), 20)
    x = np.empty(steps)
    now = 40.0
    for i in range(steps):
        x[i] = now
        now = gain * supply[i] + (now - gain * supply[i]) * np.exp(-DT / 120)
    return supply, x, x + 0.1 * rng.standard_normal(steps)


def plant(folder, fmu=None, *, temperature="", signals="", more="", head="plant: acme/site\n", followed=""):
    """Write a plant whose type names an FMU, by default the lag for model exchange; gives its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(PLANT.format(head=head, followed=followed, temperature=temperature, signals=signals, more=more))
    (folder / "models").mkdir(exist_ok=True)
    if fmu is None:
        lag(folder / "models")
    else:
        shutil.copy(fmu, folder / "models" / "lag.fmu")
    return folder
