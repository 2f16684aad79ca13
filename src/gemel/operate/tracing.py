"""OpenTelemetry traces of a sample's way: what each step took, for one frame a second.

    ingest: receive ─► append     twin: fold ─► tell
                                        └─────► store

A frame that is traced carries its trace (W3C Trace Context, ``traceparent``) in its header, so that the twin's spans
belong to it. Where they go is said by OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``); without one,
or without the extra ``otel``, nothing is traced and nothing is paid.
"""

import importlib.util
import logging
import os
import time
from dataclasses import dataclass
from typing import Any, Final

from gemel import __version__
from gemel.bus import FrameHeader

log = logging.getLogger(__name__)
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SPACING_S: Final = 1.0  # one traced frame a second tells the way as well as each would
MOST: Final = 64  # traced frames on their way through the twin


def tracer_of(process: str) -> Any:
    """Give the tracer of a process, None where nothing is to be traced."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    if importlib.util.find_spec("opentelemetry.exporter") is None or importlib.util.find_spec("opentelemetry.sdk") is None:
        log.warning("traces are asked for, and OpenTelemetry is not installed: pip install 'gemel[otel]'")
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"gemel-{process}", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("gemel", __version__)


class Departures:
    """The way in: begins a trace for one frame a second."""

    def __init__(self, tracer: Any = None) -> None:
        self._tracer = tracer
        self._last = -SPACING_S

    def begin(self, rows: int, received: int) -> "Departure | None":
        """Begin a frame's trace, with the time at which its oldest row was received [ns]; None: not this one."""
        if self._tracer is None or time.monotonic() - self._last < SPACING_S:
            return None
        self._last = time.monotonic()
        return Departure(self._tracer, rows, received)


class Departure:
    """One traced frame on its way into the log."""

    def __init__(self, tracer: Any, rows: int, received: int) -> None:
        from opentelemetry import trace

        now = time.time_ns()
        self._root = tracer.start_span("sample", start_time=min(received, now), attributes={"gemel.rows": rows})
        context = trace.set_span_in_context(self._root)
        tracer.start_span("receive", context, start_time=min(received, now)).end(now)
        self._append = tracer.start_span("append", context, start_time=now)
        told = self._root.get_span_context()
        self.traceparent = f"00-{told.trace_id:032x}-{told.span_id:016x}-01"

    def landed(self) -> None:
        """The log has it."""
        self._append.end()
        self._root.end()


@dataclass(slots=True)
class _Arrival:
    context: Any
    sequence: int
    rows: int
    read: int
    folded: int = 0
    told: bool = False


class Arrivals:
    """The twin's part: from the log to state, to those who look, and to the lake."""

    def __init__(self, tracer: Any = None) -> None:
        self._tracer = tracer
        self._under_way: list[_Arrival] = []

    def read(self, header: FrameHeader, sequence: int) -> None:
        """A frame was read from the log."""
        if self._tracer is None or not header.trace or len(self._under_way) >= MOST:
            return
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({"traceparent": header.trace})
        self._under_way.append(_Arrival(context, sequence, header.rows, time.time_ns()))

    def folded(self, position: int) -> None:
        """State has reached a position of the log."""
        for a in self._under_way:
            if not a.folded and a.sequence <= position:
                a.folded = self._span("fold", a, a.read)

    def told(self) -> None:
        """Whoever looks was told."""
        for a in self._under_way:
            if a.folded and not a.told:
                a.told = True
                self._span("tell", a, a.folded)

    def stored(self, position: int) -> None:
        """The lake has reached a position of the log."""
        for a in self._under_way:
            if a.folded and a.sequence <= position:
                self._span("store", a, a.folded)
        self._under_way = [a for a in self._under_way if not a.folded or a.sequence > position]

    def _span(self, name: str, arrival: _Arrival, start: int) -> int:
        now = time.time_ns()
        facts = {"gemel.rows": arrival.rows, "gemel.position": arrival.sequence}
        self._tracer.start_span(name, arrival.context, start_time=start, attributes=facts).end(now)
        return now
