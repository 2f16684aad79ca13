"""Source times: numbers in s, ms, us, ns, or ISO 8601 text, to int64 nanoseconds since 1970 UTC.

A text without an offset is read as UTC. A float of seconds is rounded to microseconds and one of
milliseconds to 0.1 microseconds, which is what a float64 of today's date can hold.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from gemel.samples.clock import EARLIEST, LATEST, SECOND

NS_PER: Final = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
_FLOAT_STEPS: Final = {"s": 1e6, "ms": 1e4, "us": 1e3, "ns": 1.0}  # steps per unit that a float may carry
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_HOURS: Final = 16  # no offset on earth is larger

TimeReader = Callable[[Any], int]


class TimeRefusedError(ValueError):
    """A time cannot be used; the argument is the reason's word."""


def reader(unit: str | None) -> TimeReader:
    """Give the function that reads a time of this unit: s, ms, us, ns, iso, or none to go by its looks.

    Without a unit a text is ISO 8601, and a number is taken by its size: seconds below 1e11, then
    milliseconds, microseconds, nanoseconds, each a thousand times more (unambiguous from 1973 to 2100).
    """
    if unit is None:
        return _by_looks
    if unit == "iso":
        return _iso_checked
    per, steps = NS_PER[unit], _FLOAT_STEPS[unit]

    def read(value: Any) -> int:
        return _number(value, per, steps)

    return read


def parse_iso(text: str) -> int:
    """Read ISO 8601 date and time to the nanosecond; raises ValueError.

    >>> parse_iso("2020-03-09T10:14:33.123456789Z") % 1_000_000_000
    123456789
    """
    seconds = _seconds(text[:19])
    tail = text[19:]
    if tail in ("", "Z"):
        return seconds
    return seconds + _tail(tail)


@lru_cache(maxsize=1024)  # messages of the same second share it
def _seconds(text: str) -> int:
    if len(text) != 19 or text[4] != "-" or text[13] != ":" or text[16] != ":":
        raise ValueError("not YYYY-MM-DDTHH:MM:SS")
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH).total_seconds()) * SECOND


def _tail(tail: str) -> int:
    nanoseconds = 0
    if tail[0] in ".,":
        digits = (
            tail[1:].rstrip("Zz")
            if tail[-1] in "Zz"
            else tail[1:].split("+", maxsplit=1)[0].split("-", maxsplit=1)[0].rstrip()
        )
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError("no digits after the point")
        nanoseconds = int(digits[:9].ljust(9, "0"))
        tail = tail[1 + len(digits) :]
    return nanoseconds - _zone(tail.strip()) * SECOND


def _zone(text: str) -> int:
    if text in ("", "Z", "z"):
        return 0
    digits = text[1:].replace(":", "")
    if text[0] not in "+-" or not (digits.isascii() and digits.isdigit()) or len(digits) not in (2, 4):
        raise ValueError("not an offset")
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    if seconds > _ZONE_HOURS * 3600:
        raise ValueError("no offset on earth")
    return seconds if text[0] == "+" else -seconds


def _iso_checked(value: Any) -> int:
    if type(value) is not str:
        raise TimeRefusedError("wrong_type")
    try:
        return _inside(parse_iso(value))
    except ValueError:
        raise TimeRefusedError("absurd_time") from None


def _number(value: Any, per: int, steps: float) -> int:
    if type(value) is int:
        return _inside(value * per)
    if type(value) is float and value == value and abs(value) < 1e19:  # noqa: PLR0124 - NaN is not itself
        whole = int(value)
        return _inside(whole * per + round((value - whole) * steps) * int(per / steps))
    raise TimeRefusedError("absurd_time" if type(value) is float else "wrong_type")


def _by_looks(value: Any) -> int:
    if type(value) is str:
        return _iso_checked(value)
    if type(value) not in (int, float):
        raise TimeRefusedError("wrong_type")
    size = abs(value)
    unit = "s" if size < 1e11 else "ms" if size < 1e14 else "us" if size < 1e17 else "ns"
    return _number(value, NS_PER[unit], _FLOAT_STEPS[unit])


def _inside(time: int) -> int:
    if EARLIEST <= time <= LATEST:
        return time
    raise TimeRefusedError("absurd_time")
