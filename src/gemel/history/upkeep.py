"""What keeps a writer's lake small, true and whole beside its commits: roll-ups, merges, retention, the patrol."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gemel.errors import ConflictError, StorageError
from gemel.history import catalogue, damage, files, lake
from gemel.history.aside import Aside, Writer
from gemel.history.compact import merge, plan
from gemel.history.doubts import cleared, doubted, suspects
from gemel.history.levels import LEVELS, PICK, ROLL, level_of
from gemel.history.roller import DEFAULT, Terms
from gemel.history.rollups import RolledUp, RollUps
from gemel.samples.clock import SECOND


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: files and rows merged, replaced files deleted; `behind`: whether there is more to do."""

    files: int
    rows: int
    deleted: int
    behind: bool = False


class Upkeep:
    """The upkeep of one writer's lake; its parts may run beside commits, one at a time."""

    def __init__(self, writer: Writer, rollups: RollUps, aside: Aside, bounds: lake.Bounds) -> None:
        self._writer = writer
        self._rollups = rollups
        self._aside = aside
        self._bounds = bounds
        self._patrolled: set[Path] = set()

    def roll_up(self, now_ns: int, budget_s: float = 5.0, terms: Terms = DEFAULT) -> RolledUp:
        """Roll up the hours that are over, and make anew those that late rows made dirty; may run beside commits.

        Args:
            now_ns: the plant's time [ns].
            budget_s: no unit of work is begun after so long [s]; the one under way is ended.
            terms: how long readings hold, and their retention classes, by signal.

        """
        until = time.monotonic() + budget_s
        while True:
            try:
                return self._rollups.roll(now_ns, max(until - time.monotonic(), 0.0), terms)
            except StorageError as error:
                if not self._set_aside(error):
                    raise

    def patrol(self) -> bool:
        """Look at the files that readers could not read, and at one more, by its digest; tell whether one was damaged.

        In time every file is looked at, those too that nobody asks for; then it begins anew.
        """
        with self._writer.turn():
            live = {f.path.name: f for f in self._live()}
        found = False
        for name in suspects(self._writer.path):
            found |= name in live and self._aside.take([live[name]])
            cleared(self._writer.path, name)
        self._patrolled &= {f.path for f in live.values()}
        left = [f for f in live.values() if f.path not in self._patrolled]
        if not left:
            self._patrolled = set()
            return found
        self._patrolled.add(left[0].path)
        try:
            changed = damage.changed(left[0].path)
        except OSError:  # a broken seal, a block that the disk cannot read
            changed = True
        return found | (changed and self._aside.take([left[0]]))

    def _set_aside(self, error: Exception, group: Sequence[catalogue.Stored] = ()) -> bool:
        """Take damaged files out of the way that a piece of work failed over; tell whether it may be begun anew without."""
        named = doubted(error)
        if named is not None:
            with self._writer.turn():
                group = [f for f in self._live() if f.path == named]
            if not group:  # dropped, or merged, meanwhile
                return True
        return bool(group) and self._aside.take(group)

    def compact(self, budget_s: float = 10.0, *, grace_s: float = 300.0) -> Compacted:
        """Merge small files, give up former versions, delete what they left; may run beside commits.

        Args:
            budget_s: no merge is begun after so long [s]; the one under way is ended.
            grace_s: how long a slow query may still read a file that was replaced [s].

        """
        until = time.monotonic() + budget_s
        merged = rows = 0
        while True:
            with self._writer.turn():
                group = plan(self._live())
            if not group or time.monotonic() >= until:
                break
            try:
                self._replace(group, merge(group, self._writer.folder, self._bounds))
            except ConflictError:  # retention was faster; plan anew
                continue
            except (StorageError, OSError) as error:
                if self._set_aside(error, group):
                    continue
                if isinstance(error, StorageError):
                    raise
                raise lake.storage_error(error, "merge files of the history") from error
            merged, rows = merged + len(group), rows + sum(f.rows for f in group)
        with self._writer.turn():
            try:
                deleted = catalogue.forget(self._writer.connection, grace_s)
            except duckdb.Error as error:
                raise lake.storage_error(error, "tidy the history") from error
        return Compacted(merged, rows, deleted, behind=bool(group))

    def retain(
        self,
        now_ns: int,
        classes: Mapping[str, float],
        rollups: Mapping[str, Mapping[str, float]] | None = None,
    ) -> int:
        """Drop the files whose newest row is older than its class keeps; gives how many rows went.

        Whole files only, never rows: what is dropped is older than asked by up to a span of days. Readings wait until
        their roll-ups are true.

        Args:
            now_ns: the plant's time [ns].
            classes: how long readings are kept, by class [s].
            rollups: how long roll-ups are kept, by class and level (``seconds``, ``minutes``, …) [s]; others for ever.

        """
        kept = {lake.table_of(str(c)): s for c, s in classes.items()}
        of_table = {lake.table_of(str(c)): str(c) for c in classes}
        for name, levels in (rollups or {}).items():
            kept |= {
                lake.table_of(name, f"{kind}{level.name}_"): levels[level.keep]
                for kind in (ROLL, PICK) for level in LEVELS if level.keep in levels
            }  # fmt: skip
        gone = 0
        for table, seconds in kept.items():
            self._aside.expire(table, now_ns - int(seconds * SECOND))
        with self._writer.turn():
            for file in self._live():
                if (
                    file.table not in kept
                    or file.last >= (now_ns - int(kept[file.table] * SECOND)) // files.MS
                ):
                    continue
                if file.table in of_table and not self._rollups.true_upto(file.last):
                    continue
                with self._writer.transaction("drop old history"):
                    gone += catalogue.drop(self._writer.connection, [file])
                    if file.table in of_table:
                        self._rollups.lose(of_table[file.table], file.last)
                self._rollups.open()
        return gone

    def _live(self) -> list[catalogue.Stored]:
        return catalogue.live(self._writer.connection, self._writer.folder, "")

    def _replace(self, group: Sequence[catalogue.Stored], merged: files.Written) -> None:
        expected = sum(f.rows for f in group)
        try:
            with self._writer.turn(), self._writer.transaction("merge files of the history"):
                renewed = level_of(merged.table) is not None  # rows that were made anew are not written again
                written = expected if renewed and merged.rows <= expected else merged.rows
                _check_merge(expected, catalogue.drop(self._writer.connection, group), written)
                self._writer.name([merged])
        except BaseException:
            self._writer.forsake([merged])
            raise


def _check_merge(expected: int, gone: int, written: int) -> None:
    """Raise ConflictError where a merge is not row for row what it replaces: retention dropped an input meanwhile."""
    if not expected == gone == written:
        raise ConflictError(
            f"a merge of {expected} rows found {gone} and wrote {written}",
            code="merge",
            remedy="it is tried again",
        )
