"""Numbers for Prometheus, in its text format (version 0.0.4)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from gemel import __version__
from gemel.samples.clock import SECOND
from gemel.serve.access import Asked, Viewer
from gemel.serve.hub import Hub
from gemel.serve.intake import Intake

router = APIRouter(tags=["metrics"])
MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, _: Viewer, twin: Asked) -> Response:
    """Give the numbers that a watcher wants."""
    return Response("".join(_lines(request.app.state, twin)), media_type=MEDIA_TYPE)


def _lines(state: Any, twin: Asked) -> Iterator[str]:
    values, link = twin.values, twin.link()
    hub: Hub = state.hub
    intake: Intake = state.intake
    seen, stale = values.seen, values.stale
    yield from _metric("gemel_info", "gauge", "What runs here.", {f'version="{__version__}"': 1})
    yield from _metric("gemel_up", "gauge", "Whether the twin process is heard.", {"": int(link["up"])})
    yield from _metric(
        "gemel_link_age_seconds", "gauge", "Since when the twin was last heard.", {"": link["age_s"]}
    )
    yield from _metric(
        "gemel_behind_seconds", "gauge", "How far the fold is behind its log.", {"": values.behind_s}
    )
    yield from _metric(
        "gemel_plant_time_seconds", "gauge", "The plant's time.", {"": values.plant_time / SECOND}
    )
    yield from _metric("gemel_signals", "gauge", "Signals of the registry.", {"": len(seen)})
    yield from _metric(
        "gemel_signals_seen", "gauge", "Signals ever received.", {"": int(np.count_nonzero(seen))}
    )
    yield from _metric(
        "gemel_signals_stale", "gauge", "Signals silent too long.", {"": int(np.count_nonzero(seen & stale))}
    )
    yield from _metric("gemel_facts_total", "counter", "Facts in the record.", {"": values.facts})
    yield from _metric("gemel_live_clients", "gauge", "Open live views.", {"": len(hub)})
    yield from _metric(
        "gemel_live_frames_total", "counter", "Value frames offered to live views.", {"": hub.frames_sent}
    )
    yield from _metric("gemel_http_values_total", "counter", "Readings taken over HTTP.", {"": intake.values})
    refused = {f'reason="{_escaped(r)}"': n for r, n in intake.refusals.counts.items()}
    yield from _metric("gemel_http_refused_total", "counter", "Readings refused over HTTP.", refused)


def _metric(name: str, kind: str, words: str, samples: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {words}\n# TYPE {name} {kind}\n"
    for labels, value in samples.items():
        yield f"{name}{{{labels}}} {value}\n" if labels else f"{name} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
