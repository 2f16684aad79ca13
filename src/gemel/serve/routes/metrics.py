"""Numbers for Prometheus: what serve sees of the twin, and what each process of the family measures of itself."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.responses import Response

from gemel import __version__
from gemel.operate.measures import MEASURES, Measure, Told
from gemel.samples.clock import SECOND
from gemel.serve.access import Asked, Viewer

router = APIRouter(tags=["metrics"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, _: Viewer, twin: Asked) -> Response:
    """Give the numbers that a watcher wants, in Prometheus's text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Collected([*_seen(request.app.state, twin), *_told(await twin.health())]))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Collected:
    """Families gathered already, in the form that the client library asks for."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _seen(state: Any, twin: Asked) -> Iterator[Metric]:
    values, link = twin.values, twin.link()
    seen, stale = values.seen, values.stale
    info = GaugeMetricFamily("gemel_info", "What runs here.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    gauges = {
        "up": ("Whether the twin process is heard.", int(link["up"])),
        "link_age_seconds": ("Since when the twin was last heard.", link["age_s"]),
        "behind_seconds": ("How far the fold is behind its log.", values.behind_s),
        "plant_time_seconds": ("The plant's time.", values.plant_time / SECOND),
        "signals": ("Signals of the registry.", len(seen)),
        "signals_seen": ("Signals ever received.", int(np.count_nonzero(seen))),
        "signals_stale": ("Signals silent too long.", int(np.count_nonzero(seen & stale))),
        "live_clients": ("Open live views.", len(state.hub)),
    }
    for name, (words, value) in gauges.items():
        yield GaugeMetricFamily(f"gemel_{name}", words, value=value)
    counters = {
        "facts": ("Facts in the record.", values.facts),
        "live_frames": ("Value frames offered to live views.", state.hub.frames_sent),
        "http_values": ("Readings taken over HTTP.", state.intake.values),
    }
    for name, (words, value) in counters.items():
        yield CounterMetricFamily(f"gemel_{name}", words, value=value)
    refused = CounterMetricFamily("gemel_http_refused", "Readings refused over HTTP.", labels=["reason"])
    for reason, n in state.intake.refusals.counts.items():
        refused.add_metric([reason], n)
    yield refused


def _told(health: Mapping[str, Any]) -> Iterator[Metric]:
    """Give what the processes told with their heartbeats; a process that is silent has no numbers."""
    families: dict[str, Metric] = {}
    for process, told in sorted(health.get("told", {}).items()):
        for name, value in sorted(_of(process, told).items()):
            measure = MEASURES.get(name)
            if measure is not None:
                _add(families.setdefault(name, _family(name, measure)), measure, process, value)
    yield from families.values()


def _of(process: str, told: Mapping[str, Any]) -> Told:
    measures: Told = dict(told.get("measures", {}))
    if process == "family":
        kin = told.get("processes", {})
        measures["process_up"] = {name: float(p["state"] == "up") for name, p in kin.items()}
        measures["process_restarts_total"] = {name: float(p["restarts"]) for name, p in kin.items()}
    return measures


def _family(name: str, measure: Measure) -> Metric:
    make = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
    labels = ["process", measure.label] if measure.label else ["process"]
    return make(f"gemel_{name.removesuffix('_total')}", measure.words, labels=labels)


def _add(family: Any, measure: Measure, process: str, value: float | dict[str, float]) -> None:
    if isinstance(value, dict):
        for label, number in value.items():
            family.add_metric([process, label], number)
    elif not measure.label:
        family.add_metric([process], value)
