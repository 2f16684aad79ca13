"""Where `gemel history` gets its answers: a running twin by its API, else the lake, read-only."""

import fnmatch
import http.client
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

import numpy as np

from gemel.errors import ConfigError, NotFoundError
from gemel.history import Exported, Reader, export_csv
from gemel.operate.places import Places, read_running
from gemel.samples import Registry
from gemel.samples import status as statuses
from gemel.samples.batch import F64, I64, U32
from gemel.samples.clock import DAY, SECOND, iso

TIMEOUT_S: Final = 30


@dataclass(frozen=True)
class Answer:
    """Columns of one signal; a value that is NaN is a gap."""

    path: str
    unit: str
    time: I64
    value: F64
    status: U32

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Give time, value and status as words."""
        for time, value, status in zip(self.time.tolist(), self.value.tolist(), self.status.tolist(), strict=True):
            yield iso(time), "-" if np.isnan(value) else f"{value:.10g}", statuses.name(status)

    def as_json(self) -> dict[str, Any]:
        """Give it as GET /api/v1/history does, with times as text."""
        values = [None if np.isnan(v) else v for v in self.value.tolist()]
        times = [iso(t) for t in self.time.tolist()]
        return {"signal": self.path, "unit": self.unit, "time": times, "value": values, "status": self.status.tolist()}


class Source(Protocol):
    """Answers about history."""

    registry: Registry

    def newest(self) -> int:
        """Give the time of the newest reading [ns]."""

    def ask(self, signal: int, start: int, end: int, points: int | None, interval: int | None, aggregate: str) -> Answer:
        """Give a signal's readings: raw, decimated, or one an interval [ns]."""

    def export(self, signals: Sequence[int], start: int, end: int, out: TextIO) -> int:
        """Write all readings as CSV; gives how many."""


def choose(registry: Registry, patterns: Sequence[str]) -> list[int]:
    """Give the signals that a pattern names, by their whole path or its last parts; raises NotFoundError."""
    chosen: list[int] = []
    for pattern in patterns:
        found = [i for i, p in enumerate(registry.paths) if fnmatch.fnmatchcase(p, pattern) or fnmatch.fnmatchcase(p, f"*/{pattern}")]
        if not found:
            raise NotFoundError(f"no signal is called {pattern!r}", remedy="gemel history PLANT lists them")
        chosen += [i for i in found if i not in chosen]
    return chosen


@contextmanager
def open_source(data: Path) -> Iterator[Source]:
    """Give the running twin where one answers, else its lake; raises ConfigError where there is no data."""
    places = Places(data)
    if not places.registry.exists():
        raise ConfigError(f"no data of a twin in {data}", remedy="start it once with gemel run, or name its directory with --data")
    registry = Registry.from_bytes(places.registry.read_bytes())
    running = read_running(data)
    if running is not None:
        twin = TwinSource(registry, running.url)
        if twin.answers():
            yield twin
            return
    with Reader(places.lake) as reader:
        yield LakeSource(registry, reader)


class LakeSource:
    """Reads the lake of a twin that does not run."""

    def __init__(self, registry: Registry, reader: Reader) -> None:
        self.registry = registry
        self._reader = reader

    def newest(self) -> int:
        """Give the time of the newest reading [ns]; 0 where there is none."""
        return self._reader.latest() or 0

    def ask(self, signal: int, start: int, end: int, points: int | None, interval: int | None, aggregate: str) -> Answer:
        """Give a signal's readings."""
        row = self.registry.row(signal)
        if interval is not None:
            found = self._reader.aggregated(signal, start, end, interval, aggregate)
            return Answer(row["path"], row["unit"], found.times, found.values, found.worst)
        if points is not None:
            rows = self._reader.decimated(signal, start, end, points)
        else:
            rows = self._reader.raw([signal], start, end)
        return Answer(row["path"], row["unit"], rows.time, rows.value, rows.status)

    def export(self, signals: Sequence[int], start: int, end: int, out: TextIO) -> int:
        """Write all readings as CSV."""
        rows = [self.registry.row(s) for s in signals]
        named = [Exported(s, r["path"], r["unit"]) for s, r in zip(signals, rows, strict=True)]
        return export_csv(self._reader, named, start, end, out)


class TwinSource:
    """Asks a running twin, which knows the last seconds too."""

    def __init__(self, registry: Registry, url: str) -> None:
        self.registry = registry
        self._url = f"{url}/api/v1"

    def answers(self) -> bool:
        """Tell whether a twin is there and lets us ask."""
        try:
            self._get("/signals", limit=1)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def newest(self) -> int:
        """Give the plant's time [ns]."""
        return _nanoseconds(self._get("/health")["plant_time"])

    def ask(self, signal: int, start: int, end: int, points: int | None, interval: int | None, aggregate: str) -> Answer:
        """Give a signal's readings, page by page."""
        row = self.registry.row(signal)
        more: dict[str, Any] = {} if points is None else {"points": points}
        if interval is not None:
            more = {"interval": _span(interval), "aggregate": aggregate}
        pages = []
        since: str | None = iso(start)
        while since is not None:
            page = self._get("/history", signal=row["path"], lane=row["lane"], start=since, end=iso(end), **more)
            pages.append(page)
            since = page.get("next")
        value = [np.nan if v is None else v for p in pages for v in p["value"]]
        time = np.array([t for p in pages for t in p["time"]])
        status = np.array([s for p in pages for s in p["status"]], np.uint32)
        return Answer(row["path"], row["unit"], np.rint(time * 1e6).astype(np.int64) * 1000, np.array(value, float), status)

    def export(self, signals: Sequence[int], start: int, end: int, out: TextIO) -> int:
        """Write all readings as CSV, as they stream in."""
        out.write("signal,unit,time,value,status\n")
        rows = 0
        for signal in signals:
            row = self.registry.row(signal)
            with self._open("/history", signal=row["path"], lane=row["lane"], start=iso(start), end=iso(end), format="csv") as lines:
                next(lines, None)
                for line in lines:
                    out.write(f"{row['path']},{row['unit']},{line.decode()}")
                    rows += 1
        return rows

    def _get(self, path: str, **query: Any) -> Any:
        with self._open(path, **query) as answer:
            return json.load(answer)

    def _open(self, path: str, **query: Any) -> Any:
        return urllib.request.urlopen(f"{self._url}{path}?{urllib.parse.urlencode(query)}", timeout=TIMEOUT_S)  # noqa: S310 - our own address


def _nanoseconds(text: str) -> int:
    whole, _, fraction = text.rstrip("Z").partition(".")
    return int(np.datetime64(whole, "s").astype(np.int64)) * SECOND + int(fraction.ljust(9, "0")[:9] or 0)


def _span(ns: int) -> str:
    """Write a length of time as the API reads it: a whole number of the largest unit that fits."""
    for unit, size in (("d", DAY), ("h", 3600 * SECOND), ("min", 60 * SECOND), ("s", SECOND)):
        if ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{max(ns // 1_000_000, 1)}ms"
