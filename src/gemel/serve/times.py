"""Times at the border: [ns] inside, ISO 8601 UTC text to the nanosecond outside."""

import re
from datetime import datetime
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator, WithJsonSchema

from gemel.connect.times import parse_iso
from gemel.samples.batch import I64
from gemel.samples.clock import EARLIEST, LATEST, SECOND, iso

NEVER: Final = np.iinfo(np.int64).min
_DATE_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)([.,]\d+)?)?)? ?([Zz]|[-+ ]\d\d:?\d\d)?"
)


def text(ns: int | None) -> str | None:
    """Give a time as text; none for never.

    >>> text(1_500_000_000)
    '1970-01-01T00:00:01.500000000Z'
    """
    if ns is None or ns == NEVER:
        return None
    return iso(min(max(ns, EARLIEST), LATEST))


def texts(ns: I64) -> list[str]:
    """Give many times as text."""
    return [t + "Z" for t in np.datetime_as_string(ns.astype("datetime64[ns]"), unit="ns").tolist()]


def read(value: object) -> int:
    """Read ISO 8601 text as [ns]; a date alone is its midnight, no offset is UTC; raises ValueError.

    What lies before 1970 or after 2100 is taken as that bound: nothing was measured there.

    >>> read("1970-01-02"), read("1970-01-01T00:00:01.5+00:00")
    (86400000000000, 1500000000)
    """
    found = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("write a time as 2026-11-21T10:00:00Z")
    day, minute, second, fraction, zone = found.groups()
    if not "1970-01-01" <= day < "2099-12-31":
        datetime.fromisoformat(max(day, "0001-01-01"))  # still must be a date
        return EARLIEST if day < "1970-01-01" else LATEST
    leap = second == "60"  # RFC 3339, 5.6: a leap second may be written; UTC here has none
    clean = f"{day}T{minute or '00:00'}:{'59' if leap else second or '00'}{(fraction or '')[:10]}"
    offset = (zone or "Z").upper().replace(" ", "+")  # a plus sign in an address arrives as a space
    return min(max(parse_iso(clean + offset) + leap * SECOND, EARLIEST), LATEST)


def as_text(value: Any) -> Any:
    """Give [ns] as text; text stays."""
    return text(value) if isinstance(value, int) else value


Instant = Annotated[int, BeforeValidator(read), WithJsonSchema({"type": "string", "format": "date-time"})]
Written = Annotated[str, BeforeValidator(as_text), WithJsonSchema({"type": "string", "format": "date-time"})]
