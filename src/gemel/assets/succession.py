"""Which signal of the applied registry each signal of a changed plant file is.

A path that is known keeps its signal. One that is new may say what it was called (`formerly`, of the asset or of the
signal) and keeps that signal, with its permanent uid and its number. Where the stored numbers would mean something
else (another unit, other states), a new signal goes on from the former one, which retires. What the file no longer
has retires too: its row stays, and with it its history.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.samples import Registry
from gemel.samples.batch import I32
from gemel.samples.lineage import same_meaning

if TYPE_CHECKING:
    from gemel.assets.fleet import Fleet
    from gemel.assets.plant import Plant

_OWN: Final = (
    "path",
    "unit",
    "kind",
    "states",
    "retention",
    "source",
)  # what a plant file may change of a row
_MEANING: Final = ("unit", "kind", "states")


@dataclass(frozen=True, eq=False)
class Succession:
    """What becomes of the applied signals.

    Args:
        registry: the applied one with what the plant file changes and adds; the very same where it is nothing.
        numbers: number there of each signal of the plant's own registry.
        before: number of the applied signal that it is, or goes on from; -1 for a new one.
        removed: numbers that retire without a successor.

    """

    registry: Registry
    numbers: I32
    before: I32
    removed: I32

    @property
    def fresh(self) -> npt.NDArray[np.intp]:
        """Places in the plant's own registry of the signals that were not there in any form."""
        return np.flatnonzero(self.before < 0)

    @property
    def continued(self) -> npt.NDArray[np.intp]:
        """Places of the signals that go on from another one."""
        return np.flatnonzero((self.before >= 0) & (self.before != self.numbers))


def succeed(applied: Registry, plant: "Plant") -> Succession:
    """Carry the applied registry over to a changed plant file; pure, and a function of the two alone."""
    own = plant.own_registry
    before = applied.numbers_of(own)
    for place, number in _claimed(applied, plant, before):
        before[place] = number
    for place, number in _revived(applied, own, before):
        before[place] = number
    numbers = np.where(before >= 0, before, 0)
    keeps = (before >= 0) & _unchanged(own.table, applied.table, numbers)
    numbers = np.where(keeps, before, -1)
    for place in np.flatnonzero(~keeps & (before >= 0)).tolist():
        if same_meaning(applied.row(int(before[place])), own.row(place)):
            numbers[place] = before[place]
    added = np.flatnonzero(numbers < 0)
    numbers[added] = len(applied) + np.arange(len(added))
    removed = np.setdiff1d(np.flatnonzero(~applied.retired), before).astype(np.int32)
    registry = _grown(applied, own, numbers.astype(np.int32), before)
    return Succession(registry, numbers.astype(np.int32), before, removed)


# ---- who is who


def formerly(fleet: "Fleet") -> Mapping[int, str]:
    """Give the former path of each asset that says one, or that is part of one that does."""
    said = {
        fleet.paths[row]: f"{fleet.root}/{word.removeprefix(fleet.root + '/')}"
        for row, word in fleet.formerly.items()
    }
    if not said:
        return {}
    found = {}
    for row, path in enumerate(fleet.paths):
        head = path
        while head not in said and head.count("/") > 1:
            head = head.rpartition("/")[0]
        if head in said:
            found[row] = said[head] + path[len(head) :]
    return found


def _claimed(applied: Registry, plant: "Plant", before: I32) -> Iterator[tuple[int, int]]:
    """Find the signals that new paths were before, by what the plant file says they were called."""
    layout, moved = plant.layout, formerly(plant.assets)
    renamed = np.array([bool(s.formerly) for s in layout.specs], np.bool_)
    asked = before < 0
    if len(layout) and len(layout) == len(asked):
        mentioned = renamed[layout.spec]
        if moved:
            mentioned = mentioned | np.isin(layout.asset, np.fromiter(moved, np.int32))
        asked = asked & mentioned
    lanes = plant.own_registry.table.column("lane")
    taken = set(before[before >= 0].tolist())
    for place in np.flatnonzero(asked).tolist():
        path = plant.own_registry.paths[place]
        for candidate in _names_before(plant, moved, path):
            number = _live(applied, candidate, lanes[place].as_py())
            if number is not None and number not in taken:
                taken.add(number)
                yield place, number
                break


