"""Whatever FMUs there are run as FMPy runs them: those of our kit, and a folder of others, as the Modelica Association's Reference-FMUs.

`GEMEL_REFERENCE_FMUS` names that folder (docs/models.md); an FMPy that brings some of its own is looked through, too.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from fmu_kit import lag, third

from gemel.dynamics import compile_model
from gemel.dynamics.solve import solve
from gemel.errors import ModelError
from gemel.operate.fmi import Limits, fmu

fmpy = pytest.importorskip("fmpy")
STEPS = 50


def given():
    """Those of the folder that is named, and of FMPy."""
    named = os.environ.get("GEMEL_REFERENCE_FMUS")
    folders = [Path(named)] if named else []
    return sorted(f for folder in (*folders, Path(fmpy.__file__).parent) for f in folder.rglob("*.fmu"))


def same(path):
    """Run it with the inputs it begins with as we do, and as FMPy does; give what differs most, of its size."""
    model = compile_model(fmu(path, Limits(time_s=60.0)))
    about = fmpy.read_model_description(str(path), validate=False)
    experiment = about.defaultExperiment
    stop = float(experiment.stopTime) if experiment is not None and experiment.stopTime is not None else 1.0
    times = np.linspace(0.0, min(stop, 100.0), STEPS + 1)
    found = solve(model, model.x0, model.u0, model.p0, times)
    assert found.ok, found.words
    names = [n for n in (*model.states, *model.outputs)]
    want = fmpy.simulate_fmu(str(path), fmi_type=model.model.kind, start_time=0.0, stop_time=times[-1], output_interval=times[1], output=names,
                             relative_tolerance=1e-8, validate=False)  # fmt: skip
    last = np.append(np.diff(want["time"]) > 0, True)
    ours = np.hstack((found.states, found.outputs))
    theirs = np.stack([np.interp(times, want["time"][last], want[n][last]) * model.model.scales[n][0] + model.model.scales[n][1] for n in names], 1)
    return float((np.abs(ours - theirs) / np.maximum(np.abs(theirs).max(0), 1.0)).max(initial=0.0))


@pytest.mark.parametrize("build", [lag, lambda d: lag(d, "CoSimulation"), lambda d: third(d, "TANK"), lambda d: third(d, "DECAY")])
def test_those_of_the_kit_give_the_same_trajectories_as_fmpy(tmp_path, build):
    assert same(build(tmp_path)) <= 1e-6


@pytest.mark.skipif(not given(), reason="no FMUs here: set GEMEL_REFERENCE_FMUS to a folder of them, as a release of Reference-FMUs")
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
        ran.append(path)
    assert ran, "all of them were refused"
