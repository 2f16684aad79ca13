"""The subset of JSONPath (RFC 9535) that names one value: ``$.a.b[0]["x y"]``.

No wildcards, slices or filters: a source is one value. Negative indices count from the end.
"""

import re
from itertools import pairwise
from typing import Any, Final

from gemel.errors import AssetError

Keys = tuple[str | int, ...]
_STEP: Final = re.compile(
    r"""\.(?P<name>[^.\[\]"'\s*?@]+)|\[(?P<index>-?\d+)\]|\["(?P<double>[^"]*)"\]|\['(?P<single>[^']*)'\]"""
)


def parse_path(text: str) -> Keys:
    """Give the keys to walk, outermost first; raises AssetError for what is no such path.

    >>> parse_path('$.a.b[0]["x y"]')
    ('a', 'b', 0, 'x y')
    """
    at, keys = 1, list[str | int]()
    while text.startswith("$") and at < len(text) and (step := _STEP.match(text, at)):
        keys.append(int(step["index"]) if step["index"] is not None else _name(step))
        at = step.end()
    if not text.startswith("$") or at < len(text):
        raise AssetError(
            f"{text!r} is not a JSON path", code="json-path", remedy='write it as $.a.b[0]["x y"]'
        )
    return tuple(keys)


def format_path(keys: Keys) -> str:
    """Give the text of a path.

    >>> format_path(("a", 0, "x y"))
    '$.a[0]["x y"]'
    """
    return "$" + "".join(_format_key(key) for key in keys)


def place(document: dict[str, Any], keys: Keys, value: object) -> None:
    """Put a value into a document where the keys say, making objects and lists on the way.

    >>> d = {}; place(d, ("a", 1, "b"), 5); d
    {'a': [None, {'b': 5}]}
    """
    here: Any = document
    for key, following in pairwise(keys):
        inner = _existing(here, key)
        if inner is None:
            inner = [] if isinstance(following, int) else {}
            _put(here, key, inner)
        here = inner
    _put(here, keys[-1], value)


def _name(step: re.Match[str]) -> str:
    return next(s for s in (step["name"], step["double"], step["single"]) if s is not None)


def _format_key(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _STEP.fullmatch(f".{key}") else f'["{key}"]'


def _existing(container: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return container[key] if key < len(container) else None
    return container.get(key)


def _put(container: Any, key: str | int, value: object) -> None:
    if isinstance(key, int):
        container.extend([None] * (key + 1 - len(container)))
    container[key] = value
