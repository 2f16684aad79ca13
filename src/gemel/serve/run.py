"""Serving until told to stop: one uvicorn inside the caller's event loop, its own socket, no word on stdout."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gemel.errors import ConfigError
from gemel.serve.app import create_app
from gemel.serve.port import Twin
from gemel.serve.settings import ServeSettings
from gemel.serve.users import Users

log = logging.getLogger(__name__)
GRACE_S: Final = 2  # for requests under way, before they are cut
SOCKET_BYTES: Final = (
    16 << 10
)  # what waits to be written to a live socket before its frames are dropped instead
HEAD_BYTES: Final = 640 << 10  # of a request: 1,000 names of 500 characters, as the API's parameters allow
LIVE_MESSAGE_BYTES: Final = 8 << 20  # a subscription to 65,535 signals


class _LiveProtocol(WebSocketsSansIOProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=SOCKET_BYTES)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller, who cancels."""
        yield


def check(settings: ServeSettings) -> None:
    """Raise ConfigError where it may not be served so: reachable from elsewhere while nobody has a password."""
    if not settings.loopback and not Users(settings.users_file).all():
        raise ConfigError(
            f"on {settings.host} anybody could come in, and no user is set", code="no-credentials",
            remedy=f"gemel user add NAME --role engineer --data {settings.data}",
        )  # fmt: skip


def listen(settings: ServeSettings) -> socket.socket:
    """Open the port; raises ConfigError where it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # with the protocol's number: asyncio switches Nagle's algorithm off only where it is told (RFC 896; else an answer
    # in two pieces waits 40 ms for the other side's delayed acknowledgement)
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((settings.host, settings.port))
        opened.listen(1024)
    except OSError as e:
        opened.close()
        raise ConfigError(
            f"port {settings.port} on {settings.host} cannot be used: {e.strerror or e}", code="port-busy",
            remedy=f"stop what uses it, or choose another: --port {settings.port + 1}",
        ) from e  # fmt: skip
    opened.setblocking(False)
    return opened


async def run(twin: Twin, settings: ServeSettings, ready: Callable[[int], None] | None = None) -> None:
    """Serve a twin until cancelled; then end within 5 s.

    Args:
        twin: what to show.
        settings: where to listen; raises ConfigError for a taken port, a bad certificate, or nobody who could log in.
        ready: called with the port once requests are answered.
    """
    check(settings)
    with contextlib.closing(listen(settings)) as opened:
        server = _Server(_config(create_app(twin, settings), settings))
        serving = asyncio.create_task(server.serve(sockets=[opened]))
        up = asyncio.create_task(server.up.wait())
        try:
            await asyncio.wait([serving, up], return_when=asyncio.FIRST_COMPLETED)
            if ready is not None and server.started:
                ready(int(opened.getsockname()[1]))
            await asyncio.shield(serving)
        finally:
            up.cancel()
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving


def _config(app: FastAPI, settings: ServeSettings) -> uvicorn.Config:
    application: ASGIApp = app
    try:
        config = uvicorn.Config(
            application, host=settings.host, port=settings.port, log_config=None, access_log=False, lifespan="on", ws=_LiveProtocol,
            ws_per_message_deflate=False, ws_max_size=LIVE_MESSAGE_BYTES, ws_ping_interval=10, ws_ping_timeout=10, proxy_headers=False,
            server_header=False, timeout_graceful_shutdown=GRACE_S, h11_max_incomplete_event_size=HEAD_BYTES,
            ssl_certfile=settings.tls_certificate or None, ssl_keyfile=settings.tls_key or None,
        )  # fmt: skip
        config.load()
    except OSError as e:  # ssl.SSLError is one too
        raise ConfigError(
            f"the certificate cannot be used: {e}",
            code="tls",
            remedy="give PEM files to --tls-certificate and --tls-key",
        ) from e
    return config
