"""Rows that are not newer than what is known of their signal: late ones, corrections, and words taken back.

    rows of some signals ─► times of which both good and bad is said? ─► no: maxima, by arrays
                                                                       ─► yes: one row after another

The row by row machine is the meaning, the arrays are its closed form where nothing is taken back. Words that are
taken back are few: a source's corrections, and readings judged again after a late one.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F32, F64, SIGMA, Batch
from gemel.samples.status import is_bad

Mask = npt.NDArray[np.bool_]
Key = tuple[int, int, int, int, int]  # time, received, bits of the value, status, place of the uncertainty in the order
_NEVER: Final = np.iinfo(np.int64).min
_NONE: Final[Key] = (int(_NEVER), int(_NEVER), int(np.array(np.nan).view(np.uint64)), 0, 0)
_BAD: Final = 0x80000000


def bits(value: F64) -> npt.NDArray[np.uint64]:
    """Give the bits of values, so that NaN too has a place in the order."""
    return np.ascontiguousarray(value).view(np.uint64)


def precision(sigma: F32) -> npt.NDArray[np.int64]:
    """Give the place of uncertainties in the order of samples that are else the same: not known, then by size."""
    ordered = np.ascontiguousarray(sigma).view(np.uint32).astype(np.int64) + 1
    return np.where(np.isnan(sigma), 0, ordered)


def _sigma(place: int) -> np.float32:
    return np.uint32(place - 1).view(SIGMA) if place else SIGMA(np.nan)


def settle(rows: Batch, latest: Batch, former: Batch) -> tuple[Batch, Batch]:
    """Fold rows in, whatever their order.

    Args:
        rows: sorted by signal, in order of arrival within one.
        latest: what is known of each of their signals, one row a signal, sorted by signal.
        former: the newest usable sample before it, likewise.

    Returns:
        What is known then: (latest, former).

    """
    number = np.searchsorted(latest.signal, rows.signal)
    contested = _contested(rows, number, latest, former)
    plain = ~contested[number]
    after = _maxima(rows.take(plain), number[plain], latest, former)
    if not contested.any():
        return after
    return _one_by_one(rows.take(~plain), np.flatnonzero(contested), after)


def _contested(rows: Batch, number: npt.NDArray[np.intp], latest: Batch, former: Batch) -> Mask:
    """Tell for which signals both good and bad is said of one time that may matter: none before the former."""
    matters = rows.time >= former.time[number]
    owner = np.concatenate([number[matters], np.arange(len(latest)), np.arange(len(former))])
    time = np.concatenate([rows.time[matters], latest.time, former.time])
    bad = np.concatenate([is_bad(rows.status[matters]), is_bad(latest.status), is_bad(former.status)])
    order = np.lexsort((bad, time, owner))
    owner, time, bad = owner[order], time[order], bad[order]
    mixed = (owner[1:] == owner[:-1]) & (time[1:] == time[:-1]) & (bad[1:] != bad[:-1])
    found = np.zeros(len(latest), np.bool_)
    found[owner[1:][mixed]] = True
    return found


def _maxima(rows: Batch, number: npt.NDArray[np.intp], latest: Batch, former: Batch) -> tuple[Batch, Batch]:
    newest = _greatest(
        Batch.concat([latest, rows]), np.concatenate([np.arange(len(latest)), number]), len(latest)
    )
    good = Batch.concat([former, latest.take(~is_bad(latest.status)), rows.take(~is_bad(rows.status))])
    owner = np.searchsorted(latest.signal, good.signal)
    before = (good.time < newest.time[owner]) | (good.time == _NEVER)
    return newest, _greatest(good.take(before), owner[before], len(latest))


def _greatest(rows: Batch, owner: npt.NDArray[np.intp], n: int) -> Batch:
    """Give the greatest row of each of `n` owners; each has at least one."""
    keys: tuple[Any, ...] = (rows.status, bits(rows.value), rows.received, rows.time, owner)
    order = np.lexsort(keys if rows.sigma is None else (precision(rows.sigma), *keys))
    last = np.append(owner[order][1:] != owner[order][:-1], True)
    return rows.take(order[last])


def _one_by_one(
    rows: Batch, contested: npt.NDArray[np.intp], known: tuple[Batch, Batch]
) -> tuple[Batch, Batch]:
    """Fold the rows of contested signals in as they came."""
    latest, former = known
    at = {int(latest.signal[i]): int(i) for i in contested}
    state = {s: (_key(latest, i), _key(former, i)) for s, i in at.items()}
    for signal, *row in zip(
        rows.signal.tolist(), rows.time.tolist(), rows.received.tolist(), bits(rows.value).tolist(), rows.status.tolist(),
        precision(rows.uncertainty()).tolist(), strict=True,
    ):  # fmt: skip
        state[signal] = _step(*state[signal], (row[0], row[1], row[2], row[3], row[4]))
    return tuple(  # type: ignore[return-value]
        _with(batch, at, {s: pair[i] for s, pair in state.items()}) for i, batch in enumerate(known)
    )


def _step(latest: Key, former: Key, row: Key) -> tuple[Key, Key]:
    """Fold one row in: the meaning of `latest` and `former`."""
    usable = row[3] < _BAD
    if row[0] > latest[0]:
        return row, latest if latest[0] != _NEVER and latest[3] < _BAD else former
    if row[0] == latest[0]:
        return max(latest, row), former
    if usable:
        return latest, max(former, row)
    return latest, _NONE if row[0] == former[0] and row > former else former


def _key(rows: Batch, i: int) -> Key:
    value, sigma = bits(rows.value[i : i + 1])[0], precision(rows.uncertainty()[i : i + 1])[0]
    return int(rows.time[i]), int(rows.received[i]), int(value), int(rows.status[i]), int(sigma)


def _with(rows: Batch, at: dict[int, int], keys: dict[int, Key]) -> Batch:
    places = np.array([at[s] for s in keys], np.intp)
    time, received, word, status, places_of_sigma = zip(*keys.values(), strict=True)
    new: dict[str, npt.NDArray[Any]] = {
        "time": np.array(time, np.int64), "received": np.array(received, np.int64),
        "value": np.array(word, np.uint64).view(np.float64), "status": np.array(status, np.uint32),
    }  # fmt: skip
    if rows.sigma is not None or any(places_of_sigma):
        rows = rows.with_columns(sigma=rows.uncertainty())
        new["sigma"] = np.array([_sigma(place) for place in places_of_sigma], SIGMA)
    columns = {name: getattr(rows, name).copy() for name in new}
    for name, values in new.items():
        columns[name][places] = values
    return rows.with_columns(**columns)
