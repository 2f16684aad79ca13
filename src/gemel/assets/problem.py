"""What is wrong in a plant file: where, what, and what to write instead. All of it at once, never the first only."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from gemel.assets.node import Node
from gemel.errors import NotFoundError

Severity = Literal["error", "warning"]
ASSETS_LISTED: Final = "gemel find PLANT lists what there is, as does GET /api/v1/assets"
LISTED: Final = 12  # names that a remedy offers


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Args:
        file: path of the file, as it was opened.
        line: line in it, from 1; 0 where it is about the whole file.
        message: what is wrong.
        remedy: what to write instead.
        severity: ``error`` (the plant cannot be loaded) or ``warning`` (it can, and something will be missing).
    """

    file: str
    line: int
    message: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.severity}: {self.message} ({self.remedy})"

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


class Problems:
    """Gathers problems; what an heir repeats of its parent is kept once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def error(self, at: Node, message: str, remedy: str) -> None:
        """Note what makes the plant impossible."""
        self._found[Problem(at.file, at.line, message, remedy)] = None

    def warn(self, at: Node, message: str, remedy: str) -> None:
        """Note what the modeller should know."""
        self._found[Problem(at.file, at.line, message, remedy, "warning")] = None

    @property
    def count(self) -> int:
        """How many errors there are so far; equal before and after means nothing was wrong in between."""
        return sum(p.severity == "error" for p in self._found)

    def sorted(self) -> list[Problem]:
        """Give all, by file and line."""
        return sorted(self._found, key=lambda p: (p.file, p.line, p.severity, p.message))


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Give a remedy for a word that nobody knows: the nearest known one, or the list of them.

    >>> did_you_mean("unti", ["unit", "range"])
    "did you mean 'unit'?"
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or write_one_of(sorted(names))


def write_one_of(names: Sequence[str]) -> str:
    """Give a remedy where any of some names would do: the first of them."""
    if not names:
        return "there is none yet"
    return f"write one of: {', '.join(names[:LISTED])}{', …' if len(names) > LISTED else ''}"


def no_asset(path: str) -> NotFoundError:
    """Give what is raised where there is no asset of a path."""
    return NotFoundError(f"there is no asset {path[:200]!r}", remedy=ASSETS_LISTED)


def few(names: Sequence[str]) -> str:
    """Give the first five of some names, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
