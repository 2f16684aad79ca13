"""A calibration as a job: from a machine and its readings to a spec, and from a spec to what the gate says.

    machine, champion, readings (by digest), what is chosen of them ─► spec
    spec ─► records ─► what it may learn from ─► fit ─► free runs of challenger and champion on what neither has seen ─► gate

Pure: the same spec and bytes give the same result. It releases nothing; a version comes into force by a fact alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np

from gemel import __version__
from gemel.assets.spec import Calibrating
from gemel.errors import ModelError
from gemel.estimate.calibrate import Settings
from gemel.estimate.free_run import free_run
from gemel.estimate.gate import compare
from gemel.estimate.record import Record, on_grid
from gemel.estimate.regimes import Choice, Regimes, choose, words
from gemel.operate import following, hybrids
from gemel.operate.blaming import OFF, Attribution, attribute
from gemel.operate.calibrating import (
    LONGEST,
    Calibration,
    calibrate,
    gate_told,
    left_over,
    released_body,
    scored,
    with_hybrid,
)
from gemel.operate.eliminating import changed_meanwhile, confirmed
from gemel.operate.fmi.coupled import as_a_whole
from gemel.operate.hybrid_alone import UNKNOWN, alone
from gemel.operate.machine import Machine, chosen, parameters_to
from gemel.operate.machine_kept import kept, machine_again
from gemel.operate.models_source import named, same
from gemel.operate.readings_kept import unpacked
from gemel.samples.clock import SECOND

Told = Callable[[float], bool]
READ, FITTED, JUDGED = 0.05, 0.75, 0.95  # how far it is when that is done
DOUBT: Final = 0.1  # probability that it is a sensor, from which on what that one alone says waits for a person
USUAL_STEPS: Final = 30  # linearisations that a fit usually takes
MOST_STEPS: Final = 200_000  # of all records together; more is a wrong step, not more knowledge


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of a calibration.

    Args:
        parameters: to fit; those marked `calibrate` where none is named.
        step_s: of the fit [s]; the usual distance of the first output's readings, if left out.
        unseen: share of the chosen data, the newest, that is judged on and not fitted.
        running: by signal, between which values (its own unit) the machine runs.
        regimes: by signal, edges (its own unit) between regimes.
        block_s: length of the blocks that data are chosen in [s]; a twentieth of all, if left out.
        most: blocks of each regime, the newest.
        lead, starts, seed: as `gemel calibrate` has them.
        lead_s: the same as `lead`, as a time [s]; it goes before.
        blamed: signals that somebody holds wrong: the gate lets nothing through that they say.
        blame: whether, of what the gate would let in, it is asked who is wrong in the readings.
        hybrid: whether what the fit leaves over is learned too.
    """

    parameters: tuple[str, ...] = ()
    step_s: float | None = None
    unseen: float = 0.3
    running: dict[str, tuple[float | None, float | None]] = {}
    regimes: dict[str, list[float]] = {}
    block_s: float | None = None
    most: int = 10_000
    lead: int = 10
    lead_s: float | None = None
    starts: int = 3
    seed: int = 0
    blamed: tuple[str, ...] = ()
    blame: bool = True
    hybrid: bool = False


def wish(given: Mapping[str, Any], terms: Calibrating | None = None) -> Wish:
    """Read a wish; of what it does not say, the terms of the plant file count. Raises ModelError where it cannot be."""
    usual = {} if terms is None else {k: v for k, v in following.wish(terms).items() if k != "lead_s" or "lead" not in given}
    try:
        return msgspec.convert(usual | dict(given), Wish, strict=False)
    except msgspec.ValidationError as e:
        raise ModelError(
            f"the wish cannot be read: {e}", code="bad-calibration", remedy="see docs/calibration.md"
        ) from e


