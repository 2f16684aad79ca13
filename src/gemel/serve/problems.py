"""Every error as `application/problem+json` (RFC 9457), with our code and remedy."""

import http
import logging
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gemel.errors import DefectError, GemelError, RefusedError, StorageError

log = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
REMEDIES: Final = {
    404: "see GET /api/v1/openapi.json for what there is",
    405: "the Allow header says what can be done here",
    413: "send less at a time",
    415: "set the Content-Type header",
}
MOST_TOLD: Final = 20  # validation errors in one answer
MOST_CHARS: Final = 300


class Problem(BaseModel):
    """What went wrong, and what to do."""

    type: str = Field(description="A URN that names the kind of problem.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What went wrong here.")
    code: str = Field(description="A stable word for programs.")
    remedy: str = Field(description="What to do; may be empty.")
    context: dict[str, Any] = Field(description="What it was about.")


class UnauthenticatedError(RefusedError):
    """Nobody, or not who they say."""

    code = "log-in-needed"
    status = 401


class ThrottledError(RefusedError):
    """Too many tries."""

    code = "too-many-tries"
    status = 429


class TooLargeError(GemelError):
    """The request's body is too large; the sender acts."""

    code = "content-too-large"
    status = 413


class MisdirectedError(RefusedError):
    """Asked for under a name that is not ours."""

    code = "wrong-host"
    status = 421


def response(error: GemelError, headers: dict[str, str] | None = None) -> Response:
    """Give an error as an HTTP response."""
    extra = dict(headers or {})
    if isinstance(error, (ThrottledError, StorageError)):
        extra.setdefault("Retry-After", str(error.context.get("retry_after_s", 1)))
    return _response(
        error.status,
        error.message,
        error.code,
        error.remedy or REMEDIES.get(error.status, ""),
        error.context,
        extra,
    )


def _response(
    status: int, detail: str, code: str, remedy: str, context: dict[str, Any], headers: dict[str, str]
) -> Response:
    body = Problem(
        type=f"urn:gemel:problem:{code}", title=http.HTTPStatus(status).phrase, status=status, detail=detail, code=code, remedy=remedy,
        context=context,
    ).model_dump()  # fmt: skip
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


def challenge(request: Request) -> dict[str, str]:
    """Give the WWW-Authenticate header: a browser must not open its own log-in window over the page."""
    scheme = "Session" if "sec-fetch-mode" in request.headers else "Basic"
    return {"WWW-Authenticate": f'{scheme} realm="gemel", charset="UTF-8"'}


async def _gemel(request: Request, error: Exception) -> Response:
    assert isinstance(error, GemelError)
    if isinstance(error, DefectError) or error.status == 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    return response(error, challenge(request) if error.status == 401 else None)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    if status == 405 and (allowed := request.app.state.methods_at(request.url.path)):
        error.headers = {
            **(error.headers or {}),
            "Allow": allowed,
        }  # the framework names those of one route only
    code = http.HTTPStatus(status).phrase.lower().replace(" ", "-")
    return _response(status, str(error.detail), code, REMEDIES.get(status, ""), {}, dict(error.headers or {}))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {
            "where": ".".join(str(part) for part in e["loc"])[:MOST_CHARS],
            "message": str(e["msg"])[:MOST_CHARS],
        }
        for e in error.errors()[:MOST_TOLD]
    ]
    detail = "; ".join(f"{e['where']}: {e['message']}" for e in errors[:3])
    remedy = "correct what is named; GET /api/v1/openapi.json has the shapes"
    return _response(422, detail, "invalid-request", remedy, {"errors": errors}, {})


async def _defect(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _response(
        500,
        "something in gemel failed; it is in the log",
        DefectError.code,
        "see serve.log and report it",
        {},
        {},
    )


def install(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(GemelError, _gemel)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _defect)
