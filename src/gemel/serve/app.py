"""The application: the API under /api/v1, the page under everything else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from gemel import __version__
from gemel.serve import openapi, problems
from gemel.serve.access import Gate
from gemel.serve.guard import Guard
from gemel.serve.hub import Hub
from gemel.serve.intake import Intake
from gemel.serve.listing import Listing
from gemel.serve.names import Names
from gemel.serve.page import Page
from gemel.serve.port import Twin
from gemel.serve.routes import (
    alarms,
    assets,
    calibrations,
    commands,
    exports,
    facts,
    find,
    forks,
    health,
    history,
    latest,
    life,
    live,
    metrics,
    overrides,
    past,
    plant,
    quality,
    reference,
    releases,
    residuals,
    scenarios,
    session,
    state,
    telemetry,
)
from gemel.serve.settings import ServeSettings

PREFIX: Final = "/api/v1"
MOST_BYTES: Final = 1 << 20  # of a request's body; telemetry may be larger
TOPICS: Final = (
    health,
    session,
    find,
    assets,
    past,  # before `state`, whose path takes whatever follows
    state,
    latest,
    history,
    exports,
    facts,
    forks,
    alarms,
    commands,
    overrides,
    plant,
    releases,
    residuals,
    calibrations,
    scenarios,
    life,
    quality,
    telemetry,
    metrics,
    reference,
    live,
)
DESCRIPTION: Final = (
    "A living digital twin of a plant. Lists are {items, next}; next goes back in as `after`. "
    "Errors are application/problem+json with a code and a remedy. Times are ISO 8601 UTC to the nanosecond."
)


def create_app(twin: Twin, settings: ServeSettings) -> FastAPI:
    """Make the application that shows a twin."""
    hub, gate = Hub(twin), Gate(settings, twin)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        works = [asyncio.create_task(hub.run()), asyncio.create_task(gate.keep_recording())]
        try:
            yield
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    app = FastAPI(
        title="gemel", version=__version__, description=DESCRIPTION, openapi_url=f"{PREFIX}/openapi.json", docs_url=None, redoc_url=None,
        redirect_slashes=False, lifespan=lifespan,
        middleware=[Middleware(Guard, settings=settings), Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BYTES)],
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False},
    )  # fmt: skip
    app.state.twin, app.state.hub, app.state.gate = twin, hub, gate
    app.state.intake = Intake()

    def number() -> None:
        app.state.names = Names(twin.plant, twin.registry)
        app.state.listing = Listing(twin.plant, twin.registry)

    number()
    hub.on_plant = number
    api = APIRouter(prefix=PREFIX)
    for topic in TOPICS:
        api.include_router(topic.router)
    app.include_router(api)
    app.router.default = Page(settings.page)
    problems.install(app)
    openapi.install(app, settings)
    app.state.methods_at = partial(openapi.methods_at, app)
    return app
