"""A twin to ask: its state, its history, its assets, its facts, each as a table."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import pyarrow as pa

from gemel.face.asks import Paths, at_text, times
from gemel.face.frame import samples
from gemel.face.instants import Instant, Span, span
from gemel.face.rerun import Replayed, Rerun
from gemel.face.table import Table
from gemel.face.tried import Tried
from gemel.history.formats import TIME
from gemel.samples.clock import SECOND
from gemel.serve.spans import read as read_span

EVER: Final = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
RELATED: Final = frozenset(
    {
        "name",
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


class Twin(Tried):
    """A twin that is read; `gemel.open` gives one. Nothing here changes the plant or its twin.

    Times are ISO 8601 texts, datetimes (without a zone: UTC), `numpy.datetime64`, pandas timestamps or [ns]; signals are
    paths, their last parts or patterns with ``*``.
    """

    def state(self, asset: str, at: Instant | None = None, known: Instant | None = None) -> Table:
        """Give what an asset's properties show, now or as they stood at a time, from what had been received by `known`.

        >>> import gemel
        >>> twin = gemel.open("examples/water-loop")
        >>> twin.state("skoltech/water-loop/bench/rig")["quality"][0]
        'none'
        """
        told = self._json(f"/state/{asset}", at=at_text(at), known=at_text(known))
        rows = [{"property": name, **shown} for name, shown in told["properties"].items()]
        columns = [
            pa.array([row[f.name] for row in rows]).cast(f.type)
            if f.type != TIME
            else times([row[f.name] for row in rows])
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
        return self._table("/latest", signal=signals)

    def find(
        self, *, type: str | None = None, where: Paths = (), limit: int | None = None, **related: Any,  # noqa: A002 - the plant file's word
    ) -> Table:  # fmt: skip
        """Give the assets for which everything asked holds: path, name, title, type, parent, and what `where` looked at.

        Args:
            type: of this type, or of one that extends it.
            where: conditions such as ``"wear>0.2"``, ``"head<=3 bar"``, ``"running=stopped"``.
            limit: at most so many; all, if left out.
            related: `name`, `under`, `part_of`, `downstream_of`, `upstream_of`, `related_to` with `relation` and `direction`, `depth`,
                `quality`, `alarm`, as ``GET /api/v1/assets`` takes them.

        >>> import gemel
        >>> gemel.open("examples/water-loop").find(type="PumpRig")["name"]
        ['rig']
        """
        if unknown := related.keys() - RELATED:
            raise TypeError(f"find() has no parameter {min(unknown)!r}; it has {', '.join(sorted(RELATED))}")
        conditions = [where] if isinstance(where, str) else list(where)
        return self._table("/assets", limit=limit, type=type, where=conditions or None, **related)

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
            columns[name] = times(texts) if name in ("at", "recorded") else pa.array(texts, pa.string())
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
