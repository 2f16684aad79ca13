"""An FMU of FMI 3 compiled of C of our own, against the headers that FMPy brings: a bouncing ball, which has events."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from fmu_kit import kept

HERE = Path(__file__).parent / "fmi"
DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="3.0" modelName="ball" instantiationToken="{{1}}">
  {kind}
  <UnitDefinitions><Unit name="cm"><BaseUnit m="1" factor="0.01"/></Unit></UnitDefinitions>
  <ModelVariables>
    <Float64 name="time" valueReference="0" causality="independent" variability="continuous"/>
    <Float64 name="h" valueReference="1" causality="output" variability="continuous" initial="exact" start="1"/>
    <Float64 name="v" valueReference="2" causality="output" variability="continuous" initial="exact" start="0"/>
    <Float64 name="g" valueReference="3" causality="parameter" variability="fixed" initial="exact" start="9.81"/>
    <Float64 name="e" valueReference="4" causality="parameter" variability="tunable" initial="exact" start="0.7"/>
    <Float64 name="der(h)" valueReference="5" causality="local" variability="continuous" derivative="1"/>
    <Float64 name="der(v)" valueReference="6" causality="local" variability="continuous" derivative="2"/>
  </ModelVariables>
  <ModelStructure>
    <Output valueReference="1"/><Output valueReference="2"/>
    <ContinuousStateDerivative valueReference="5"/><ContinuousStateDerivative valueReference="6"/><EventIndicator valueReference="1"/>
  </ModelStructure>
</fmiModelDescription>
"""
KINDS = {
    "ModelExchange": '<ModelExchange modelIdentifier="ball"/>',
    "CoSimulation": '<CoSimulation modelIdentifier="ball" canGetAndSetFMUState="true" canSerializeFMUState="true"/>',
}
KINDS["both"] = KINDS["ModelExchange"] + KINDS["CoSimulation"]


def ball(folder, kind):
    """Build the ball; functions that it has not are there and refuse, for FMPy binds all of them."""
    import fmpy

    if shutil.which("gcc") is None:
        pytest.skip("no C compiler here")

    def build(path):
        headers, source = Path(fmpy.__file__).parent / "c-code", (HERE / "ball.c").read_text()
        named = set(re.findall(r"\b(fmi3\w+)TYPE\b", (headers / "fmi3FunctionTypes.h").read_text()))
        (folder / "rest.c").write_text("".join(f"int {n}(void) {{ return 3; }}\n" for n in sorted(named) if n not in source))
        subprocess.run(["gcc", "-shared", "-fPIC", "-w", f"-I{headers}", HERE / "ball.c", folder / "rest.c", "-o", folder / "ball.so", "-lm"], check=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("modelDescription.xml", DESCRIPTION.format(kind=KINDS[kind]))
            archive.write(folder / "ball.so", "binaries/x86_64-linux/ball.so")

    return kept(folder / f"ball-{kind}.fmu", ("ball", kind, (HERE / "ball.c").read_text(), DESCRIPTION), build)
