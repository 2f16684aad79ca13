"""What a fact changed, in two columns: how it was before and how it was after, for people who read the record.

A fact that says it itself (``before`` and ``after`` in its body) is taken at its word; of the others the kind tells.
"""

from collections.abc import Mapping
from typing import Any, Final

from gemel.samples import Fact
from gemel.serve import times

Told = str | float | int | bool | None
# what a kind alone tells: the state before and after, as the alarms' and the commands' life cycles name them
STATES: Final[Mapping[str, tuple[str | None, str]]] = {
    "AlarmRaised": ("normal", "unacknowledged"),
    "AlarmAcknowledged": ("unacknowledged", "acknowledged"),
    "AlarmUnacknowledged": ("acknowledged", "unacknowledged"),
    "AlarmUnshelved": ("shelved", "shown"),
    "AlarmReinstated": ("aside", "shown"),
    "CommandApproved": ("awaiting approval", "approved"),
    "CommandRejected": ("awaiting approval", "rejected"),
    "CommandCancelled": ("open", "cancelled"),
    "CommandSending": ("approved", "sending"),
    "CommandSent": ("sending", "sent"),
    "CommandConfirmed": ("sent", "confirmed"),
    "CommandFailed": ("open", "failed"),
    "OverrideCleared": ("overridden", "as read"),
    "OverrideExpired": ("overridden", "as read"),
    "ResidualRaised": ("as expected", "not as expected"),
    "ResidualCleared": ("not as expected", "as expected"),
    "ResidualSubstituted": ("as read", "as estimated"),
    "ResidualHeard": ("as estimated", "as read"),
    "LanesDiverged": ("lanes agree", "lanes differ"),
    "LanesAgreed": ("lanes differ", "lanes agree"),
    "EventRaised": ("does not hold", "holds"),
    "EventCleared": ("holds", "does not hold"),
}


def before_after(fact: Fact) -> tuple[Told, Told]:
    """Give what stood before a fact and after it; None where there is nothing to say.

    >>> before_after(Fact(seq=1, id="a", kind="CommandRequested", at=0, recorded=0, actor="ann",
    ...                   body={"before": 1200.0, "value": 1500.0, "unit": "rpm"}))
    ('1200 rpm', '1500 rpm')
    """
    body = fact.body
    if "before" in body or "after" in body:
        after = body.get("after", body.get("value"))
        return _worded(body.get("before"), body), _worded(after, body)
    match fact.kind:
        case "AlarmCleared":
            return "active", str(body.get("state", "normal"))
        case "AlarmShelved":
            until = body.get("until")
            return "shown", f"shelved until {times.text(until)}" if isinstance(until, int) else "shelved"
        case "AlarmSuppressed":
            return "shown", str(body.get("state", "suppressed"))
        case "PlantApplied" if "digest" in body:
            return None, f"plant file {str(body['digest'])[:12]}"
        case "CommandRefused":
            return "asked", "refused"
        case "OverrideSet" if "value" in body:
            until = f" until {times.text(body['until'])}" if isinstance(body.get("until"), int) else ""
            return "overridden" if body.get("replaces") else "as read", f"{body['value']:g}{until}"
        case "ParametersReleased" if "champion" in body:
            return f"version {body['champion']}", _worded(body.get("values"), body)
        case "LearnerReleased" if "champion" in body:
            return f"version {body['champion']}", f"{body.get('kind')} {str(body.get('digest', ''))[:12]}"
        case "ParametersRolledBack" | "LearnerRolledBack" if "version" in body:
            return f"version {body['version']}", "the version before"
        case "MaintenanceDone" if isinstance(body.get("keep"), int | float):
            return "100 % of what was worn", f"{100 * body['keep']:g} % of it"
    return STATES.get(fact.kind, (None, None))


def _worded(value: Any, body: Mapping[str, Any]) -> Told:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return f"{value:g} {body.get('unit', '')}".rstrip()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {inner}" for key, inner in value.items() if inner not in (None, ""))
    return str(value)