def spec(
    machine: Machine, asked: Wish, span: tuple[int, int], attached: str, champion: Mapping[str, Any] | None = None,
    *, shadow: Mapping[str, Any] | None = None, good: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Give all that the result of a calibration follows from.

    Args:
        machine: as the plant file has it.
        asked: what is wanted.
        span: of the readings [ns].
        attached: digest of the readings.
        champion: the version in force, as `GET /releases` gives it; none: the plant file's.
        shadow: who runs beside it, the body of a release; judged on the same unseen data.
        good: whether the readings that the champion was fitted to follow those of the span, line by line.

    Raises ModelError where a parameter or signal is not the model's.
    """
    free = chosen(machine, asked.parameters)
    _regimes(machine, asked)
    values = dict(champion["values"]) if champion else {}
    hold = max((line.spec.stale_after_ns for line in machine.inputs), default=0) / SECOND
    return {
        "asset": machine.asset, "machine": kept(replace(machine, p=parameters_to(machine, values))), "span": list(span),
        "wish": msgspec.to_builtins(msgspec.structs.replace(asked, parameters=free)), "hold_s": hold, "attached": attached,
        "champion": {"version": champion["version"] if champion else 0, "until_s": _until(champion)} | _hybrid(champion),
        "shadow": {"values": dict(shadow.get("values") or values), "until_s": _until(shadow)} | _hybrid(shadow) if shadow else None,
        "good": good, "versions": {"gemel": __version__, **named(machine.reference)},
    }  # fmt: skip


def _hybrid(version: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the corrections that go with a version, where it has some."""
    found = {key: (version or {}).get(key) for key in ("hybrid", "hybrid_version")}
    return {key: value for key, value in found.items() if value}


def run(given: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Calibrate; raises ModelError where the data give nothing to fit."""
    machine, asked = machine_again(given["machine"]), wish(given["wish"])
    same(given["versions"].get("models", {}))
    records, good = _records(machine, given)
    shadow = given.get("shadow")
    ends = [e["until_s"] for e in (given["champion"], shadow) if e and e["until_s"] is not None]
    picked, what = _picked(machine, asked, records, max(ends, default=None))
    _go_on(told, READ)
    found = calibrate(
        machine, asked.parameters, picked.fitted, picked.unseen, lead=_lead(asked, records[0].dt),
        settings=Settings(starts=asked.starts, seed=asked.seed, substeps=0), blamed=asked.blamed, on_step=_steps(told, asked.starts),
    )  # fmt: skip
    found = replace(found, offered=picked.good, stands=given["champion"].get("hybrid", {}))
    if asked.hybrid and picked.unseen:
        found = with_hybrid(found)
    found, who, unsure = attributed(found, asked, (good, records), lambda: _go_on(told, FITTED))
    _go_on(told, JUDGED)
    stood = _beside(machine, found, picked.unseen, shadow)
    answer = found.told() | stood | {"champion": given["champion"]["version"], "chosen": _chosen(picked, what), "versions": given["versions"]}
    answer |= {"attribution": who, "unconfirmed": unsure}
    body = released_body(found, ["history"]) | {"champion": answer["champion"], "unconfirmed": unsure}
    return answer | {"release": body, "alone": _alone(found, asked, given["champion"], (good, records))}


def _lead(asked: Wish, dt: float) -> int:
    return asked.lead if asked.lead_s is None else max(round(asked.lead_s / dt), 1)


def _alone(
    found: Calibration, asked: Wish, champion: Mapping[str, Any], then_and_now: tuple[Sequence[Record], Sequence[Record]]
) -> dict[str, Any] | None:
    """Learn beside the parameters in force, where others do not come in for another reason than a sensor, or data of two machines."""
    if not (asked.hybrid and found.unseen) or found.blamed or found.changed or found.verdict.passed:
        return None
    first = alone(found, champion, ["history"])
    if first is None or not first["gate"]["passed"] or not asked.blame:
        return first
    who = _against_then(found, asked, *then_and_now)
    return alone(found, champion, ["history"], blamed=who.blamed if who else (), known=who is not None)


def _beside(machine: Machine, found: Calibration, unseen: Sequence[Record], shadow: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the scores of all who ran free on the unseen data, and what the gate says of who runs in shadow."""
    runs = {"champion": found.answers_before, "challenger": found.answers}
    told: dict[str, Any] = {}
    if shadow is not None:
        p, substeps = parameters_to(machine, shadow["values"]), found.fit.settings.substeps
        plain = [(r, free_run(machine.model, p, r, lead=found.lead, substeps=substeps, sigma=left_over(found.fit))) for r in unseen]
        runs["shadow"] = hybrids.answers(machine, p, plain, shadow.get("hybrid", {}), substeps)
        told["shadow"] = gate_told(compare(runs["shadow"], found.answers_before))
        told["challenger"] = gate_told(compare(found.answers, runs["shadow"]))
    return told | {"scores": {who: scored(machine, some) for who, some in runs.items()}}


def attributed(
    found: Calibration, asked: Wish, then_and_now: tuple[Sequence[Record], Sequence[Record]], on_step: Callable[[], None]
) -> tuple[Calibration, dict[str, Any] | None, list[str]]:
    """Ask who is wrong, of what the gate would let in: a sensor that is blamed goes to the gate, and so does a machine that changed meanwhile.

    Returns:
        The calibration, what was found, and, where no time is known when all was right, of what no second sensor speaks.
    """
    if not (asked.blame and found.verdict.passed):
        return found, None, []
    found, told, unsure = _blamed(found, asked, then_and_now, on_step)
    if not found.blamed:  # one that drifts makes quarters differ, and is the better word for it
        found = replace(found, changed=changed_meanwhile(found, on_step))
    return found, told, unsure


def _blamed(
    found: Calibration, asked: Wish, then_and_now: tuple[Sequence[Record], Sequence[Record]], on_step: Callable[[], None]
) -> tuple[Calibration, dict[str, Any], list[str]]:
    said = confirmed(found, on_step)
    told: dict[str, Any] = {"without": said.told}
    if said.blamed:
        words = f"the readings of the others deny {said.blamed[0]}"
        return replace(found, blamed=(*found.blamed, *said.blamed)), told | {"raised": True, "words": words}, []
    who = _against_then(found, asked, *then_and_now)
    if who is None:
        unsure = [*said.alone, *([UNKNOWN] if any(h.helps for h in found.hybrids) else [])]
        return found, told | {"raised": False, "words": "; ".join(unsure) or "each change is confirmed by a second sensor"}, unsure
    unsure = list(said.alone) if _may_be_sensor(who.told) else []
    return replace(found, blamed=(*found.blamed, *who.blamed)), told | who.told, unsure


def _may_be_sensor(told: Mapping[str, Any]) -> bool:
    """Tell whether readings that left their band may be a sensor's doing: then a parameter that it alone tells waits for a person."""
    suspects = told.get("suspects", ()) if told.get("raised") else ()
    of_sensors = (s["probability"] for s in suspects if s["kind"] == "sensor" or (s["kind"] == "model" and s["name"].startswith(OFF)))
    return bool(sum(of_sensors) >= DOUBT)


def _against_then(found: Calibration, asked: Wish, good: Sequence[Record], recent: Sequence[Record]) -> Attribution | None:
    """Hold the readings against those of a time when all was right; None where that is not known, or no filter follows the model."""
    if not good or as_a_whole(found.machine.model.model):
        return None
    return attribute(found.machine, good, recent, asked.parameters, found.fit.settings.substeps)


def _records(machine: Machine, given: Mapping[str, Any]) -> tuple[list[Record], list[Record]]:
    """Give the records of the span, and those that the champion was fitted to, as far as they are still there."""
    lines = (*machine.inputs, *machine.outputs)
    read = unpacked(given["bytes"], lines * 2 if given.get("good") else lines)
    read, before = read[: len(lines)], read[len(lines) :]
    empty = [line.path for line, r in zip(lines, read, strict=True) if not len(r.times)]
    if empty:
        raise ModelError(
            f"the history has nothing of {empty[0]} in that time", code="no-readings", remedy="give another span"
        )
    inputs, outputs = read[: len(machine.inputs)], read[len(machine.inputs) :]
    dt = given["wish"]["step_s"] or usual_step(outputs[0].times)
    if (given["span"][1] - given["span"][0]) / SECOND / dt > MOST_STEPS:
        raise ModelError(
            f"more than {MOST_STEPS} steps of {dt:g} s", code="record", remedy="give a longer step, or a shorter span"
        )
    hold, n = max(given["hold_s"], dt), len(machine.inputs)
    found = on_grid(inputs, outputs, dt, hold)
    good = on_grid(before[:n], before[n:], dt, hold) if before and all(len(r.times) for r in before) else []
    if not found:
        raise ModelError(
            "there is no span in which all inputs are known", code="record", remedy="give another span, or a longer step"
        )
    return found, good


def usual_step(times: Any) -> float:
    """Give the usual distance of readings [s]; raises ModelError where there are fewer than two."""
    apart = np.diff(times)
    apart = apart[apart > 0]
    if not len(apart):
        raise ModelError("fewer than two readings: there is nothing to fit", code="record", remedy="give a longer span")
    return float(np.median(apart)) / SECOND


def _picked(machine: Machine, asked: Wish, records: Sequence[Record], after_s: float | None) -> tuple[Choice, Regimes]:
    what, names = _regimes(machine, asked), [*machine.model.inputs, *machine.model.outputs]
    block = 0 if asked.block_s is None else min(max(round(asked.block_s / records[0].dt), 4), LONGEST)
    picked = choose(records, names, what, block=block, most=asked.most, unseen=asked.unseen,
                    after_s=-math.inf if after_s is None else after_s)  # fmt: skip
    if not picked.fitted:
        left = ", ".join(f"{n} steps {why}" for why, n in picked.left_out.items() if n)
        raise ModelError(
            f"there is nothing to fit: {left or 'all of it was seen before'}", code="record",
            remedy="give a longer span, or see `running` and the statuses of the readings",
        )  # fmt: skip
    return picked, what


def _regimes(machine: Machine, asked: Wish) -> Regimes:
    lines = dict(zip((*machine.model.inputs, *machine.model.outputs), (*machine.inputs, *machine.outputs), strict=True))
    strange = [name for name in (*asked.running, *asked.regimes) if name not in lines]
    if strange:
        raise ModelError(
            f"{strange[0]!r} is no input or output of the model", code="bad-calibration", remedy=f"it has {', '.join(lines)}"
        )

    def si(name: str, values: Sequence[float | None], otherwise: Sequence[float]) -> tuple[float, ...]:
        plain = [o if v is None else v for v, o in zip(values, otherwise, strict=True)]
        return tuple(sorted(lines[name].si(np.array(plain, np.float64)).tolist()))

    ends = (-math.inf, math.inf)
    running = {name: si(name, span, ends) for name, span in asked.running.items()}
    return Regimes({n: (s[0], s[1]) for n, s in running.items()}, {n: si(n, e, e) for n, e in asked.regimes.items()})


def _until(champion: Mapping[str, Any] | None) -> float | None:
    ends = [((champion or {}).get("data") or {}).get("to_s"), (champion or {}).get("learned_to_s")]
    return max((float(end) for end in ends if end is not None), default=None)


def _chosen(picked: Choice, what: Regimes) -> dict[str, Any]:
    return {
        "regimes": [{"regime": words(r, what), "fitted": f, "unseen": u} for r, (f, u) in picked.steps.items()],
        "left_out": dict(picked.left_out),
    }  # fmt: skip


def _steps(told: Told, starts: int) -> Callable[[], None]:
    """Give what is called at each linearisation: how far a search is cannot be known, so it is nearer to its end each time."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        _go_on(told, READ + (FITTED - READ) * (1 - math.exp(-done / (USUAL_STEPS * starts))))

    return step


def _go_on(told: Told, done: float) -> None:
    if not told(done):
        raise Cancelled


class Cancelled(Exception):  # noqa: N818 - a wish, not an error
    """Whoever asked does not want it any more."""
