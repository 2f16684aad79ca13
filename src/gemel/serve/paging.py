"""Lists come in pages: ``{"items": [...], "next": …}``, and `next` goes back in as `after`."""

from typing import Annotated, Any, Final

import orjson
from fastapi import Query
from starlette.responses import Response

MOST: Final = 1000
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items in one answer.")]
After = Annotated[int, Query(ge=0, le=2**53, description="The `next` of the answer before.")]


def following(start: int, limit: int, total: int) -> int | None:
    """Give `next` where items from `start` on were given: none at the end."""
    return start + limit if start + limit < total else None


def json(body: Any) -> Response:
    """Give a body that is known to have its shape, without checking it again; NaN becomes null."""
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
