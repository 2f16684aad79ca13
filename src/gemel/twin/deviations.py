"""Alarms of readings that are not as their dynamic model expects: raised and cleared by the facts of residuals.

ResidualRaised, ResidualCleared (facts) -> alarm `<signal path>#deviation` (ISA-18.2-2016: an alarm of the type deviation)

Such an alarm has no limit in the signal's unit: whether a residual has left its band was decided by who estimates, so no
reading raises or clears it.
"""

from collections.abc import Mapping
from typing import Any, Final

from gemel.samples import Draft, Fact
from gemel.samples.clock import iso
from gemel.samples.units import after
from gemel.twin import alarm_facts
from gemel.twin.alarm_limits import Limits
from gemel.twin.alarm_state import Alarm

RAISED: Final = "ResidualRaised"
CLEARED: Final = "ResidualCleared"
NAMED: Final = 3  # suspects that are named


def reading(body: Mapping[str, Any], before: float) -> float:
    """Give what was read by a fact of a residual, what was `before` where it does not say."""
    read = body.get("read")
    return before if read is None else float(read)


def raised(limits: Limits, index: int, alarm: Alarm, fact: Fact) -> Draft:
    """Say that an alarm was raised because of a fact."""
    more = {"first_out": alarm.first_out, "chattering": alarm.chattering(alarm.raised)}
    words = f"{_measured(fact.body)}, not as expected since {iso(alarm.onset)}{_suspected(fact.body)}"
    return _draft(alarm_facts.RAISED, (limits, index, alarm), fact, more, words)


def cleared(limits: Limits, index: int, alarm: Alarm, fact: Fact) -> Draft:
    """Say that an alarm was cleared because of a fact."""
    words = "watched anew: the estimates began anew" if fact.body.get("anew") else f"{_measured(fact.body)}, as expected again"
    return _draft(alarm_facts.CLEARED, (limits, index, alarm), fact, {"raised": alarm.raised}, words)


def _measured(body: Mapping[str, Any]) -> str:
    unit = after(body.get("unit", ""))
    return ", ".join(f"{body[key]:.4g}{unit} {key}" for key in ("read", "expected") if body.get(key) is not None)


def _suspected(body: Mapping[str, Any]) -> str:
    named = [f"{s['kind']} {s['name']} {100 * s['probability']:.0f} %" for s in body.get("suspects", ())[:NAMED]]
    return f"; suspected: {', '.join(named)}" if named else ""


def _draft(kind: str, of: tuple[Limits, int, Alarm], fact: Fact, more: Mapping[str, Any], words: str) -> Draft:
    limits, index, alarm = of
    limit, name = limits.table[index], limits.name(index)
    body = {
        "alarm": name, "level": limit.level, "limit": None, "value": alarm.value,
        "unit": limits.unit(index), "priority": limit.priority, "onset": alarm.onset, "state": alarm.state,
        "expected": fact.body.get("expected"), "residual": fact.seq, **more,
    }  # fmt: skip
    return Draft(
        id=alarm_facts.fact_id(name, kind, alarm.onset), kind=kind, at=fact.at, actor=alarm_facts.RULE,
        subject=limits.path(index), body=body, reason=words, cause=fact.id,
    )  # fmt: skip
