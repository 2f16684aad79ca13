"""The built page: static files of one folder, the hashed ones kept by browsers for ever; a word where it is missing."""

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

IMMUTABLE: Final = "public, max-age=31536000, immutable"  # a changed file has another name
ASK_AGAIN: Final = "no-cache"
MISSING: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>gemel: the page is not built</title></head>
<body><h1>The page is not built</h1>
<p>The twin runs and its API answers at <a href="/api/v1/docs">/api/v1</a>. The page comes with a built wheel;
in a checkout, build it once:</p>
<pre>make page</pre>
<p>then load this address again.</p></body></html>
"""


class Page:
    """An ASGI application for everything that is not the API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        path = Request(scope).url.path.lstrip("/")
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404, f"there is nothing at /{path[:200]}")
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, f"{scope['method']} is not possible here", {"Allow": "GET, HEAD"})
        if not (self._folder / "index.html").is_file():
            return HTMLResponse(MISSING, 200 if not path else 404)
        try:
            response = await self._files.get_response(path or "index.html", scope)
        except (ValueError, OSError):  # a name that no file system takes
            raise HTTPException(404, "there is no such file") from None
        response.headers["Cache-Control"] = IMMUTABLE if path.startswith("assets/") else ASK_AGAIN
        return response
