"""Conditional requests (RFC 9110, 13): decide only if nothing was decided since one looked.

The ETag of ``GET /state/{asset}`` names the decisions about the asset (commands, overrides, the plant file), not its
readings: they change all the time, and nobody could ever decide on them.
"""

import hashlib
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Any, Final, Self

from fastapi import Header
from pydantic import Field
from starlette.responses import Response

from gemel.errors import ConflictError, PreconditionError
from gemel.serve.problems import MEDIA_TYPE

CODE: Final = PreconditionError.code
NO_VERSION: Final = -1  # no asset ever is of it
IfMatch = Annotated[  # any tag may be sent (RFC 9110, 13.1.1); 412, where it is told, says which is meant
    str | None, Header(max_length=200, include_in_schema=False)
]
TOLD: Final[dict[int | str, dict[str, Any]]] = {
    412: {
        "description": "Something was decided about the asset since its state was seen: If-Match, the ETag of "
        "`GET /state/{asset}` or * for any, names another one.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
ExpectedVersion = Annotated[
    int | None,
    Field(ge=0, le=2**53, description="The same in the body: `version` of the state that was seen."),
]


def tag(version: int) -> str:
    """Give the ETag of a version.

    >>> tag(12)
    '"v12"'
    """
    return f'"v{version}"'


def tag_of(body: bytes) -> str:
    """Give the ETag of bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:20]}"'


def unless_known(told: Response, if_none_match: str | None) -> Response:
    """Give an answer with its ETag, or 304 where that is what the asker has already."""
    own = tag_of(bytes(told.body))
    told.headers["ETag"] = own
    known = {t.strip().removeprefix("W/") for t in (if_none_match or "").split(",")}
    return Response(status_code=304, headers={"ETag": own}) if known & {own, "*"} else told


@dataclass(frozen=True, slots=True)
class Expected:
    """Which version a request expects; a conflict by the header answers 412, by the body 409."""

    version: int | None
    by_header: bool

    @classmethod
    def of(cls, if_match: str | None, version: int | None) -> Self:
        """Read both ways of saying it; the header wins. A tag that is none of ours matches nothing.

        >>> Expected.of('"v12"', None).version, Expected.of("*", 3).version, Expected.of('W/"v12"', None).version
        (12, None, -1)
        """
        if if_match is None:
            return cls(version, False)
        if if_match.strip() == "*":
            return cls(None, True)
        found = re.fullmatch(r'\s*"v(\d{1,15})"\s*', if_match)
        return cls(int(found[1]) if found else NO_VERSION, True)

    def __enter__(self) -> int | None:
        return self.version

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.by_header and isinstance(error, ConflictError) and error.code == CODE:
            raise PreconditionError(error.message, remedy=error.remedy, context=error.context) from error
