"""What becomes of an alarm, as drafts of facts with names that a replay gives again.

The name of a fact is made from the alarm, the kind and the occurrence (its onset; for shelving, when it was
shelved), so that whoever works the same log again appends nothing twice.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Final

from gemel.samples import Draft
from gemel.samples.clock import SECOND, iso
from gemel.samples.units import after
from gemel.twin.alarm_limits import HIGHS, Limits
from gemel.twin.alarm_state import NORMAL, Alarm

RULE: Final = "gemel"  # the actor where a rule of the twin acted

RAISED: Final = "AlarmRaised"
CLEARED: Final = "AlarmCleared"
ACKNOWLEDGED: Final = "AlarmAcknowledged"
UNACKNOWLEDGED: Final = "AlarmUnacknowledged"  # an acknowledgement was taken back
SHELVED: Final = "AlarmShelved"
UNSHELVED: Final = "AlarmUnshelved"
SUPPRESSED: Final = "AlarmSuppressed"
REINSTATED: Final = "AlarmReinstated"
WITHDRAWN: Final = "AlarmWithdrawn"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alarm: its id, its states before and after, and the fact to record."""

    alarm: str
    before: str
    after: str
    draft: Draft

    @property
    def kind(self) -> str:
        """What happened, a past participle."""
        return self.draft.kind


def fact_id(alarm: str, kind: str, occurrence: int) -> str:
    """Give the name of a fact about an alarm's occurrence."""
    return "alarm-" + hashlib.sha256(f"{alarm}\0{kind}\0{occurrence}".encode()).hexdigest()[:24]


def raised(limits: Limits, index: int, alarm: Alarm, cause: str) -> Draft:
    """Say that an alarm was raised."""
    limit, name, unit = limits.table[index], limits.name(index), limits.unit(index)
    side = "above" if limit.level in HIGHS else "below"
    body = {
        "alarm": name, "level": limit.level, "limit": limit.limit, "value": alarm.value, "unit": unit,
        "priority": limit.priority, "onset": alarm.onset, "first_out": alarm.first_out, "state": alarm.state,
        "chattering": alarm.chattering(alarm.raised),
    }  # fmt: skip
    words = f"{alarm.value:g}{after(unit)} is {side} {limit.limit:g}"
    if limit.delay_ns:
        words += f" for {limit.delay_ns / SECOND:g} s"
    return _draft(RAISED, name, alarm.onset, alarm.raised, RULE, body, words, cause)


def cleared(limits: Limits, index: int, alarm: Alarm, cause: str) -> Draft:
    """Say that an alarm was cleared."""
    limit, name, unit = limits.table[index], limits.name(index), limits.unit(index)
    body = {
        "alarm": name, "level": limit.level, "limit": limit.limit, "value": alarm.value, "unit": unit,
        "priority": limit.priority, "onset": alarm.onset, "raised": alarm.raised, "state": alarm.state,
    }  # fmt: skip
    words = f"{alarm.value:g}{after(unit)} is back by {limit.deadband:g} from {limit.limit:g}"
    return _draft(CLEARED, name, alarm.onset, alarm.cleared, RULE, body, words, cause)


def withdrawn(limits: Limits, index: int, alarm: Alarm, at: int, cause: str) -> Draft:
    """Say that an alarm stands no more because the plant has no such limit any more."""
    limit, name = limits.table[index], limits.name(index)
    body = {
        "alarm": name, "level": limit.level, "limit": limit.limit if math.isfinite(limit.limit) else None,
        "value": alarm.value, "unit": limits.unit(index),
        "priority": limit.priority, "onset": alarm.onset, "raised": alarm.raised, "state": NORMAL, "before": alarm.state,
    }  # fmt: skip
    kind = CLEARED if alarm.active else WITHDRAWN
    words = "the plant file has no such limit any more"
    return _draft(kind, name, alarm.onset or at, at, RULE, body, words, cause)


def acknowledged(name: str, onset: int, user: str, comment: str, at: int) -> Draft:
    """Say that somebody took note of an alarm."""
    body = {"alarm": name, "onset": onset, "comment": comment}
    return _draft(ACKNOWLEDGED, name, onset, at, user, body, comment, fact_id(name, RAISED, onset))


def shelved(name: str, user: str, reason: str, until: int, at: int) -> Draft:
    """Say that somebody put an alarm aside for a time."""
    return _draft(SHELVED, name, at, at, user, {"alarm": name, "until": until, "shelved": at}, reason, "")


def unshelved(name: str, since: int, user: str, at: int, until: int = 0) -> Draft:
    """Say that a shelved alarm is back: its time was over (`until`), or somebody took it back."""
    words = f"its time was over at {iso(until)}" if until else "taken back"
    return _draft(
        UNSHELVED,
        name,
        since,
        at,
        user,
        {"alarm": name, "shelved": since},
        words,
        fact_id(name, SHELVED, since),
    )


def suppressed(name: str, state: str, user: str, reason: str, at: int) -> Draft:
    """Say that an alarm is suppressed by design, or out of service."""
    return _draft(SUPPRESSED, name, at, at, user, {"alarm": name, "state": state}, reason, "")


def reinstated(name: str, user: str, reason: str, at: int) -> Draft:
    """Say that such an alarm is back."""
    return _draft(REINSTATED, name, at, at, user, {"alarm": name}, reason, "")


def _draft(
    kind: str, name: str, occurrence: int, at: int, actor: str, body: dict[str, Any], reason: str, cause: str
) -> Draft:
    return Draft(
        id=fact_id(name, kind, occurrence), kind=kind, at=at, actor=actor, subject=name.rpartition("#")[0], body=body,
        reason=reason, cause=cause,
    )  # fmt: skip
