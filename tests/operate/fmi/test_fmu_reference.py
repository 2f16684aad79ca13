"""Whatever FMUs there are run as FMPy runs them: those of our kit, and others: what OpenModelica exported, the Modelica Association's Reference-FMUs.

`make test` puts the former into `fmus` of its environment (a package of test data, of which nothing is imported); `GEMEL_REFERENCE_FMUS` names
a folder of more (docs/models.md).
"""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from fmu_kit import lag, third

from gemel.dynamics import compile_model
from gemel.dynamics.solution import Profile
from gemel.errors import ModelError
from gemel.operate.fmi import Limits, fmu

fmpy = pytest.importorskip("fmpy")
STEPS = 50
RISE = 0.1  # of an input's size
OPENMODELICA = {"MassSpringSystem.fmu", "MassSpringSubSystem1.fmu", "MassSpringSubSystem2.fmu", "Mass_Damper.fmu", "add.fmu", "ramp.fmu"}
MOVED = {}


def given():
    """Those of the folder that is named, and of the environment; each content once."""
    named = os.environ.get("GEMEL_REFERENCE_FMUS")
    folders = [*([Path(named)] if named else []), Path(sys.prefix) / "fmus", Path(fmpy.__file__).parent]
    found = sorted(f for folder in folders for f in folder.rglob("*.fmu"))
    return list({hashlib.sha256(f.read_bytes()).digest(): f for f in reversed(found)}.values())


def same(path):
    """Run it along inputs that rise from what they begin with as we do, and as FMPy does; give what differs most, of its size."""
    model = compile_model(fmu(path, Limits(time_s=60.0)))
    about = fmpy.read_model_description(str(path), validate=False)
    experiment = about.defaultExperiment
    stop = float(experiment.stopTime) if experiment is not None and experiment.stopTime is not None else 1.0
    times = np.linspace(0.0, min(stop, 100.0), STEPS + 1)
    u = model.u0 + np.outer(np.arange(STEPS + 1) / STEPS, RISE * model.scales("inputs"))
    found = model.model.free_run(model.x0, Profile(times, u, "linear"), model.p0, times)
    assert found.ok, found.words
    names = [n for n in (*model.states, *model.outputs)]
    inputs = np.zeros(len(times), [("time", float), *((n, float) for n in model.inputs)])
    inputs["time"] = times
    for n, values in zip(model.inputs, u.T, strict=True):
        inputs[n] = (values - model.model.scales[n][1]) / model.model.scales[n][0]
    want = fmpy.simulate_fmu(str(path), fmi_type=model.model.kind, start_time=0.0, stop_time=times[-1], output_interval=times[1], output=names,
                             input=inputs if model.inputs else None, relative_tolerance=1e-8, validate=False)  # fmt: skip
    last = np.append(np.diff(want["time"]) > 0, True)
    ours = np.hstack((found.states, found.outputs))
    theirs = np.stack([np.interp(times, want["time"][last], want[n][last]) * model.model.scales[n][0] + model.model.scales[n][1] for n in names], 1)
    MOVED[path.name] = float(np.ptp(theirs, 0).max(initial=0.0))
    return float((np.abs(ours - theirs) / np.maximum(np.abs(theirs).max(0), 1.0)).max(initial=0.0))


@pytest.mark.parametrize("build", [lag, lambda d: lag(d, "CoSimulation"), lambda d: third(d, "TANK"), lambda d: third(d, "DECAY")])
def test_those_of_the_kit_give_the_same_trajectories_as_fmpy(tmp_path, build):
    assert same(build(tmp_path)) <= 1e-6


@pytest.mark.skipif(not given(), reason="no FMUs here: `make test` fetches some, or GEMEL_REFERENCE_FMUS names a folder of them, as a release of Reference-FMUs")
def test_those_of_a_folder_give_the_same_trajectories_as_fmpy_or_are_refused_in_words():
    ran = []
    for path in given():
        try:
            off = same(path)
        except ModelError as e:
            assert e.code == "fmu", f"{path}: {e}"
            assert e.remedy
            continue
        assert off <= 1e-6, f"{path}: {off:g}"
        ran.append(path.name)
    assert ran, "all of them were refused"
    if (Path(sys.prefix) / "fmus").is_dir():
        assert set(ran) >= OPENMODELICA
        assert min(MOVED[name] for name in OPENMODELICA) > 1e-3
