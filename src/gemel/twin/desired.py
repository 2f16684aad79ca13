"""Desired and reported: what a commanded property shall be, by the last approved command, and what the plant reports.

    facts of commands ─► desired value of each target      ─┐
    newest usable reading of its read-back, at each tick    ─┴► in sync or not, and since when

A property stays desired after its command was confirmed: a value that somebody changes on the spot is seen here. A
command that was never written (cancelled, too late) leaves what was desired before.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from gemel.samples import Fact
from gemel.twin import command_state as kinds

NEVER_WRITTEN: Final = frozenset({kinds.REJECTED, kinds.REFUSED, kinds.CANCELLED})
NOT_WRITTEN: Final = frozenset({"not-written", "too-late", "interrupted"})
Read = Callable[[str], tuple[float, int] | None]  # newest usable value of a property and its time [ns]


@dataclass(frozen=True, slots=True)
class Desired:
    """What a property shall be.

    Args:
        target: path of what is set.
        command: id of the command.
        name: the command's.
        value, unit: what was asked for.
        by: who asked.
        at: when it was approved [ns].
        read_back: path of the property in which it is reported; empty where there is none.
        tolerance: how near is near enough.
        reported: the newest usable reading from after the approval, None where there is none.
        reported_at: its time [ns].
        in_sync: whether it is near enough; None where nothing is reported.
        since: since when that is so [ns].

    """

    target: str
    command: str
    name: str
    value: float
    unit: str
    by: str
    at: int
    read_back: str
    tolerance: float
    reported: float | None = None
    reported_at: int = 0
    in_sync: bool | None = None
    since: int = 0


class Wishes:
    """What each commanded property shall be; one a target, the last approved counts."""

    def __init__(self) -> None:
        self._asked: dict[str, Mapping[str, Any]] = {}  # commands that may still be approved
        self._desired: dict[str, Desired] = {}
        self._before: dict[str, Desired] = {}  # what the newest took the place of

    def __len__(self) -> int:
        return len(self._desired)

    def on_fact(self, fact: Fact) -> None:
        """Fold a fact in; facts of other kinds change nothing."""
        if not fact.kind.startswith("Command") or fact.body.get("attempt"):
            return
        command = str(fact.body.get("command", ""))
        if fact.kind == kinds.REQUESTED:
            self._asked[command] = {**fact.body, "by": fact.actor}
            if fact.body["approval"] is None:
                self._approve(command, fact.at)
        elif fact.kind == kinds.APPROVED:
            self._approve(command, fact.at)
        elif fact.kind in NEVER_WRITTEN or (
            fact.kind == kinds.FAILED and fact.body.get("code") in NOT_WRITTEN
        ):
            self._take_back(command)

    def on_tick(self, now: int, read: Read) -> None:
        """Compare with what is reported."""
        for target, desired in self._desired.items():
            if not desired.read_back:
                continue
            reading = read(desired.read_back)
            if (
                reading is None
                or reading[1] <= desired.at
                or reading == (desired.reported, desired.reported_at)
            ):
                continue
            near = abs(reading[0] - desired.value) <= desired.tolerance
            since = desired.since if near == desired.in_sync else min(reading[1], now)
            self._desired[target] = replace(
                desired, reported=reading[0], reported_at=reading[1], in_sync=near, since=since
            )

    def of(self, asset: str) -> list[Desired]:
        """Give what the properties of an asset shall be."""
        return [d for target, d in sorted(self._desired.items()) if target.rpartition("/")[0] == asset]

    def _approve(self, command: str, at: int) -> None:
        asked = self._asked.pop(command, None)
        if asked is None or asked["value"] is None or not math.isfinite(asked["value"]):
            return
        target = str(asked["target"])
        if target in self._desired:
            self._before[target] = self._desired[target]
        self._desired[target] = Desired(
            target, command, asked["name"], asked["value"], asked["unit"], asked["by"], at, asked["read_back"], asked["tolerance"]
        )  # fmt: skip

    def _take_back(self, command: str) -> None:
        self._asked.pop(command, None)
        target = next((t for t, d in self._desired.items() if d.command == command), None)
        if target is None:
            return
        del self._desired[target]
        if (before := self._before.pop(target, None)) is not None:
            self._desired[target] = before

    def to_notes(self) -> dict[str, Any]:
        """Give the whole state as plain values."""
        return {
            "asked": dict(self._asked), "desired": [asdict(d) for d in self._desired.values()],
            "before": [asdict(d) for d in self._before.values()],
        }  # fmt: skip

    def from_notes(self, notes: Mapping[str, Any]) -> None:
        """Take the state that `to_notes` gave."""
        self._asked = dict(notes.get("asked", {}))
        self._desired, self._before = (_by_target(notes.get(k, ())) for k in ("desired", "before"))


def _by_target(notes: Sequence[Mapping[str, Any]]) -> dict[str, Desired]:
    return {d.target: d for d in (Desired(**n) for n in notes)}
