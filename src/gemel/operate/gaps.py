"""What the log does not have any more: said with its span of time, and, where the lake has its rows, put back."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from gemel.bus import Bus, Message
from gemel.errors import ConflictError, StorageError
from gemel.operate.partition import Partition
from gemel.operate.putting_back import frames, lost_rows
from gemel.operate.reached import Mark, Reached
from gemel.samples import Clock

Tell = Callable[[str, str, dict[str, object]], None]  # kind of the fact, its id, its body


class Gaps:
    """Watches that each message of the log follows the one before.

    Args:
        partition: whose log it is.
        folder: where the note lies that says how far the log was read.
        clock: the plant's.
        tell: has a fact recorded.

    """

    def __init__(self, partition: Partition, folder: Path, clock: Clock, tell: Tell) -> None:
        self._partition = partition
        self._clock = clock
        self._tell = tell
        self._reached = Reached(folder)
        self._seen = Mark(partition.position, 0)  # the last message that was read
        self._once_reached = Mark(0, 0)  # how far the log went when it was read before
        self._since: int | None = None  # newest receipt [ns] before a hole whose rows the lake has

    @property
    def to_put_back(self) -> bool:
        """Whether the lake has rows that the log lost."""
        return self._since is not None

    def check(self, first: int, last: int, stored: int) -> int | None:
        """Compare the log's bounds with what was folded; give the position below which it must not begin anew, if any.

        A log shorter than what was folded (lost, or reset by its server) must not take old positions again.

        Args:
            first: the log's first position.
            last: its last one.
            stored: position up to which the lake has rows.

        """
        position = self._partition.position
        known = max(position, stored)
        if last < known:
            self._tell("LogLost", f"log-lost-{known}", {"known": known, "last": last, **self._span()})
            self._lacks(position, stored)
            self._partition.position = known
            return known + 1
        if first > position + 1:
            self._tell("LogHole", f"log-hole-{first}", {"after": position, "first": first, **self._span()})
            self._lacks(position, stored)
            self._partition.position = first - 1
        return None

    def begin(self) -> None:
        """Reading begins after what is folded."""
        self._seen = Mark(self._partition.position, 0)
        self._once_reached = self._reached.load()

    def follow(self, message: Message, stored: int) -> None:
        """Say what the log does not have any more, between which moments: its server leaves out what it finds damaged."""
        now = Mark(message.sequence, message.stored)
        if now.sequence > self._seen.sequence + 1:
            self._tell_hole(self._seen, now, stored)
        elif self._once_reached.taken_again_by(now):
            self._tell_hole(self._seen, self._once_reached, stored)
            self._once_reached = Mark(0, 0)
        self._seen = now

    def note(self) -> None:
        """Keep how far the log was read."""
        self._reached.note(self._seen)

    async def put_back(self, bus: Bus, lake: Path) -> None:
        """Append what the lake has of the rows that the log lost; raises StorageError or ConflictError where that fails."""
        p = self._partition
        assert self._since is not None
        try:
            rows = await asyncio.to_thread(lost_rows, lake, self._since, len(p.registry))
            for frame in frames(rows, p.registry, p.number, f"lake-{time.time_ns():x}"):
                await bus.append(f"samples.{p.number}", frame)
        except (StorageError, ConflictError) as e:
            raise StorageError(f"what the log lost is not put back: {e}", code=e.code, remedy=e.remedy) from e
        self._since = None

    def _tell_hole(self, after: Mark, upto: Mark, stored: int) -> None:
        self._lacks(after.sequence, stored)
        body: dict[str, object] = {
            "after": after.sequence,
            "upto": upto.sequence,
            "from_time": after.stored or self._partition.time,
            "to_time": upto.stored,
        }
        self._tell("LogHole", f"log-hole-{after.sequence}-{upto.sequence}-{upto.stored}", body)

    def _lacks(self, after: int, stored: int) -> None:
        """Note that messages after a position are gone; what the lake has of them is to be given back to the log."""
        if after < stored and self._since is None:
            self._since = int(self._partition.lanes.latest.received.max(initial=0))

    def _span(self) -> dict[str, int]:
        """Give the time that a hole covers, as far as is known: from the last tick that was folded until now [ns]."""
        return {"from_time": self._partition.time, "to_time": self._clock.now()}
