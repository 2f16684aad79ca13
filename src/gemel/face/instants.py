"""Times and spans as people write them in Python, as the API reads them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from gemel.errors import AssetError
from gemel.samples.clock import DAY, SECOND, iso

Instant = Any  # text, datetime, date, numpy.datetime64, pandas.Timestamp, or int [ns since 1970 UTC]
Span = Any  # text such as "10s", timedelta, numpy.timedelta64, or a number [s]


def instant(given: Instant) -> str:
    """Give a time as ISO 8601 text; without a zone it is UTC. Raises AssetError.

    >>> instant(datetime(2026, 11, 21, 8)), instant(1_500_000_000)
    ('2026-11-21T08:00:00.000000000Z', '1970-01-01T00:00:01.500000000Z')
    """
    if isinstance(given, str):
        return given
    if isinstance(given, int | np.integer):
        return iso(int(given))
    if isinstance(given, np.datetime64):
        return iso(int(given.astype("datetime64[ns]").astype(np.int64)))
    if isinstance(nanoseconds := getattr(given, "value", None), int):  # pandas.Timestamp: [ns] since 1970 UTC
        return iso(nanoseconds)
    if isinstance(given, datetime):
        return iso(_nanoseconds(given if given.tzinfo else given.replace(tzinfo=UTC)))
    if isinstance(given, date):
        return iso(_nanoseconds(datetime.combine(given, time(), UTC)))
    raise AssetError(
        f"{given!r} is no time", code="time", remedy="write it as 2026-11-21T08:00:00Z, or give a datetime"
    )


def _nanoseconds(given: datetime) -> int:
    since = given - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000


def span(given: Span) -> str:
    """Give a length of time as the API reads it: a whole number of the largest unit that fits; raises AssetError.

    >>> span(60), span(timedelta(hours=2)), span(0.25), span("5min")
    ('1min', '2h', '250ms', '5min')
    """
    if isinstance(given, str):
        return given.replace(" ", "")
    if isinstance(given, timedelta):
        given = np.timedelta64(given, "ns")
    ns = (
        int(given.astype("timedelta64[ns]").astype(np.int64))
        if isinstance(given, np.timedelta64)
        else round(given * SECOND)
    )
    for unit, size in (
        ("d", DAY),
        ("h", 3600 * SECOND),
        ("min", 60 * SECOND),
        ("s", SECOND),
        ("ms", 1_000_000),
    ):
        if ns >= size and ns % size == 0:
            return f"{ns // size}{unit}"
    raise AssetError(
        f"{given!r} is no length of time",
        code="time",
        remedy="write whole milliseconds or more, such as 500ms, 60s, 5min",
    )
