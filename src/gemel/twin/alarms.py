"""Alarms: a pure state machine over conditioned rows, ticks and facts.

    rows ─► which can matter? (arrays) ─► exact machine, row by row ─► transitions ─► drafts of facts
    tick ─► delays that have passed, shelves whose time is over    ─►
    fact ─► what people asked for takes effect

A reading holds until the next believable one: a delay passes by the time of rows or of ticks, whichever comes
first, and the transition carries the moment at which it passed; so the result hardly depends on where ticks fall.
Readings that are Bad, not finite, or not newer than the signal's last say nothing: while a signal is Bad or stale,
an active alarm stays as it is, and a delay goes on counting on the last word that could be believed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gemel.assets import DEVIATION
from gemel.errors import DefectError
from gemel.samples import Batch, Draft, Fact, Registry
from gemel.samples.batch import F64
from gemel.samples.status import is_bad
from gemel.twin import alarm_facts, alarm_taken, alarm_view, deviations
from gemel.twin.alarm_facts import RULE, Transition
from gemel.twin.alarm_groups import FirstOut, Flood
from gemel.twin.alarm_limits import Limit, Limits, Thresholds, back, beyond, off_delay
from gemel.twin.alarm_requests import Requests
from gemel.twin.alarm_state import NORMAL, Alarm

NEVER = np.iinfo(np.int64).min


class Alarms:
    """All alarms of the signals that one partition owns.

    Args:
        limits: the plant's limits.
        registry: what their signal numbers mean; an alarm's id is ``<signal path>#<level>``.

    """

    def __init__(self, limits: Sequence[Limit], registry: Registry) -> None:
        self._limits = Limits(limits, registry)
        self._begin()

    def _begin(self) -> None:
        self._alarms: dict[int, Alarm] = {}  # only those that ever were anything but normal
        self._last = np.full(
            len(self._limits.watched_signals), NEVER
        )  # time of the last believable row, by slot
        self._thresholds = Thresholds(self._limits)
        self._timers: set[int] = set()  # whose delay runs
        self._shelf: set[int] = set()
        self._first_out = FirstOut(self._limits)
        self._flood = Flood()
        self._now = 0
        self.requests = Requests(self._limits, self._alarms)

    # ---- events

    def on_rows(self, batch: Batch, cause: str = "") -> list[Transition]:
        """Take conditioned rows in; `cause` says where they came from (``samples.0:1234``)."""
        rows = self._believable(batch)
        if not len(rows):
            return []
        found: list[Transition] = []
        matter = self._thresholds.matter(rows.signal, rows.value)
        if matter.any():
            # once one reading of a signal matters, every one of it in this batch may
            hot = np.isin(rows.signal, rows.signal[matter])
            found = self._step_rows(rows.take(hot), cause)
        np.maximum.at(self._last, self._limits.slot[rows.signal], rows.time)
        return found

    def on_tick(self, now: int) -> list[Transition]:
        """Let the plant's time pass: delays, then shelves whose time is over."""
        self._now = max(self._now, now)
        found: list[Transition] = []
        for deadline, index in sorted((self._deadline(i), i) for i in self._timers):
            if deadline > now:
                break
            self._elapse(index, self._alarms[index], now, "", found)
            self._refresh(self._limits.table[index].signal)
        over = sorted(
            (self._alarms[i].shelved_until, i) for i in self._shelf if self._alarms[i].shelved_until <= now
        )
        for until, index in over:
            found += self._change(
                index,
                alarm_facts.unshelved(
                    self._limits.name(index), self._alarms[index].shelved, RULE, until, until
                ),
            )
        return found

    def on_fact(self, fact: Fact | Draft) -> list[Transition]:
        """Let a recorded fact take effect; one that did already, or is of another kind, changes nothing."""
        if (
            not fact.kind.startswith("Alarm")
            or (index := self._limits.find(str(fact.body.get("alarm", "")))) is None
        ):
            return []
        return self._change(index, fact)

    def on_residual(self, fact: Fact) -> list[Transition]:
        """Raise or clear the alarm of a reading that is not as expected; a fact of another kind changes nothing."""
        if fact.kind not in (deviations.RAISED, deviations.CLEARED):
            return []
        index = self._limits.find(f"{fact.body.get('signal', '')}#{DEVIATION}")
        alarm = None if index is None else self._alarms.get(index) or Alarm()
        raising = fact.kind == deviations.RAISED
        if index is None or alarm is None or alarm.active == raising:
            return []
        before, alarm.value = alarm.state, deviations.reading(fact.body, alarm.value)
        self._alarms[index] = alarm
        if raising:
            self._raise(index, alarm, int(fact.body.get("since", fact.at)), fact.at)
        else:
            self._clear(index, alarm, fact.at)
        draft = (deviations.raised if raising else deviations.cleared)(self._limits, index, alarm, fact)
        return [Transition(self._limits.name(index), before, alarm.state, draft)]

    def on_acknowledge(self, name: str, user: str, comment: str, at: int) -> list[Transition]:
        """Ask to acknowledge, and let it take effect at once (without a record); raises as `requests` does."""
        return self.on_fact(self.requests.acknowledge(name, user, comment, at))

    def on_shelve(self, name: str, user: str, reason: str, until: int, at: int) -> list[Transition]:
        """Ask to shelve until a time [ns], and let it take effect at once; raises as `requests` does."""
        return self.on_fact(self.requests.shelve(name, user, reason, until, at))

    def on_unshelve(self, name: str, user: str, at: int) -> list[Transition]:
        """Ask to unshelve, and let it take effect at once; raises as `requests` does."""
        return self.on_fact(self.requests.unshelve(name, user, at))

    # ---- what is shown

    def knows(self, name: str) -> bool:
        """Tell whether there is an alarm with this id."""
        return self._limits.find(name) is not None

    def view(
        self, values: F64 | Mapping[int, float] | None = None, now: int | None = None
    ) -> list[dict[str, Any]]:
        """Give all alarms that are not normal, those to look at first standing first.

        Args:
            values: last usable value by signal; without it, the reading at the alarm's last change.
            now: plant time [ns]; without it, the last tick's.

        """
        at = self._now if now is None else now
        return [
            alarm_view.item(self._limits, i, a, values, at)
            for i, a in alarm_view.ordered(self._limits, self._alarms.items())
        ]

    def one(self, name: str, values: F64 | None = None, now: int | None = None) -> dict[str, Any] | None:
        """Give one alarm, normal or not, None where there is none."""
        index = self._limits.find(name)
        if index is None:
            return None
        at = self._now if now is None else now
        return alarm_view.item(self._limits, index, self._alarms.get(index) or Alarm(), values, at)

    def standing(self, name: str) -> Alarm | None:
        """Give an alarm as it stands, to look at only; None where there is none with this id."""
        index = self._limits.find(name)
        return None if index is None else self._alarms.get(index) or Alarm()

    def concerned(self) -> list[int]:
        """Give the signals whose alarms are not all normal."""
        return sorted({self._limits.table[i].signal for i, a in self._alarms.items() if a.state != NORMAL})

    def counts(self) -> dict[str, Any]:
        """Count alarms by state and by priority."""
        return alarm_view.counts(self._limits, self._alarms.items())

    def flood(self, now: int | None = None) -> bool:
        """Tell whether more than ten alarms were raised in the last ten minutes."""
        return self._flood.now(self._now if now is None else now)

    # ---- snapshot

    def to_notes(self) -> dict[str, Any]:
        """Give the whole state as plain JSON values."""
        arrays = self.arrays()
        return {**self.notes(), "signal": arrays["signal"].tolist(), "last": arrays["last"].tolist()}

    def notes(self) -> dict[str, Any]:
        """Give the state but for `arrays`, as plain JSON values."""
        return {
            "now": self._now, "flood": list(self._flood.latest),
            "alarms": {self._limits.name(i): a.notes() for i, a in sorted(self._alarms.items())},
        }  # fmt: skip

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give when each signal that has alarms was last believed, as columns: signal, last [ns]."""
        seen = np.flatnonzero(self._last != NEVER)
        return {"signal": self._limits.watched_signals[seen], "last": self._last[seen]}

    def from_notes(
        self, notes: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> None:
        """Take the state that `to_notes` gave, or `notes` and `arrays`; what has no alarm any more is left out."""
        self._begin()
        self._now, self._flood = notes["now"], Flood(list(notes["flood"]))
        given = arrays or notes
        slot = self._limits.slot[np.asarray(given["signal"], np.intp)]
        self._last[slot[slot >= 0]] = np.asarray(given["last"], np.int64)[slot >= 0]
        for name, kept in notes["alarms"].items():
            if (index := self._limits.find(name)) is not None:
                self._alarms[index] = alarm = Alarm.of(kept)
                if alarm.shelved:
                    self._shelf.add(index)
        self._first_out.restore(self._alarms.items())
        for signal in {self._limits.table[i].signal for i in self._alarms}:
            self._refresh(signal)

    def withdrawn(
        self, renamed: Mapping[str, str], fresh: "Alarms", at: int, cause: str
    ) -> list[Draft]:
        """Give the facts that close the alarms which another plant no longer has.

        Args:
            renamed: ids under the other plant, by id.
            fresh: the alarms of that plant.
            at: plant time [ns].
            cause: what it followed from.

        """
        gone = (
            (index, alarm)
            for index, alarm in sorted(self._alarms.items())
            if not fresh.knows(renamed.get(name := self._limits.name(index), name))
        )
        return [
            alarm_facts.withdrawn(self._limits, index, alarm, at, cause)
            for index, alarm in gone
            if alarm.state != NORMAL
        ]

    def ids(self) -> list[str]:
        """Give the ids of the alarms that ever were anything but normal."""
        return [self._limits.name(index) for index in sorted(self._alarms)]

    # ---- rows

    def _believable(self, batch: Batch) -> Batch:
        signal = batch.signal
        if len(signal) and int(signal.max()) >= self._limits.signals:
            raise DefectError("rows of a signal that the alarms' registry does not have")
        slot = self._limits.slot[signal]
        keep = slot >= 0
        if not keep.any():
            return Batch.empty()
        keep &= batch.time > self._last[slot]
        keep &= ~is_bad(batch.status)
        keep &= np.isfinite(batch.value)
        return batch if keep.all() else batch.take(keep)

    def _step_rows(self, rows: Batch, cause: str) -> list[Transition]:
        found: list[Transition] = []
        last: dict[int, int] = {}
        for signal, time, value in zip(
            rows.signal.tolist(), rows.time.tolist(), rows.value.tolist(), strict=True
        ):
            before = last.get(signal)
            if time <= (int(self._last[self._limits.slot[signal]]) if before is None else before):
                continue
            last[signal] = time
            for index in self._limits.of(signal):
                self._step(index, time, value, cause, found)
        for signal in last:
            self._refresh(signal)
        return found

    def _step(self, index: int, time: int, value: float, cause: str, found: list[Transition]) -> None:
        limit, alarm = self._limits.table[index], self._alarms.get(index)
        if limit.level == DEVIATION:  # no reading begins or ends one
            return
        if alarm is None or alarm.resting:
            if not beyond(limit, value):
                return
            alarm = self._alarms.setdefault(index, Alarm())
            alarm.phase, alarm.since, alarm.value = "pending", time, value
        else:
            self._elapse(index, alarm, time, cause, found)
            if (
                alarm.phase == "normal"
            ):  # an off-delay has just passed: the reading may begin the next occurrence
                self._step(index, time, value, cause, found)
                return
            if alarm.phase == "active" and not back(limit, value):
                return  # nor is its value kept: whether it gets here depends on the rest of the batch
            alarm.value = value
            if alarm.phase == "pending" and not beyond(limit, value):
                alarm.phase = "normal"
            elif alarm.phase == "active":
                alarm.phase, alarm.since = "clearing", time
            elif alarm.phase == "clearing" and not back(limit, value):
                alarm.phase = "active"
        self._elapse(index, alarm, time, cause, found)

    def _deadline(self, index: int) -> int:
        limit, alarm = self._limits.table[index], self._alarms[index]
        return alarm.since + (limit.delay_ns if alarm.phase == "pending" else off_delay(limit))

    def _elapse(self, index: int, alarm: Alarm, now: int, cause: str, found: list[Transition]) -> None:
        if alarm.phase not in ("pending", "clearing") or (at := self._deadline(index)) > now:
            return
        before = alarm.state
        if alarm.phase == "pending":
            self._raise(index, alarm, alarm.since, at)
            draft = alarm_facts.raised(self._limits, index, alarm, cause)
        else:
            self._clear(index, alarm, at)
            draft = alarm_facts.cleared(self._limits, index, alarm, cause)
        found.append(Transition(self._limits.name(index), before, alarm.state, draft))

    def _raise(self, index: int, alarm: Alarm, onset: int, at: int) -> None:
        alarm.begin(onset, at)
        if alarm.hidden:
            alarm.first_out = False
        else:
            self._first_out.begun(index, alarm)
            self._flood.raised(at)

    def _clear(self, index: int, alarm: Alarm, at: int) -> None:
        alarm.end(at)
        self._first_out.ended(index, alarm)

    def _refresh(self, signal: int) -> None:
        """Bring a signal's thresholds and timers to where its alarms stand."""
        own = self._limits.of(signal)
        phases = [(i, self._alarms[i].phase if i in self._alarms else NORMAL) for i in own]
        self._thresholds.set(signal, [(self._limits.table[i], phase) for i, phase in phases])
        for index, phase in phases:
            (self._timers.add if phase in ("pending", "clearing") else self._timers.discard)(index)

    # ---- facts

    def _change(self, index: int, fact: Fact | Draft) -> list[Transition]:
        alarm = self._alarms.get(index) or Alarm()
        before = alarm.state
        if not self._take(index, alarm, fact):
            return []
        self._alarms[index] = alarm
        (self._shelf.add if alarm.shelved else self._shelf.discard)(index)
        self._refresh(self._limits.table[index].signal)
        draft = fact if isinstance(fact, Draft) else _as_draft(fact)
        return [Transition(self._limits.name(index), before, alarm.state, draft)]

    def _take(self, index: int, alarm: Alarm, fact: Fact | Draft) -> bool:
        """Change an alarm by a fact; tell whether anything changed."""
        body: Mapping[str, Any] = fact.body
        match fact.kind:
            case alarm_facts.RAISED if body["onset"] > alarm.onset:
                # only where rows were lost or the state is rebuilt from the record alone: else it stands already
                alarm.value = float(body["value"])
                self._raise(index, alarm, int(body["onset"]), fact.at)
            case alarm_facts.CLEARED if alarm.active and body["onset"] == alarm.onset:
                alarm.value = float(body["value"])
                self._clear(index, alarm, fact.at)
            case _:
                return alarm_taken.taken(alarm, fact)
        return True


def _as_draft(fact: Fact) -> Draft:
    return Draft(**{name: getattr(fact, name) for name in Draft.__struct_fields__})


def drafts(transitions: Iterable[Transition]) -> list[Draft]:
    """Give the facts to record."""
    return [t.draft for t in transitions]
