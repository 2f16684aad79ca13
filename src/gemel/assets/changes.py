"""A plan: what changes from one plant file to the next, gathered by kind, so that a fleet's change is a line and not ten thousand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

MOST: Final = 20  # steps of one kind that are said one by one; the rest as their number
Kind = Literal["added", "renamed", "moved", "reunited", "removed", "changed", "version", "impossible"]
_WORDS: Final = {
    "low": "range", "high": "range", "interval_ns": "interval", "stale_after_ns": "stale_after", "stuck_after_ns": "stuck_after",
    "scale": "the unit of its source", "offset": "the unit of its source", "others": "its other lanes", "max_rate_per_s": "max_rate", "timeout_ns": "timeout",
    "connection": "where it is written to", "topic": "where it is written to",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One change, or the rest of many of its kind.

    Args:
        kind: added, renamed, moved, reunited (kept in another unit, or meaning something else), removed, changed,
            version (of a type), or impossible (for which there is no way but other data).
        words: what it is, and what it means.
        loss: what would be lost by it; empty where nothing is.
        count: how many things it stands for.

    """

    kind: Kind
    words: str
    loss: str = ""
    count: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {"kind": self.kind, "words": self.words, "loss": self.loss, "count": self.count}

    def __str__(self) -> str:
        return f"{self.words}: {self.loss}" if self.loss else self.words


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a plant file would do; nothing is done by it."""

    steps: tuple[Step, ...]

    @property
    def losses(self) -> list[Step]:
        """The steps that lose something, and so must be asked for."""
        return [s for s in self.steps if s.loss and s.kind != "impossible"]

    @property
    def impossible(self) -> list[Step]:
        """The steps that cannot be applied to these data."""
        return [s for s in self.steps if s.kind == "impossible"]

    @property
    def harmless(self) -> list[Step]:
        """The steps that lose nothing."""
        return [s for s in self.steps if not s.loss and s.kind != "impossible"]


@dataclass
class Changes:
    """Gathers changes; each a kind, a sentence with a {}, what would be lost, and what stands in the {}."""

    found: dict[tuple[Kind, str, str], list[str]] = field(default_factory=dict)

    def note(self, kind: Kind, sentence: str, *what: str, loss: str = "") -> None:
        """Note changes of one kind."""
        if what:
            self.found.setdefault((kind, sentence, loss), []).extend(what)

    def take(self, sentence: str, *what: str) -> None:
        """Note what was declared otherwise, and loses nothing."""
        self.note("changed", sentence, *what)

    def plan(self) -> Plan:
        """Give them as a plan."""
        return Plan(tuple(self._steps()))

    def _steps(self) -> Iterator[Step]:
        for (kind, sentence, loss), found in self.found.items():
            for what in found[:MOST]:
                yield Step(kind, sentence.format(what), loss)
            if (more := len(found) - MOST) > 0:
                yield Step(kind, sentence.format(f"… and {more} more"), loss, more)


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
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
