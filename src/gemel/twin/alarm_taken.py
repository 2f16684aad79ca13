"""How a fact changes what is shown of an alarm: acknowledged, shelved, put aside, and back."""

from collections.abc import Mapping
from typing import Any

from gemel.samples import Draft, Fact
from gemel.twin import alarm_facts
from gemel.twin.alarm_state import Alarm


def taken(alarm: Alarm, fact: Fact | Draft) -> bool:
    """Change an alarm by what people or rules did to how it is shown; tell whether anything changed."""
    body: Mapping[str, Any] = fact.body
    match fact.kind:
        case alarm_facts.ACKNOWLEDGED if not alarm.acknowledged and body.get("onset", alarm.onset) == alarm.onset:
            alarm.acknowledge(fact.actor, str(body.get("comment", "")))
        case alarm_facts.UNACKNOWLEDGED if alarm.acknowledged and body["onset"] == alarm.onset > 0:
            alarm.unacknowledge()
        case alarm_facts.SHELVED if not alarm.hidden:
            alarm.shelve(fact.actor, int(body["until"]), fact.at)
        case alarm_facts.UNSHELVED if alarm.shelved and body.get("shelved", alarm.shelved) == alarm.shelved:
            _bring_back(alarm, fact)
        case alarm_facts.SUPPRESSED if not alarm.aside:
            alarm.aside = str(body["state"])
        case alarm_facts.REINSTATED if alarm.aside:
            _bring_back(alarm, fact)
        case _:
            return False
    return True


def _bring_back(alarm: Alarm, fact: Fact | Draft) -> None:
    """Show an alarm again: its time aside is over, or it was put aside by mistake and stands as before."""
    if "reverts" in fact.body:
        alarm.uncover()
    else:
        alarm.show()