def _names_before(plant: "Plant", moved: Mapping[int, str], path: str) -> Iterator[str]:
    asset, _, name = path.rpartition("/")
    row = plant.assets.find(asset)
    if row is None:
        return
    was = next((s.formerly for s in plant.template(row).signals if s.name == name), "")
    for head in (moved.get(row), asset):
        if head is not None:
            yield f"{head}/{name}"
            if was:
                yield f"{head}/{was}"


def _live(registry: Registry, path: str, lane: str) -> int | None:
    number = registry.find(path, lane)
    return None if number is None or registry.retired[number] else number


def _revived(applied: Registry, own: Registry, before: I32) -> Iterator[tuple[int, int]]:
    """Find what was removed once and is there again."""
    if not applied.retired.any():
        return
    lanes, taken = own.table.column("lane"), set(before[before >= 0].tolist())
    for place in np.flatnonzero(before < 0).tolist():
        number = applied.find(own.paths[place], lanes[place].as_py())
        if number is not None and number not in taken:
            taken.add(number)
            yield place, number


# ---- the grown table


def _unchanged(own: pa.Table, applied: pa.Table, numbers: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell which signals are declared word for word as the applied one in that row."""
    same = np.ones(len(own), np.bool_)
    if not len(applied):
        return same
    for name in _MEANING:
        mine, theirs = own.column(name), applied.column(name).take(numbers)
        if pa.types.is_list(mine.type):
            mine, theirs = (pc.binary_join(c, "\0") for c in (mine, theirs))
        same &= pc.equal(mine, theirs).to_numpy(zero_copy_only=False).astype(np.bool_)
    return same


def _grown(applied: Registry, own: Registry, numbers: I32, before: I32) -> Registry:
    """Give the applied table, rows in place, with what the plant file says of them, and its new rows behind."""
    n = int(max(len(applied), numbers.max(initial=-1) + 1))
    told = np.full(n, -1, np.int64)
    told[numbers] = np.arange(len(numbers))
    fresh = told[len(applied) :]
    index = pa.array(np.where(told >= 0, told, len(own) + np.arange(n)))
    columns: dict[str, Any] = {
        name: pa.chunked_array(
            [*own.table.column(name).chunks, *applied.table.column(name).chunks], own.table.column(name).type
        ).take(index)
        for name in _OWN
    }
    for name in ("lane", "partition"):
        columns[name] = _appended(applied.table.column(name), own.table.column(name).take(fresh))
    uids, formers = _identities(applied, own, fresh, before)
    columns["uid"] = _appended(applied.table.column("uid"), uids)
    columns["formerly"] = _appended(applied.table.column("formerly"), formers)
    columns["retired"] = pa.array(told < 0)
    schema = applied.table.schema
    grown = Registry(pa.table([columns[f.name] for f in schema], schema=schema).combine_chunks())
    return applied if grown.table.equals(applied.table) else grown


def _identities(
    applied: Registry, own: Registry, fresh: npt.NDArray[np.int64], before: I32
) -> tuple[pa.Array, pa.Array]:
    """Give the uids of new rows, and those of the signals that they go on from."""
    known = applied.table.column("uid").combine_chunks()
    was = before[fresh]
    formers = pc.fill_null(known.take(pa.array(np.where(was < 0, 0, was), mask=was < 0)), "")
    uids = own.table.column("uid").take(fresh).combine_chunks()
    clashes = np.flatnonzero(pc.is_in(uids, value_set=known).to_numpy(zero_copy_only=False))
    if not len(clashes):
        return uids, formers
    named = uids.to_pylist()
    for at in clashes.tolist():  # the path was another signal's: that one keeps its uid, retired or renamed
        row = own.row(int(fresh[at]))
        seed = f"{row['path']}\0{row['lane']}\0{formers[at].as_py()}\0{len(applied)}"
        named[at] = hashlib.sha256(seed.encode()).hexdigest()[:20]
    return pa.array(named, pa.string()), formers


def _appended(column: pa.ChunkedArray, more: Any) -> pa.ChunkedArray:
    chunks = more.chunks if isinstance(more, pa.ChunkedArray) else [more]
    return pa.chunked_array([*column.chunks, *chunks], column.type)
