"""The outermost layer: under which name we were asked, from which page, and the headers that every answer carries."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemel.errors import GemelError, RefusedError
from gemel.serve import problems
from gemel.serve.access import SAFE
from gemel.serve.problems import MisdirectedError, TooLargeError
from gemel.serve.settings import ServeSettings, is_loopback

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=()",
}


class _Answer:
    """Sends with the headers that every answer carries; the framework's own word on a large body becomes a problem."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] == 413 and headers.get("content-type") != problems.MEDIA_TYPE:
                await problems.response(TooLargeError("the body is too large", remedy="send less at a time"))(
                    self._scope, self._receive, self
                )
                self._replaced = True
                return
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


class Guard:
    """Checks Host and Origin, adds the security headers."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        answer = _Answer(scope, receive, send)
        if refusal := self._refusal(scope):
            await refuse(refusal, scope, receive, answer)
        else:
            await self._app(scope, receive, answer)

    def _refusal(self, scope: Scope) -> GemelError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._settings.loopback and not self._ours(host):
            # a page elsewhere may have made its own name point at 127.0.0.1 (DNS rebinding)
            return MisdirectedError(
                f"asked for as {host[:100]!r}, which is not a name of this machine's loopback",
                remedy="use 127.0.0.1 or localhost",
            )
        if scope["type"] == "http" and scope["method"] in SAFE:
            return None
        origin = headers.get("origin")
        foreign = (
            urlsplit_host(origin) != host.lower()
            if origin is not None
            else headers.get("sec-fetch-site") == "cross-site"
        )
        if foreign:
            return RefusedError(
                f"a page of {(origin or 'another site')[:100]!r} may not do this",
                code="wrong-origin",
                remedy="use gemel's own page",
            )
        return None

    def _ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name in self._settings.hosts


def urlsplit_host(origin: str) -> str:
    """Give host and port of an Origin header, as a Host header writes them; empty where it has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


async def refuse(error: GemelError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request or the opening of a WebSocket with a problem."""
    response = problems.response(error)
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 4403, "reason": error.code})
        return
    headers = [*response.raw_headers, *((k.lower().encode(), v.encode()) for k, v in HEADERS.items())]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": bytes(response.body)})
