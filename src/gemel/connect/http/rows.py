"""What every way of writing telemetry comes down to: rows, and which of them cannot be."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from gemel.connect.refusals import REASONS
from gemel.connect.times import TimeRefusedError, reader

MOST_EXACT: Final = 2**53  # integers beyond it do not fit a float64
LARGEST_STATUS: Final = 2**32
LARGEST_SIGMA: Final = 3.4e38  # it is kept as a float32
Row = tuple[str, int | None, float, int | None, float | None]  # path, time [ns], value, status, standard uncertainty
_by_looks, _in_ns = reader(None), reader("ns")


@dataclass(frozen=True, slots=True)
class Given:
    """A row as it was sent.

    Args:
        row: its place in the request, from 0.
        path: path of a signal.
        time: int64 [ns], ISO 8601 text, a number by its size, or none: the time of receipt.
        value: a number, a boolean, or the word of a state.
        status: OPC UA StatusCode, or none: Good.
        sigma: standard uncertainty of the value in its unit (GUM), or none: not known.
        ns: the time is in nanoseconds however small it is.
    """

    row: int
    path: Any
    time: Any
    value: Any
    status: Any = None
    sigma: Any = None
    ns: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be taken, and why."""

    row: int
    code: str
    message: str


class _No(ValueError):  # noqa: N818 - the argument is the code
    pass


States = Callable[
    [str], list[str] | None
]  # the words of a signal's states, empty for a number, none where unknown


def settle(given: Iterable[Given], states: States) -> tuple[list[Row], list[int], list[Refusal]]:
    """Give rows that can be taken, the place of each in the request, and the refusals.

    >>> settle([Given(0, "a/b", 0, "on"), Given(1, "a/c", 0, 1)], {"a/b": ["off", "on"]}.get)[0]
    [('a/b', 0, 1.0, None, None)]
    """
    rows: list[Row] = []
    places: list[int] = []
    refusals: list[Refusal] = []
    for g in given:
        try:
            row = _row(g, states)
        except _No as no:
            code = str(no)
            refusals.append(Refusal(g.row, code, _MESSAGES.get(code, code)))
        else:
            rows.append(row)
            places.append(g.row)
    return rows, places, refusals


_MESSAGES: Final = {
    **REASONS,
    "unknown_signal": "no signal of that path: GET /api/v1/signals lists them",
    "wrong_row": "a row is an object with path, value, and perhaps time, status and sigma",
    "wrong_line": "a line is: asset/path field=value,field=value time_ns",
    "wrong_status": "the status is no 32-bit number",
    "wrong_sigma": "the standard uncertainty is no finite number from 0 on",
}


def refusal(row: int, code: str) -> Refusal:
    """Make a refusal with its words."""
    return Refusal(row, code, _MESSAGES[code])


def _row(g: Given, states: States) -> Row:
    if not isinstance(g.path, str):
        raise _No("wrong_row")
    words = states(g.path)
    if words is None:
        raise _No("unknown_signal")
    return g.path, _time(g), _value(g.value, words), _status(g.status), _sigma(g.sigma)


def _time(g: Given) -> int | None:
    if g.time is None:
        return None
    try:
        return (_in_ns if g.ns else _by_looks)(g.time)
    except TimeRefusedError as e:
        raise _No(str(e)) from None


def _value(value: Any, words: list[str]) -> float:
    if isinstance(value, str):
        if value not in words:
            raise _No("unknown_state" if words else "wrong_type")
        return float(words.index(value))
    if not isinstance(value, (int, float)):
        raise _No("wrong_type")
    if isinstance(value, int) and abs(value) > MOST_EXACT:
        raise _No("integer_too_large")
    number = float(value)
    if not math.isfinite(number):
        raise _No("not_finite")
    if words and not (number == int(number) and 0 <= number < len(words)):
        raise _No("unknown_state")
    return number


def _status(status: Any) -> int | None:
    if status is None:
        return None
    if isinstance(status, bool) or not isinstance(status, int) or not 0 <= status < LARGEST_STATUS:
        raise _No("wrong_status")
    return status


def _sigma(sigma: Any) -> float | None:
    if sigma is None or sigma != sigma:  # noqa: PLR0124 - NaN is not itself: what a data frame says of none
        return None
    if isinstance(sigma, bool) or not isinstance(sigma, (int, float)) or not 0 <= sigma <= LARGEST_SIGMA:
        raise _No("wrong_sigma")
    return float(sigma)
