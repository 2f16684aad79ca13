r"""InfluxDB's line protocol: ``asset/path,tag=x field=1.5,other=2i 1700000000000000000``.

The measurement is the path of an asset, a field is one of its signals, the time is [ns]; tags are read over.
A backslash escapes comma, space and equals sign; strings stand in double quotes.
"""

import re
from typing import Any, Final

from gemel.connect.http.rows import Given, Refusal, refusal

_NAME: Final = r"(?:\\.|[^\\, =])+"
_LINE: Final = re.compile(
    r"(?P<measurement>(?:\\.|[^\\, ])+)(?:,(?:\\.|[^\\ ])*)? +"
    r'(?P<fields>(?:"(?:\\.|[^\\"])*"|\\.|[^\\ "])+)(?: +(?P<time>-?\d{1,19}))?\s*'
)
_FIELD: Final = re.compile(rf'(?P<name>{_NAME})=(?P<value>"(?:\\.|[^\\"])*"|[^,"]+)(?:,|$)')
_ESCAPE: Final = re.compile(r"\\([, =\"\\])")
_TRUTH: Final = {
    "t": True,
    "T": True,
    "true": True,
    "True": True,
    "TRUE": True,
    "f": False,
    "F": False,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?")
_INTEGER: Final = re.compile(r"([-+]?\d{1,20})[iu]")
LONGEST: Final = 64_000  # characters of a line


def decode(body: bytes) -> tuple[list[Given], list[Refusal]]:
    """Give one row a field, numbered by line, and the lines that cannot be read.

    >>> decode(b"acme/pump-1 flow=1.5,on=t 7")[0][1].path
    'acme/pump-1/on'
    """
    given: list[Given] = []
    refusals: list[Refusal] = []
    for i, raw in enumerate(body.decode("utf-8", "replace").split("\n")):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        try:
            given += _rows(i, text)
        except ValueError:
            refusals.append(refusal(i, "wrong_line"))
    return given, refusals


def _rows(row: int, text: str) -> list[Given]:
    found = _LINE.fullmatch(text) if len(text) <= LONGEST else None
    if not found:
        raise ValueError(text[:80])
    asset, fields = _plain(found["measurement"]), found["fields"]
    time = None if found["time"] is None else int(found["time"])
    rows, at = [], 0
    while at < len(fields):
        field = _FIELD.match(fields, at)
        if not field:
            raise ValueError(fields[at : at + 80])
        rows.append(Given(row, f"{asset}/{_plain(field['name'])}", time, _value(field["value"]), ns=True))
        at = field.end()
    return rows


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _value(text: str) -> Any:
    if text.startswith('"'):
        return _plain(text[1:-1])
    if text in _TRUTH:
        return _TRUTH[text]
    if whole := _INTEGER.fullmatch(text):
        return int(whole[1])
    if _NUMBER.fullmatch(text):
        return float(text)
    if text.lower() in {"nan", "inf", "-inf", "+inf"}:
        return float(text)
    raise ValueError(text[:80])
