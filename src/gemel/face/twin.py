"""A twin to ask: its state, its history, its assets, its facts, each as a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, Protocol, Self

import orjson
import pyarrow as pa

from gemel.assets import Plant
from gemel.errors import ConfigError, StorageError
from gemel.face.calibrate import Calibrated
from gemel.face.calibrate import answer as calibrated
from gemel.face.frame import samples
from gemel.face.instants import Instant, Span, instant, span
from gemel.face.life import Life, foretold, seconds
from gemel.face.rerun import Replayed, Rerun
from gemel.face.table import Table
from gemel.face.transport import Transport
from gemel.face.whatif import Asked, WhatIf, answer
from gemel.history.formats import TIME
from gemel.samples import Registry
from gemel.samples.clock import SECOND
from gemel.serve.spans import read as read_span

EVER: Final = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
PAGE: Final = 1000
RELATED: Final = frozenset(
    {
        "under",
        "part_of",
        "downstream_of",
        "upstream_of",
        "related_to",
        "relation",
        "direction",
        "depth",
        "quality",
        "alarm",
    }
)
COARSE: Final = 10 * SECOND  # a tick where nothing waits for one
STATE: Final = pa.schema(
    [("property", pa.string()), ("value", pa.float64()), ("text", pa.string()), ("unit", pa.string()), ("quality", pa.string()),
     ("status", pa.uint32()), ("lane", pa.string()), ("time", TIME), ("received", TIME)]
)  # fmt: skip
Paths = str | Sequence[str]


class Site(Protocol):
    """What is in force; a changed plant file takes the former one's place while one looks."""

    @property
    def plant(self) -> Plant:
        """The plant file."""

    @property
    def registry(self) -> Registry:
        """The numbers of its signals."""


