"""Lengths of time in a query: ``60s``, ``500ms``, ``5min``, ``1h``, ``1d``."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from gemel.samples.clock import DAY, SECOND

UNITS: Final = {
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "min": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": DAY,
}
PATTERN: Final = r"^[1-9][0-9]{0,5}(ms|s|min|m|h|d)$"


def read(value: object) -> int:
    """Read a length of time as [ns]; raises ValueError.

    >>> read("60s")
    60000000000
    """
    if isinstance(value, str) and re.fullmatch(PATTERN[1:-1], value):
        number = value.rstrip("msinhd")
        return int(number) * UNITS[value[len(number) :]]
    raise ValueError("write a length of time as 500ms, 60s, 5min, 1h or 1d")


Span = Annotated[int, BeforeValidator(read), WithJsonSchema({"type": "string", "pattern": PATTERN})]
