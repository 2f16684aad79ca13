"""Alarms together: which of an asset's came first, and whether there are too many at once."""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gemel.samples.clock import SECOND
from gemel.twin.alarm_limits import Limits
from gemel.twin.alarm_state import Alarm

FLOOD_COUNT: Final = 10  # more than ten in ten minutes: ISA-18.2-2016, clause 16.5; EEMUA 191
FLOOD_SPAN: Final = 600 * SECOND


@dataclass(slots=True)
class _Group:
    active: int = 0
    first: tuple[int, str, Alarm] | None = None  # raised, id


@dataclass(slots=True)
class FirstOut:
    """Marks the first alarm that an asset raised while none of its others was active.

    First means the earliest raised, not the first to arrive here: where rows of one asset come late, the mark moves.
    It stays with its occurrence after that has cleared, and no second one gets it until the asset is free of alarms.
    """

    limits: Limits
    _groups: dict[str, _Group] = field(default_factory=dict)

    def begun(self, index: int, alarm: Alarm) -> None:
        """Take note that an alarm was raised; it is marked where it is the first."""
        group = self._groups.setdefault(self.limits.asset(index), _Group())
        key = (alarm.raised, self.limits.name(index))
        alarm.grouped, alarm.first_out = True, False
        if not group.active or (group.first is not None and key < group.first[:2]):
            if group.active and group.first is not None:
                group.first[2].first_out = False
            group.first = (*key, alarm)
            alarm.first_out = True
        group.active += 1

    def ended(self, index: int, alarm: Alarm) -> None:
        """Take note that an alarm was cleared."""
        if not alarm.grouped:
            return
        alarm.grouped = False
        asset = self.limits.asset(index)
        group = self._groups[asset]
        group.active -= 1
        if group.first is not None and group.first[2] is alarm:
            group.first = None
        if not group.active:
            del self._groups[asset]

    def restore(self, alarms: Iterable[tuple[int, Alarm]]) -> None:
        """Begin again from what alarms say of themselves."""
        self._groups = {}
        for index, alarm in alarms:
            if alarm.grouped:
                group = self._groups.setdefault(self.limits.asset(index), _Group())
                group.active += 1
                if alarm.first_out:
                    group.first = (alarm.raised, self.limits.name(index), alarm)


@dataclass(slots=True)
class Flood:
    """Knows whether more alarms come than an operator can follow; keeps the latest eleven times only."""

    latest: list[int] = field(default_factory=list)

    def raised(self, at: int) -> None:
        """Take note of an alarm that was shown to the operator."""
        insort(self.latest, at)
        del self.latest[: -FLOOD_COUNT - 1]

    def now(self, now: int) -> bool:
        """Tell whether more than ten alarms were raised in the last ten minutes."""
        return len(self.latest) > FLOOD_COUNT and now - self.latest[0] <= FLOOD_SPAN