class Twin:
    """A twin that is read; `gemel.open` gives one. Nothing here changes the plant or its twin.

    Times are ISO 8601 texts, datetimes (without a zone: UTC), `numpy.datetime64`, pandas timestamps or [ns]; signals are
    paths, their last parts or patterns with ``*``.
    """

    def __init__(self, transport: Transport, site: Site | None = None) -> None:
        self._transport = transport
        self._site = site

    @property
    def plant(self) -> Plant:
        """The plant file in force; raises ConfigError where only an address is known."""
        if self._site is None:
            raise ConfigError(
                "a twin by its address does not give its plant file",
                remedy="open the plant's folder for this",
            )
        return self._site.plant

    @property
    def now(self) -> int:
        """The plant's time [ns]: of a twin that does not run, that of its newest reading; 0: there is none."""
        told = self._json("/health")["plant_time"]
        return 0 if told is None else int(_times([told]).cast(pa.int64())[0].as_py())

    @property
    def registry(self) -> Registry:
        """The numbers of the signals in a data directory; a plant file's own, where there is none."""
        return self.plant.registry() if self._site is None else self._site.registry

    def state(self, asset: str, at: Instant | None = None, known: Instant | None = None) -> Table:
        """Give what an asset's properties show, now or as they stood at a time, from what had been received by `known`.

        >>> import gemel
        >>> twin = gemel.open("examples/water-loop")
        >>> twin.state("skoltech/water-loop/bench/rig")["quality"][0]
        'none'
        """
        told = self._json(f"/state/{asset}", at=_at(at), known=_at(known))
        rows = [{"property": name, **shown} for name, shown in told["properties"].items()]
        columns = [
            pa.array([row[f.name] for row in rows]).cast(f.type)
            if f.type != TIME
            else _times([row[f.name] for row in rows])
            for f in STATE
        ]
        return Table(pa.table(columns, schema=STATE), {"asset": told["asset"], "at": told["at"]})

    def latest(self, signals: Paths | None = None) -> Table:
        """Give what many properties show now, of all signals or of those meant: signal, unit, value, quality, status, lane,
        time, received.

        >>> import gemel
        >>> gemel.open("examples/water-loop").latest("rig/*")["quality"][0]
        'none'
        """
        return Table(self._arrow("/latest", signal=signals))

    def history(
        self, signals: Paths, start: Instant | None = None, end: Instant | None = None, *, points: int | None = None,
        every: Span | None = None, aggregate: str = "mean", known: Instant | None = None, lane: str | None = None,
    ) -> Table:  # fmt: skip
        """Give what was measured: signal, unit, time, value, status, a row a reading.

        Args:
            signals: which.
            start: first time; an hour before the end, if left out.
            end: the time after the last; now, if left out.
            points: decimated as for a trend so many pixels wide: spikes stay.
            every: one value an interval, by `aggregate` (mean, time_weighted_mean, min, max, count, last, worst).
            aggregate: with `every`.
            known: only what had been received by then.
            lane: of these properties; measured, if left out.

        >>> import gemel
        >>> gemel.open("examples/water-loop").history("rig/flow", "2020-03-09", "2020-03-10").columns
        ['signal', 'unit', 'time', 'value', 'status', 'received', 'sigma']
        """
        asked: dict[str, Any] = {"start": _at(start), "end": _at(end), "lane": lane}
        if points is None and every is None:
            return Table(self._arrow("/history/export", signal=signals, known=_at(known), **asked))
        asked |= {"points": points} if every is None else {"interval": span(every), "aggregate": aggregate}
        return Table(pa.concat_tables([self._columns(s, asked) for s in self.paths(signals, lane)]))

    def aligned(
        self, signals: Paths, start: Instant | None = None, end: Instant | None = None, *, every: Span | None = None,
        at: Sequence[Instant] | None = None, on: str | None = None, how: Literal["last", "linear", "mean"] = "last",
        tolerance: Span | None = None, lane: str | None = None,
    ) -> Table:  # fmt: skip
        """Give signals side by side at common times: ``time``, and for each signal its value and ``NAME.status``.

        Args:
            signals: which; a column is called as it was asked for, where that named one signal.
            start: first time; an hour before the end, if left out.
            end: the time after the last; now, if left out.
            every: a row each, from `start` on.
            at: a row at each of these times.
            on: a row at each reading of this signal: an as-of join.
            how: ``last`` (the newest usable reading), ``linear`` (between two), ``mean`` (of each interval of `every`).
            tolerance: how long a reading holds; each signal's `stale_after`, if left out.
            lane: of these properties; measured, if left out.

        >>> import gemel
        >>> twin = gemel.open("examples/water-loop")
        >>> twin.aligned(["flow", "pressure"], "2020-03-09", "2020-03-10", every="6h")
        <4 rows: time, flow, flow.status, pressure, pressure.status>
        """
        times = None if at is None else [instant(t) for t in at]
        return Table(
            self._arrow(
                "/history/aligned", signal=signals, start=_at(start), end=_at(end), every=_span(every), at=times, on=on, how=how,
                tolerance=_span(tolerance), lane=lane,
            )
        )  # fmt: skip

    def find(
        self, *, type: str | None = None, where: Paths = (), limit: int | None = None, **related: Any,  # noqa: A002 - the plant file's word
    ) -> Table:  # fmt: skip
        """Give the assets for which everything asked holds: path, name, title, type, parent, and what `where` looked at.

        Args:
            type: of this type, or of one that extends it.
            where: conditions such as ``"wear>0.2"``, ``"head<=3 bar"``, ``"running=stopped"``.
            limit: at most so many; all, if left out.
            related: `under`, `part_of`, `downstream_of`, `upstream_of`, `related_to` with `relation` and `direction`, `depth`,
                `quality`, `alarm`, as ``GET /api/v1/assets`` takes them.

        >>> import gemel
        >>> gemel.open("examples/water-loop").find(type="PumpRig")["name"]
        ['rig']
        """
        if unknown := related.keys() - RELATED:
            raise TypeError(f"find() has no parameter {min(unknown)!r}; it has {', '.join(sorted(RELATED))}")
        conditions = [where] if isinstance(where, str) else list(where)
        return Table(self._arrow("/assets", limit=limit, type=type, where=conditions or None, **related))

    def children(self, under: str = "") -> Table:
        """Give what stands directly below an asset or a level, in the order of the plant: path, name, title, kind, and the
        `count` of what stands directly below it in turn; of the enterprise, if left out.

        >>> import gemel
        >>> gemel.open("examples/water-loop").children("bench")["name"]
        ['rig']
        """
        rows: list[dict[str, Any]] = []
        after = None
        while True:
            piece = self._json("/tree", under=under or None, depth=1, after=after)
            rows += piece["children"]
            after = piece["next"]
            if after is None:
                break
        texts = {name: pa.array([r[name] for r in rows], pa.string()) for name in ("path", "name", "title", "kind")}
        return Table(pa.table({**texts, "count": pa.array([r["count"] for r in rows], pa.int64())}))

    def whatif(
        self, asset: str, change: Asked, *, at: Instant | None = None, fork: str | None = None, horizon: Span = "24h", members: int | None = None, seed: int = 0,
        told: Callable[[float], bool] = lambda done: True, **question: Any,
    ) -> WhatIf:  # fmt: skip
        """Ask what would come of a change, from the state of now or of a past time; computed here, written nowhere.

        Args:
            asset: whose type has a dynamic model; several divided by ``+``; an area.
            change: ``"load=+15%"``, the `Path` of a schedule or of orders, several (one scenario), or up to five scenarios by name.
            at: from this time's state; now, if left out.
            fork: from the state that is kept under this name.
            horizon: how far ahead: ``"24h"``, ``"1 year"``.
            members: of the ensemble; None: 1000, of an FMU 100.
            seed: of what is drawn: the same seed gives the same answer.
            told: takes how much is done (0 to 1), gives whether to go on.
            question: `indices`, `uncertain`, `kpis`, `watch`, `step_s`, `points`, `precision`, `leap` as in ``POST /api/v1/scenarios``.

        Raises NotFoundError where the asset's type has no dynamic model, ModelError where that has no such quantity.
        """
        begun = self._json("/whatif", asset=asset, at=_at(at), fork=fork, warm=False)
        asked = {"horizon_s": seconds(horizon), "members": members, "seed": seed, **question}
        return answer(begun, change, begun["at"], self.plant, told, **asked)

    def remaining_life(
        self, asset: str, of: str = "", *, maintain: Paths = (), at: Instant | None = None, horizon: Span | None = None,
        members: int = 2000, seed: int = 0, told: Callable[[float], bool] = lambda done: True, **change: str,
    ) -> Life:  # fmt: skip
        """Ask how long something lives if all goes on, and with a change; computed here, written nowhere.

        Args:
            asset: whose type says under `degradation` what wears out.
            of: which of them; the first, if left out.
            maintain: ``"overhaul"`` (now) or ``"overhaul@30d"``.
            at: from what was known at this time; now, if left out.
            horizon: how far ahead; what the plant file says, if left out.
            members: of the ensemble.
            seed: of what is drawn: the same seed gives the same answer.
            told: takes how much is done (0 to 1), gives whether to go on.
            change: what drives it, by signal or by word: ``load="+15%"``, ``speed="2400 rpm"``.

        Raises NotFoundError where nothing wears out, or nothing of the name of a change drives it.
        """
        changes = [f"{name}={how}" for name, how in change.items()]
        upkeep = [maintain] if isinstance(maintain, str) else list(maintain)
        spec = self._json("/life/record", asset=asset, of=of or None, at=_at(at), change=changes or None, maintain=upkeep or None)
        spec |= {"members": members, "seed": seed}
        if horizon is not None:
            spec["horizon_s"] = seconds(horizon)
        return foretold(spec, told)

    def calibrate(
        self, asset: str, start: Instant | None = None, end: Instant | None = None, *,
        told: Callable[[float], bool] = lambda done: True, **wish: Any,
    ) -> Calibrated:  # fmt: skip
        """Fit the parameters of an asset's model to its history, against those in force; computed here, written nowhere.

        Args:
            asset: path; its type has a dynamic model.
            start: of the history; an hour before its end, if left out.
            end: of the history; now, if left out.
            told: takes how much is done (0 to 1), gives whether to go on.
            wish: `parameters`, `step_s`, `unseen`, `running`, `regimes`, `block_s`, `most`, `lead`, `starts`, `seed`, `blamed`
                as in ``POST /api/v1/assets/{path}/calibrations``.

        Raises ModelError where the asset's type has no dynamic model, or the history nothing to fit.
        """
        try:
            versions = self._json("/releases", asset=asset)["items"]
        except StorageError:  # the record is asked of a running twin; else what the plant file says is in force
            versions = []
        champion = next((v for v in versions if v["state"] == "in_force"), None)

        def rows(line: Any) -> pa.Table:
            return self.history(line.path, start, end, lane=line.spec.lane).arrow

        return calibrated(self.plant, asset, wish, rows, champion, told)

    def signals(self, asset: str | None = None) -> Table:
        """Give the signals, of an asset or all: path, asset, name, unit, kind, lane.

        >>> import gemel
        >>> gemel.open("examples/water-loop").signals().columns
        ['path', 'asset', 'name', 'unit', 'kind', 'lane']
        """
        rows = list(self._pages("/signals", None, asset=asset))
        return Table(
            pa.table(
                {
                    name: pa.array([row[name] for row in rows], pa.string())
                    for name in ("path", "asset", "name", "unit", "kind", "lane")
                }
            )
        )

    def facts(
        self, kind: str | None = None, subject: str | None = None, *, after: int = 0, limit: int | None = None
    ) -> Table:
        """Give the record of facts: seq, kind, at, recorded, actor, subject, reason, cause, id, and body as JSON.

        Only a running twin can be asked; raises StorageError else.
        """
        rows = list(self._pages("/facts", limit, kind=kind, subject=subject, after=after or None))
        columns: dict[str, pa.Array] = {"seq": pa.array([r["seq"] for r in rows], pa.int64())}
        for name in ("kind", "at", "recorded", "actor", "subject", "reason", "cause", "id"):
            texts = [r[name] for r in rows]
            columns[name] = _times(texts) if name in ("at", "recorded") else pa.array(texts, pa.string())
        columns["body"] = pa.array([orjson.dumps(r["body"]).decode() for r in rows], pa.string())
        return Table(pa.table(columns))

    def condition(self, frame: Any, columns: Mapping[str, str] | None = None) -> Table:
        """Judge a data frame's readings by the plant file's checks, as a running twin would.

        Args:
            frame: pandas, polars, Arrow, or a mapping of columns: ``time`` and a column a signal, or long (``signal``,
                ``time``, ``value``). Numbers as the source sends them; what comes out is in the declared unit.
            columns: which column is which signal; others are left out. None: every column is one.

        Gives signal, unit, time, value, status, received by signal and time; ``notes["counts"]`` says how many were found
        to be what.

        >>> import gemel
        >>> twin = gemel.open("examples/water-loop")
        >>> judged = twin.condition({"time": ["2020-03-09T10:00:00Z", "2020-03-09T10:00:01Z"], "rig/pressure": [0.5, 99.0]})
        >>> judged["status"], judged.notes["counts"]["out_of_range"]
        ([0, 2151417344], 1)
        """
        batch = samples(frame, self.registry, columns)
        span_ns = int(batch.received[-1] - batch.received[0]) if len(batch) else 0
        done = Rerun(self.plant, self.registry).run(batch, max(COARSE, span_ns // 10_000))
        return Table(done.rows.arrow, {"counts": done.counts})

    def replay(self, frame: Any, columns: Mapping[str, str] | None = None, *, tick: Span = "1s") -> Replayed:
        """Fold a data frame as a running twin would: judged rows, the state at its end, the alarms on the way.

        Args:
            frame: as `condition` takes it.
            columns: as `condition` takes them.
            tick: how finely the plant's time passes: delays of alarms end at ticks. A running twin ticks each 100 ms.

        >>> import gemel
        >>> twin = gemel.open("examples/water-loop")
        >>> times = [f"2020-03-09T10:00:{s:02d}Z" for s in range(30)]
        >>> done = twin.replay({"time": times, "rig/flow": [32.0] * 10 + [20.0] * 20})
        >>> done.facts["kind"], done.state["value"]
        (['AlarmRaised'], [20.0])
        """
        given = span(tick)
        return Rerun(self.plant, self.registry).run(samples(frame, self.registry, columns), read_span(given))

    def export(
        self,
        signals: Paths,
        start: Instant | None,
        end: Instant | None,
        form: str,
        *,
        lane: str | None = None,
    ) -> Iterator[bytes]:
        """Give every reading as a file in pieces: ``csv``, ``parquet`` or ``arrow``; any length, in bounded memory."""
        return self.pieces("/history/export", signals, (start, end), form, lane=lane)

    def pieces(
        self,
        path: str,
        signals: Paths,
        between: tuple[Instant | None, Instant | None],
        form: str,
        **query: Any,
    ) -> Iterator[bytes]:
        """Give a table of signals' history, as the API has it under a path, as a file in pieces."""
        spans = {name: _span(query.pop(name, None)) for name in ("every", "tolerance")}
        start, end = (_at(t) for t in between)
        return self._transport.get(
            path, {"signal": signals, "start": start, "end": end, "format": form, **spans, **query}
        )

    def paths(self, signals: Paths, lane: str | None = None) -> list[str]:
        """Give the paths of the signals that are meant; raises NotFoundError for what means none."""
        return [item["path"] for item in self._pages("/signals", None, signal=signals, lane=lane)]

    def close(self) -> None:
        """Let go of the data; a second call does nothing."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- asking

    def _json(self, path: str, **query: Any) -> Any:
        return orjson.loads(b"".join(self._transport.get(path, query)))

    def _arrow(self, path: str, **query: Any) -> pa.Table:
        return pa.ipc.open_stream(
            b"".join(self._transport.get(path, {**query, "format": "arrow"}))
        ).read_all()

    def _pages(self, path: str, limit: int | None, **query: Any) -> Iterator[dict[str, Any]]:
        left = limit
        while left is None or left > 0:
            page = self._json(path, limit=PAGE if left is None else min(PAGE, left), **query)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            if page["next"] is None:
                return
            query["after"] = page["next"]

    def _columns(self, signal: str, asked: Mapping[str, Any]) -> pa.Table:
        return self._arrow("/history", signal=signal, **asked)


def _at(given: Instant | None) -> str | None:
    return None if given is None else instant(given)


def _span(given: Span | None) -> str | None:
    return None if given is None else span(given)


def _times(texts: Sequence[str | None]) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.timestamp("ns", "UTC"))
