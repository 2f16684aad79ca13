"""Taking back what somebody did to an alarm: a fact that gives the state before, for nothing is ever taken out of the record."""

from typing import Final

from gemel.errors import ConflictError, RefusedError
from gemel.samples import Draft, Fact
from gemel.twin import alarm_facts as kinds
from gemel.twin.alarm_state import Alarm
from gemel.twin.alarms import Alarms

INSTEAD: Final = {
    kinds.RAISED: "it follows from readings: an override, or the limit in the plant file, changes what they mean",
    kinds.CLEARED: "it follows from readings: an override, or the limit in the plant file, changes what they mean",
    kinds.UNSHELVED: "shelve the alarm again",
    kinds.REINSTATED: "suppress the alarm again",
    kinds.UNACKNOWLEDGED: "acknowledge the alarm again",
}


def compensation(alarms: Alarms, fact: Fact, user: str, reason: str, at: int) -> Draft:
    """Give the fact that takes a note, a shelf or a suppression back.

    Raises ConflictError where it does not stand any more, RefusedError where this kind cannot be taken back.
    """
    name = str(fact.body.get("alarm", ""))
    alarm = alarms.standing(name)
    if alarm is None:
        raise ConflictError(
            f"there is no alarm {name} any more", code="revert-superseded", remedy="see GET /api/v1/alarms"
        )
    match fact.kind:
        case kinds.ACKNOWLEDGED:
            kind, stands = kinds.UNACKNOWLEDGED, _noted(alarm, fact)
            body = {"onset": alarm.onset, "before": "acknowledged", "after": "unacknowledged"}
        case kinds.SHELVED:
            kind, stands = kinds.UNSHELVED, alarm.shelved == fact.body["shelved"]
            body = {"shelved": alarm.shelved, "before": "shelved", "after": "shown"}
        case kinds.SUPPRESSED:
            kind, stands = kinds.REINSTATED, alarm.aside == fact.body["state"]
            body = {"before": alarm.aside, "after": "shown"}
        case _:
            raise RefusedError(
                f"{fact.kind} cannot be taken back", code="revert-kind", remedy=INSTEAD.get(fact.kind, "see the audit")
            )  # fmt: skip
    if not stands:
        raise ConflictError(
            f"fact {fact.seq} does not stand any more: something happened to the alarm since", code="revert-superseded",
            remedy="read the alarm again",
        )  # fmt: skip
    return Draft(
        id=f"revert-{fact.seq}", kind=kind, at=at, actor=user, subject=fact.subject, reason=reason, cause=fact.id,
        body={"alarm": name, **body, "reverts": fact.seq},
    )  # fmt: skip


def _noted(alarm: Alarm, fact: Fact) -> bool:
    return alarm.acknowledged and alarm.onset == fact.body["onset"] and alarm.acknowledged_by == fact.actor
