"""Events of rules: a pure state machine over the signals of their conditions.

    condition rows ─► where the truth changes ─► onset, end ─┐
    tick           ─► conditions that held long enough      ─┴► EventRaised, EventCleared

A condition holds until a row says otherwise; rows that are Bad or not newer than the last say nothing, so that what a
late reading changes in history is no event. The delay passes by the time of rows or of ticks, whichever comes first,
and the fact carries the moment at which it passed.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import EventRules
from gemel.samples import Batch, Draft
from gemel.samples.clock import SECOND
from gemel.samples.status import is_bad
from gemel.twin.lanes import NEVER

RAISED: Final = "EventRaised"
CLEARED: Final = "EventCleared"
IDLE: Final = 0
PENDING: Final = 1
ACTIVE: Final = 2


class Events:
    """All events of the rules of one partition.

    Args:
        rules: their signals, names and delays.
        n: signals of the registry.
    """

    def __init__(self, rules: EventRules, n: int) -> None:
        self.rules = rules
        self._rule = np.full(n, -1, np.int32)
        self._rule[rules.signal] = np.arange(len(rules.signal), dtype=np.int32)
        self._phase = np.zeros(len(rules.signal), np.int8)
        self._since = np.full(len(rules.signal), NEVER)  # onset, while pending or active
        self._last = np.full(len(rules.signal), NEVER)  # time of the last believable row

    def on_rows(self, rows: Batch, cause: str = "") -> list[Draft]:
        """Take derived rows in, sorted by signal and time; give the facts of what began and ended."""
        if not len(self.rules.signal) or not len(rows):
            return []
        rule = self._rule[rows.signal]
        keep = (rule >= 0) & ~is_bad(rows.status) & np.isfinite(rows.value)
        keep &= rows.time > self._last[rule]
        rule, time, truth = rule[keep], rows.time[keep], rows.value[keep] == 1.0
        if not len(rule):
            return []
        first = np.append(True, rule[1:] != rule[:-1])
        before = np.append(False, truth[:-1])
        before[first] = self._phase[rule[first]] != IDLE
        drafts: list[Draft] = []
        for at in np.flatnonzero(truth != before).tolist():
            self._turn(int(rule[at]), int(time[at]), bool(truth[at]), cause, drafts)
        np.maximum.at(self._last, rule, time)
        return drafts

    def on_tick(self, now: int) -> list[Draft]:
        """Let the plant's time pass: conditions that held long enough are raised."""
        pending = np.flatnonzero(self._phase == PENDING)
        due = pending[self._since[pending] + self.rules.hold_ns[pending] <= now]
        return [self._raised(rule, "") for rule in due.tolist()]

    # ---- transitions

    def _turn(self, rule: int, time: int, truth: bool, cause: str, drafts: list[Draft]) -> None:
        if truth:
            self._phase[rule], self._since[rule] = PENDING, time
        elif self._phase[rule] == PENDING and time >= self._since[rule] + self.rules.hold_ns[rule]:
            drafts += [self._raised(rule, cause), self._cleared(rule, time, cause)]
        elif self._phase[rule] == ACTIVE:
            drafts.append(self._cleared(rule, time, cause))
        else:
            self._phase[rule] = IDLE
        if truth and not self.rules.hold_ns[rule]:
            drafts.append(self._raised(rule, cause))

    def _raised(self, rule: int, cause: str) -> Draft:
        self._phase[rule] = ACTIVE
        hold = int(self.rules.hold_ns[rule])
        words = self.rules.words[rule] + (f" for {hold / SECOND:g} s" if hold else "")
        return self._draft(RAISED, rule, int(self._since[rule]) + hold, words, cause)

    def _cleared(self, rule: int, time: int, cause: str) -> Draft:
        self._phase[rule] = IDLE
        return self._draft(CLEARED, rule, time, "no longer so", cause)

    def _draft(self, kind: str, rule: int, at: int, words: str, cause: str) -> Draft:
        asset, name, onset = self.rules.assets[rule], self.rules.names[rule], int(self._since[rule])
        seed = f"{asset}/{name}\0{kind}\0{onset}"
        return Draft(
            id="event-" + hashlib.sha256(seed.encode()).hexdigest()[:24], kind=kind, at=at, actor="gemel", subject=asset,
            body={"event": name, "onset": onset}, reason=words, cause=cause,
        )  # fmt: skip

    # ---- snapshot

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by registry number."""
        if not len(self.rules.signal):
            return {}
        seen = np.flatnonzero(self._last != NEVER)
        return {
            "signal": self.rules.signal[seen], "phase": self._phase[seen], "since": self._since[seen], "last": self._last[seen],
        }  # fmt: skip

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what was remembered, of the rules that there still are."""
        if not arrays:
            return
        signal = arrays["signal"]
        known = signal < len(self._rule)
        known[known] = self._rule[signal[known]] >= 0
        rule = self._rule[signal[known]]
        for column, name in ((self._phase, "phase"), (self._since, "since"), (self._last, "last")):
            column[rule] = arrays[name][known]
