"""The description of the API, exact: every refusal with its shape, and how one says who one is."""

import re
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from gemel.serve.problems import MEDIA_TYPE, Problem
from gemel.serve.settings import ServeSettings

ALWAYS: Final = {
    400: "The request cannot be read.",
    401: "Nobody is logged in, and somebody must be; or the password is wrong.",
    403: "Not allowed, or refused by a guard.",
    404: "There is no such thing.",
    409: "Somebody was faster; read again.",
    412: "It has changed since it was read (If-Match, expected_version); read again.",
    413: "The body is too large.",
    415: "The media type is not taken.",
    421: "Asked for under a name that is not ours.",
    422: "The request is understood and wrong.",
    429: "Too many wrong passwords; wait.",
    500: "Something in gemel failed.",
    502: "The device side failed.",
    503: "The twin or its store does not answer; try again.",
}
WRITES: Final = {"post", "delete", "put", "patch"}
OPEN: Final = {("post", "/api/v1/session"), ("delete", "/api/v1/session"), ("get", "/api/v1/health")}


def install(app: FastAPI, settings: ServeSettings) -> None:
    """Make the app give this description."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _described(app, settings)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def methods_at(app: FastAPI, path: str) -> str:
    """Give the methods that a path knows, as an Allow header lists them; empty where it is not described."""
    met = {t: o for t, o in app.openapi()["paths"].items() if compile_path(_as_route(t))[0].match(path)}
    said = max(
        met, key=lambda t: len(re.sub(r"{.*?}", "", t)), default=None
    )  # /assets/{path} also meets what ends in more
    return ", ".join(sorted(m.upper() for m in met[said])) if said else ""


def _as_route(template: str) -> str:
    return (
        template.replace("{id}/", "{id:path}/")
        .replace("{path}", "{path:path}")
        .replace("{asset}", "{asset:path}")
    )


def _described(app: FastAPI, settings: ServeSettings) -> dict[str, Any]:
    spec: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = spec.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.cookie,
            "description": "Writes also need X-CSRF-Token.",
        },
        "password": {"type": "http", "scheme": "basic"},
    }
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            _refusals(operation)
            operation["security"] = _security(method, path, settings)
    return spec


def _refusals(operation: dict[str, Any]) -> None:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, words in ALWAYS.items():
        operation["responses"][str(status)] = {"description": words, "content": problem}


def _security(method: str, path: str, settings: ServeSettings) -> list[dict[str, list[str]]]:
    known: list[dict[str, list[str]]] = [{"password": []}, {"session": []}]
    optional = (method, path) in OPEN or (method not in WRITES and settings.open_to_viewers)
    return [{}, *known] if optional else known
