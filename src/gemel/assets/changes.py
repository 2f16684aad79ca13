"""What differs between two plant files, in words: gathered by kind, so that a fleet's change is a line and not ten thousand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final

MOST: Final = 20  # lines of one kind; the rest as their number
_WORDS: Final = {
    "low": "range", "high": "range", "interval_ns": "interval", "stale_after_ns": "stale_after", "stuck_after_ns": "stuck_after",
    "scale": "the unit of its source", "offset": "the unit of its source", "others": "its other lanes", "max_rate_per_s": "max_rate", "timeout_ns": "timeout",
    "connection": "where it is written to", "topic": "where it is written to",
}  # fmt: skip


@dataclass
class Changes:
    """What may be taken and what is refused; each a sentence with a {} and what stands there."""

    taken: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)

    def take(self, sentence: str, *what: str) -> None:
        """Note what may be taken."""
        self.taken.setdefault(sentence, []).extend(what)

    def refuse(self, sentence: str, *what: str) -> None:
        """Note what would lose data, or change what they mean."""
        self.refused.setdefault(sentence, []).extend(what)

    def lines(self) -> tuple[list[str], list[str]]:
        """Give both as lines."""
        return list(_lines(self.taken)), list(_lines(self.refused))


def _lines(gathered: dict[str, list[str]]) -> Iterator[str]:
    for sentence, found in gathered.items():
        for what in found[:MOST]:
            yield sentence.format(what)
        if len(found) > MOST:
            yield sentence.format(f"… and {len(found) - MOST} more")


def differences(old: Any, new: Any, *, without: Iterable[str] = ()) -> list[str]:
    """Name what differs between two declarations of one kind, as the plant file calls it."""
    changed = (
        f.name for f in fields(old) if f.name not in without and getattr(old, f.name) != getattr(new, f.name)
    )
    return list(dict.fromkeys(_WORDS.get(name, name) for name in changed))


def shown(value: Any) -> str:
    """Give a value as the plant file would say it.

    >>> shown(True), shown(None), shown(("a", "b"))
    ('true', 'nothing', '[a, b]')
    """
    if value in ("", None):
        return "nothing"
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
