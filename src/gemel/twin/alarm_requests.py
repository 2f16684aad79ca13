"""What a person may ask of an alarm: a draft to record, or a word why not. Nothing here changes an alarm.

The record takes the draft, and the alarm changes when the fact takes effect, at a tick: so a replay of log and
record gives the same alarms.
"""

from collections.abc import Mapping
from typing import Final

from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.samples import Draft
from gemel.samples.clock import DAY, SECOND, iso
from gemel.twin import alarm_facts
from gemel.twin.alarm_limits import Limits
from gemel.twin.alarm_state import ASIDE, RETURNED, UNACKNOWLEDGED, Alarm

LONGEST_SHELF: Final = DAY  # shelving is limited in time: ISA-18.2-2016, clause 11.7; the length is ours


class Requests:
    """Decides what may be asked of alarms that stand as they do now."""

    def __init__(self, limits: Limits, alarms: Mapping[int, Alarm]) -> None:
        self._limits = limits
        self._alarms = alarms

    def acknowledge(self, name: str, user: str, comment: str, at: int) -> Draft:
        """Ask to take note of an alarm; ConflictError where there is nothing to take note of."""
        alarm = self._get(name)
        waiting = alarm.state in (UNACKNOWLEDGED, RETURNED) or (alarm.shelved and alarm.active)
        if not waiting or alarm.acknowledged:
            by = f": {alarm.acknowledged_by} did" if alarm.acknowledged_by else ""
            raise ConflictError(
                f"the alarm {name} needs no acknowledgement{by}",
                code="alarm-not-waiting",
                remedy="read the list again",
            )
        return alarm_facts.acknowledged(name, alarm.onset, user, comment, at)

    def shelve(self, name: str, user: str, reason: str, until: int, at: int) -> Draft:
        """Ask to put an alarm aside until a time; RefusedError without a reason or for too long."""
        alarm = self._get(name)
        if not reason.strip():
            raise RefusedError(
                "shelving an alarm needs a reason", code="alarm-no-reason", remedy="say why it is shelved"
            )
        if not at < until <= at + LONGEST_SHELF:
            raise RefusedError(
                f"an alarm cannot be shelved until {iso(until)}", code="alarm-shelf-time",
                remedy=f"shelve it for more than nothing and at most {LONGEST_SHELF // (3600 * SECOND)} hours",
            )  # fmt: skip
        if alarm.hidden:
            raise ConflictError(
                f"the alarm {name} is {alarm.state} already", code="alarm-aside", remedy="read the list again"
            )
        return alarm_facts.shelved(name, user, reason, until, at)

    def unshelve(self, name: str, user: str, at: int) -> Draft:
        """Ask to bring a shelved alarm back."""
        alarm = self._get(name)
        if not alarm.shelved:
            raise ConflictError(
                f"the alarm {name} is not shelved", code="alarm-not-shelved", remedy="read the list again"
            )
        return alarm_facts.unshelved(name, alarm.shelved, user, at)

    def suppress(self, name: str, state: str, user: str, reason: str, at: int) -> Draft:
        """Ask to suppress an alarm by design, or to take it out of service."""
        alarm = self._get(name)
        if state not in ASIDE:
            raise RefusedError(
                f"no such state: {state!r}", code="alarm-state", remedy="write " + " or ".join(ASIDE)
            )
        if alarm.aside:
            raise ConflictError(
                f"the alarm {name} is {alarm.aside} already", code="alarm-aside", remedy="read the list again"
            )
        return alarm_facts.suppressed(name, state, user, reason, at)

    def reinstate(self, name: str, user: str, reason: str, at: int) -> Draft:
        """Ask to bring an alarm back that was suppressed or out of service."""
        if not self._get(name).aside:
            raise ConflictError(
                f"the alarm {name} is in service", code="alarm-in-service", remedy="read the list again"
            )
        return alarm_facts.reinstated(name, user, reason, at)

    def _get(self, name: str) -> Alarm:
        index = self._limits.find(name)
        if index is None:
            raise NotFoundError(f"no alarm {name!r}", code="alarm-unknown", remedy="see GET /api/v1/alarms")
        return self._alarms.get(index) or Alarm()
