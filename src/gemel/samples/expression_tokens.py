"""From the text of an expression to its tokens: numbers with units, names, words, signs."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from gemel.errors import AssetError, ExpressionError
from gemel.samples import units

KEYWORDS: Final = frozenset({"if", "then", "else", "and", "or", "not", "in"})
LONGEST: Final = 2000  # characters; what is longer belongs into several signals

_NUMBER: Final = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_UNIT: Final = re.compile(r"[ \t]*([A-Za-zµ°Ω%][A-Za-z0-9µ°Ω%²³./^-]*)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED: Final = re.compile(r"'([^']+)'")
_SIGN: Final = re.compile(r"==|!=|<=|>=|[-+*/^<>(),.]")
_BLANK: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text and where it stands, from 0."""

    kind: Literal["number", "name", "sign", "end"]
    text: str
    at: int
    value: float = 0.0
    unit: str = ""


def tokens(text: str) -> list[Token]:
    """Split a text; raises ExpressionError at what is no part of the language.

    A number takes the unit that follows it, up to the next blank or sign other than ``/``, ``.`` and ``^``.

    >>> [(t.kind, t.text, t.unit) for t in tokens("2 kW*x")][:3]
    [('number', '2', 'kW'), ('sign', '*', ''), ('name', 'x', '')]
    """
    if len(text) > LONGEST:
        raise ExpressionError(
            f"an expression of {len(text)} characters", at=LONGEST, remedy="split it over several signals"
        )
    found: list[Token] = []
    at = 0
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
            continue
        token, at = _next(text, at)
        found.append(token)
    return [*found, Token("end", "", len(text))]


def _next(text: str, at: int) -> tuple[Token, int]:
    if match := _NUMBER.match(text, at):
        unit, end = _unit(text, match.end())
        return Token("number", match[0], at, float(match[0]), unit), end
    if match := _QUOTED.match(text, at):
        return Token("name", match[1], at), match.end()
    if match := _NAME.match(text, at):
        kind: Literal["name", "sign"] = "sign" if match[0] in KEYWORDS else "name"
        return Token(kind, match[0], at), match.end()
    if match := _SIGN.match(text, at):
        return Token("sign", match[0], at), match.end()
    raise ExpressionError(
        f"{text[at]!r} has no meaning here",
        at=at,
        remedy="see docs/expressions.md for what may stand in an expression",
    )


def _unit(text: str, at: int) -> tuple[str, int]:
    match = _UNIT.match(text, at)
    if match is None or match[1] in KEYWORDS:
        return "", at
    word = match[1].rstrip(".-/^")
    try:
        units.parse(word)
    except AssetError as e:
        raise ExpressionError(
            f"{word!r} stands behind a number and is no unit",
            at=match.start(1),
            remedy="write a unit such as kW or m3/h; between a number and a name stands a sign with blanks around it",
        ) from e
    return word, match.start(1) + len(word)
