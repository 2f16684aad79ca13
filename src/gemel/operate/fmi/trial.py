"""What `gemel check` finds of an FMU that a plant file names: it is described, loaded and run a little, in a child with limits.

The answer has the shape of the child's verb ``check``, so that whoever asks need not know what kind of model it is.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np

from gemel.dynamics import DynamicModel, compile_model
from gemel.dynamics.declared import Declared
from gemel.dynamics.solution import Profile
from gemel.dynamics.solve import solve
from gemel.errors import ModelError
from gemel.operate.fmi.host import Limits
from gemel.operate.fmi.model import FmuModel
from gemel.operate.fmi.remembered import BACK, Remembered, room
from gemel.scenarios.foreign import alike

STEPS: Final = 10
STEP_S: Final = 1.0
SAME: Final = 1e-9
MOVED: Final = 0.1  # of an input's size
TRIED: Final = Limits(time_s=20.0, memory_bytes=4_000_000_000)
Finding = tuple[str, str, str, str]  # severity, code, words, remedy
SEEN: Final = "its code is run with limits of time and memory; try it alone with `fmpy simulate`"


def tried(model: FmuModel, evaluate: bool) -> dict[str, Any]:
    """Run an FMU for a few seconds from its own start; `evaluate`: also its equations, which needs JAX."""
    found = _run(model)
    if evaluate and not found and model.exchanged:
        found = _evaluated(model)
    if not found and model.saves:
        found = _brought_back(model)
    if not found and model.states:
        found = _begun_anew(model)
    if not found and model.saves:
        found = _large(model)
    return {"findings": found, "declared": Declared.of(cast(DynamicModel, model)), "fmu": model}


def refused(e: ModelError) -> dict[str, Any]:
    """Give what is told where an FMU cannot be used at all."""
    return {"error": e.message, "remedy": e.remedy, "code": e.code}


def _run(model: FmuModel) -> list[Finding]:
    compiled = compile_model(cast(DynamicModel, model))
    end = solve(compiled, compiled.x0, compiled.u0, compiled.p0, np.arange(STEPS + 1) * STEP_S)
    if end.ok:
        return []
    if end.status != "child":
        return [("error", "fmu", f"{end.words}, with the inputs it begins with", "give its inputs a start that it can run with")]
    return [("error", "fmu", end.words.partition(": ")[2] or end.words, SEEN)]


def _brought_back(model: FmuModel) -> list[Finding]:
    """Go two steps, and go them again from what was saved."""
    start = compile_model(cast(DynamicModel, model))
    x, given = start.x0[None], (start.u0[None], start.p0[None])
    try:
        of = Remembered(model, _seen(model))
        memory, _ = of.begin(x, *given)
        after, first = of.step(memory, np.zeros(1), STEP_S, given)
        second = of.step(after, np.full(1, STEP_S), STEP_S, given)[1]
        again = [of.step(memory, np.zeros(1), STEP_S, given)[1], of.step(after, np.full(1, STEP_S), STEP_S, given)[1]]
    except ModelError as e:
        return [("warning", e.code, f"it says that it saves its state, and: {e.message}", "it cannot be followed; see what it does")]
    if np.allclose((first, second), again, rtol=SAME, atol=SAME):
        return []
    words = "what it saves of its state does not bring it back: gone on with from there it comes to something else"
    return [("warning", "fmu", words, "do not have it followed; tell its maker")]


def _seen(model: FmuModel) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*model.states, *model.outputs)))


def _large(model: FmuModel) -> list[Finding]:
    start = compile_model(cast(DynamicModel, model))
    memory, _ = Remembered(model, _seen(model)).begin(start.x0[None], start.u0[None], start.p0[None])
    size = memory.shape[1]
    members, back = room(size)
    if back == BACK:
        return []
    words = f"what it remembers takes {size / 1000:.0f} kB: where it is followed, {members} members are kept, and late readings of {back} instants are taken"
    return [("warning", "fmu", words, "export it with less that it remembers, or for model exchange, to have 128 members and 10 instants")]


def _begun_anew(model: FmuModel) -> list[Finding]:
    """Run it along inputs that step, and again begun anew half-way from its states."""
    m, half = compile_model(cast(DynamicModel, model)), STEPS // 2
    at, moved = np.arange(STEPS + 1, dtype=np.float64) * STEP_S, np.clip(m.u0 + MOVED * m.scales("inputs"), *m.bounds("inputs"))
    inputs = np.where((np.arange(STEPS) < 2)[:, None], moved, m.u0)
    (whole,) = model.free_runs([(m.x0, Profile(at[:-1], inputs), m.p0)], at)
    if not whole.ok:
        return []  # such inputs are perhaps not for it
    (anew,) = model.free_runs([(whole.states[half], Profile(at[half:-1], inputs[half:]), m.p0)], at[half:])
    if alike(whole.states[half:], anew.states) and alike(whole.outputs[half:], anew.outputs):
        return []
    words = "it remembers more than its states: begun anew from them it comes to something else, so that a what-if cannot set them on the way"
    return [("warning", "fmu", words, "have all that it remembers be among the states that it tells")]


def _evaluated(model: FmuModel) -> list[Finding]:
    compiled = compile_model(cast(DynamicModel, model))
    try:
        rate = np.asarray(compiled.rate(0.0, compiled.x0, compiled.u0, compiled.p0))
    except ModelError as e:
        return [("error", e.code, e.message, e.remedy)]
    except Exception as e:  # JAX has words of its own for what is raised below it
        return [("error", "fmu", str(e).strip().splitlines()[-1], SEEN)]
    bad = [n for n, r in zip(model.states, rate, strict=True) if not np.isfinite(r)]
    return [("error", "fmu", f"the rate of {n} is no number at the start", SEEN) for n in bad]
