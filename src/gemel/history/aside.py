"""Takes a damaged file out of the lake: its sound rows stay, the rest is a hole, and the file itself is kept in `damaged/`.

Flow, each step durable before the next, and done again after a crash: a second name for the file → the hole is noted
(one transaction) → the catalogue ends the file → what is sound of it is written anew and named, and the hole becomes
as small as it can be (one transaction). In between, rows are missing and the hole says so; they are never there twice.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from gemel import sealing
from gemel.durable import sync
from gemel.history import catalogue, damage, files, holes, lake
from gemel.history.catalogue import Stored
from gemel.history.damage import Damage
from gemel.history.holes import Hole
from gemel.history.remade import remade
from gemel.history.rollups import Catalogue, RollUps

ASIDE: Final = "damaged"


class Writer(Catalogue, Protocol):
    """What it needs of the writer."""

    @property
    def folder(self) -> Path: ...
    @property
    def path(self) -> Path: ...


class Aside:
    """The damaged files of one writer's lake."""

    def __init__(self, writer: Writer, rollups: RollUps) -> None:
        self._writer = writer
        self._rollups = rollups
        self.holes: tuple[Hole, ...] = ()

    def open(self) -> None:
        """Read the holes there are, and end what a crash left half done."""
        connection = self._writer.connection
        with self._writer.transaction("prepare the history"):
            connection.execute(f"CREATE TABLE IF NOT EXISTS lake.{holes.TABLE} ({holes.COLUMNS})")
        self._read()
        named = {h.file: h for h in self.holes}
        if not named:
            return
        for file in catalogue.live(connection, self._writer.folder, ""):
            if file.path.name in named:
                self._end(file)
        for hole in self.holes:
            if not hole.settled:
                self._settle(hole)

    def take(self, group: Sequence[Stored]) -> bool:
        """Look at files that could not be read; tell whether one was damaged, and is out of the way now."""
        with self._writer.turn():  # merged, or dropped, meanwhile: then they are nobody's any more
            live = {f.id for f in catalogue.live(self._writer.connection, self._writer.folder, "")}
        found = holes.examined([f for f in group if f.id in live])
        for file, one in found:
            self._take(file, one)
        return bool(found)

    def expire(self, table: str, before: int) -> None:
        """Forget the holes of a table that end before a time [ns], with what is kept aside of them."""
        old = [h.file for h in self.holes if h.table == table and h.end < before]
        if old:
            with self._writer.transaction("drop old history"):
                holes.take_away(self._writer.connection, old)
            for name in old:
                (self._writer.path / ASIDE / name).unlink(missing_ok=True)
            self._read()

    def _take(self, file: Stored, found: Damage) -> None:
        self._keep(file.path)
        with self._writer.turn():
            anew = remade(file, holes.of(found, file), self._rollups.state)
            with self._writer.transaction("set a damaged file of the history aside"):
                holes.put(self._writer.connection, anew.hole)
                self._rollups.renew(anew.hours, anew.days)
            self._end(file)
            self._rollups.open()
            self._read()
        if not anew.hole.settled:
            self._settle(anew.hole, found)

    def _keep(self, path: Path) -> None:
        """Give the file a second name, which no tidying takes away."""
        kept = self._writer.path / ASIDE / path.name
        if kept.exists() or not path.exists():
            return
        kept.parent.mkdir(exist_ok=True)
        try:
            os.link(path, kept)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, kept)
        sync(kept, kept.parent, kept.parent.parent)

    def _end(self, file: Stored) -> None:
        """Have no later version name a file; by the catalogue itself, for DuckLake would have to read it."""
        connection = self._writer.connection
        connection.execute(
            f"UPDATE {catalogue.META}.ducklake_data_file SET end_snapshot = {catalogue.version(connection)} "
            f"WHERE data_file_id = {file.id} AND end_snapshot IS NULL"
        )

    def _settle(self, hole: Hole, found: Damage | None = None) -> None:
        """Put what is sound of a file back into the lake, and let the hole be the rest."""
        kept = self._writer.path / ASIDE / hole.file
        found = found or self._found(hole, kept)
        written = _saved(kept, self._writer.folder, found) if found is not None else None
        rest = replace(hole, settled=True) if written is None or found is None else holes.bounded(hole, found)
        try:
            with self._writer.turn(), self._writer.transaction("save what is sound of a damaged file"):
                self._writer.name([written] if written else [])
                holes.put(self._writer.connection, rest)
        except BaseException:
            self._writer.forsake([written] if written else [])
            raise
        with self._writer.turn():
            self._read()

    @staticmethod
    def _found(hole: Hole, kept: Path) -> Damage | None:
        file = Stored(hole.table, kept, hole.rows, 0, hole.start // files.MS, hole.end // files.MS - 1)
        return next(damage.of_file(file), None)

    def _read(self) -> None:
        self.holes = holes.read(self._writer.connection)


def _saved(kept: Path, folder: Path, found: Damage) -> files.Written | None:
    """Write the sound row groups of a damaged file of readings into a new one; None where there are none."""
    if found.rows and not found.groups:
        return None
    writer: files.FileWriter | None = None
    try:
        with sealing.opened(kept) as stored, pq.ParquetFile(stored, page_checksum_verification=True) as content:
            for group in set(range(content.metadata.num_row_groups)) - set(found.groups):
                rows = content.read_row_group(group)
                writer = writer or files.FileWriter(folder / found.table, rows)
                writer.write(rows)
        return writer.finish(found.table) if writer else None
    except BaseException as error:
        if writer is not None:
            writer.discard()
        if isinstance(error, OSError | pa.ArrowException):
            raise lake.storage_error(error, "save what is sound of a damaged file") from error
        raise
