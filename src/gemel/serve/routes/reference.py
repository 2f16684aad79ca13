"""The API's reference as one plain page of our own: no script, no other host."""

import html
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter()


@router.get("/docs", include_in_schema=False)
async def reference(request: Request) -> HTMLResponse:
    """Show what the API offers."""
    return HTMLResponse("".join(_page(request.app.openapi())))


def _page(spec: dict[str, Any]) -> Iterator[str]:
    title = html.escape(f"{spec['info']['title']} {spec['info']['version']}")
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body><h1>{title}</h1>'
    yield f"<p>{html.escape(spec['info'].get('description', ''))}</p>"
    yield '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            yield from _operation(method, path, operation)
    yield "</body></html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{html.escape(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><thead><tr><th>parameter</th><th>where</th><th>what</th></tr></thead><tbody>"
        for p in parameters:
            words = p.get("description", "") + (" (required)" if p.get("required") else "")
            yield f"<tr><td><code>{html.escape(p['name'])}</code></td><td>{p['in']}</td><td>{html.escape(words)}</td></tr>"
        yield "</tbody></table>"
    bodies = ", ".join(operation.get("requestBody", {}).get("content", {}))
    yield f"<p>Body: {html.escape(bodies)}</p>" if bodies else ""
