"""The checks between a wish and the plant, in the order in which they are told: the first "no" is the answer.

Rate: `max_rate` bounds the ramp of the set-point. A step may be as large as the rate times the time since the
set-point last changed, that time counted to a minute at most: a long quiet time does not earn a great jump.
"""

import math
from typing import Final

from gemel.samples.clock import SECOND
from gemel.samples.units import after
from gemel.twin.command_decision import Refusal, Situation, Spec
from gemel.twin.command_state import Command

RANK: Final = {"viewer": 0, "operator": 1, "engineer": 2}
RATE_CREDIT_S: Final = 60.0
_ROUNDING: Final = 1e-9  # of the step: 0.1 + 0.2 must not be refused where 0.3 is allowed


def rank(role: str) -> int:
    """Give a role's rank; an unknown role has none."""
    return RANK.get(role, -1)


def refused(spec: Spec, value: float, situation: Situation, at: int) -> Refusal | None:
    """Give the first reason against a value, None where there is none."""
    return (
        off_limits(situation)
        or out_of_range(spec, value)
        or too_fast(spec, value, situation, at)
        or rests_on_nothing(spec, situation)
    )


def may_ask(role: str) -> Refusal | None:
    """Refuse a role that commands nothing."""
    return (
        None
        if rank(role) >= RANK["operator"]
        else Refusal("role", f"a {role} cannot command", "ask an operator")
    )


def may_decide(command: Command, user: str, role: str, asked_now: str | None) -> Refusal | None:
    """Refuse whoever asked for it, and a role below the one that must decide.

    That is the stricter of the role named when it was asked for and the one that the plant file names now.
    """
    needed = max((r for r in ("operator", command.approval, asked_now) if r), key=rank)
    if user == command.requested_by:
        return Refusal(
            "own-command", "nobody decides on a command of their own", f"ask another {needed}, or cancel it"
        )
    if rank(role) < rank(needed):
        return Refusal(
            "role",
            f"a {role} cannot decide here: it takes the role {needed}",
            f"ask a person with the role {needed}",
        )
    return None


def off_limits(situation: Situation) -> Refusal | None:
    """Refuse where the plant takes no commands, or this one goes nowhere."""
    if not situation.writes:
        return Refusal(
            "writes-off",
            "this plant takes no commands",
            "write `writes: true` in the plant file to allow them",
        )
    if not situation.wired:
        return Refusal(
            "not-wired", "the command is not wired to the plant", "give it `to` and `topic` in the plant file"
        )
    return None


def out_of_range(spec: Spec, value: float) -> Refusal | None:
    """Refuse what is no number, or outside the limits."""
    if not math.isfinite(value):
        return Refusal(
            "not-a-number", f"{value} is not a number that a plant can follow", "give a finite number"
        )
    low, high = _bound(spec.low, -math.inf), _bound(spec.high, math.inf)
    if low <= value <= high:
        return None
    return Refusal(
        "out-of-limits", f"{_with_unit(value, spec)} is outside {low:g} to {_with_unit(high, spec)}",
        f"ask for a value from {low:g} to {high:g}",
    )  # fmt: skip


def too_fast(spec: Spec, value: float, situation: Situation, at: int) -> Refusal | None:
    """Refuse a step larger than the rate allows since the last change, and any step from nobody knows where."""
    rate = spec.max_rate_per_s
    if rate is None or math.isnan(rate):
        return None
    current = situation.current
    if current is None or math.isnan(current):
        return Refusal(
            "current-unknown", "the set-point in force is not known, so the step cannot be held to its rate",
            "wait until the plant reports its set-point",
        )  # fmt: skip
    since = (
        RATE_CREDIT_S
        if situation.changed is None
        else min(max((at - situation.changed) / SECOND, 0.0), RATE_CREDIT_S)
    )
    step, allowed = abs(value - current), rate * since
    if step <= allowed * (1 + _ROUNDING):
        return None
    nearest = _nearest(spec, current, math.copysign(allowed, value - current))
    return Refusal(
        "too-fast",
        f"from {current:g} to {_with_unit(value, spec)} is a step of {step:g}; {rate:g} {spec.unit}/s allow {allowed:g} "
        f"after {since:.3g} s without a change",
        f"ask for {_with_unit(nearest, spec)} now, and go on from there",
    )


def rests_on_nothing(spec: Spec, situation: Situation) -> Refusal | None:
    """Refuse where what the decision rests on is missing, Bad or stale."""
    for name in spec.rests_on:
        reading = situation.rests_on.get(name)
        if reading is None or reading.value is None:
            word = "has never been seen"
        elif not reading.usable:
            word = "is Bad"
        elif reading.stale:
            word = "is stale"
        else:
            continue
        return Refusal("rests-on", f"{name} {word}, and the command rests on it", f"see to {name} first")
    return None


def _nearest(spec: Spec, current: float, step: float) -> float:
    return min(max(current + step, _bound(spec.low, -math.inf)), _bound(spec.high, math.inf))


def _bound(value: float | None, otherwise: float) -> float:
    return otherwise if value is None or math.isnan(value) else value


def _with_unit(value: float, spec: Spec) -> str:
    return f"{value:g}{after(spec.unit)}"
