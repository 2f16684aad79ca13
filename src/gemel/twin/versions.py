"""The version of an asset: the position of the last fact by which people decided something about it.

Commands, overrides and the plant file count; readings, which change all the time, and alarms do not. Whoever decides
on what they saw names the version they saw, and is refused where somebody was faster.
"""

from dataclasses import dataclass
from typing import Final

from gemel.errors import ConflictError
from gemel.samples import Fact
from gemel.samples.clock import iso

DECISIONS: Final = ("Command", "Override")
EVERYTHING: Final = "PlantApplied"


@dataclass(frozen=True, slots=True)
class Decided:
    """The last decision about an asset."""

    version: int = 0
    kind: str = ""
    by: str = ""
    at: int = 0


class Versions:
    """The last decision about each asset; grows with the assets that anything was decided about."""

    def __init__(self) -> None:
        self._assets: dict[str, Decided] = {}
        self._plant = Decided()
        self.position = 0

    def take(self, fact: Fact) -> None:
        """Fold a fact in; the record gives them in order."""
        self.position = max(self.position, fact.seq)
        decided = Decided(fact.seq, fact.kind, fact.actor, fact.at)
        if fact.kind == EVERYTHING:
            self._plant = decided
        elif fact.kind.startswith(DECISIONS):
            self._assets[fact.subject.rpartition("/")[0]] = decided

    def of(self, asset: str) -> Decided:
        """Give the last decision about an asset."""
        own = self._assets.get(asset, Decided())
        return own if own.version > self._plant.version else self._plant

    def check(self, asset: str, expected: int | None) -> None:
        """Raise ConflictError where an asset is of another version than somebody expects; None expects nothing."""
        last = self.of(asset)
        if expected is None or last.version == expected:
            return
        seen = str(expected) if expected >= 0 else "what that tag says"
        happened = f": {last.kind} by {last.by} at {iso(last.at)}" if last.version > max(expected, 0) else ""
        raise ConflictError(
            f"{asset or 'what has no name'} is at version {last.version}, not {seen}{happened}", code="changed-meanwhile",
            remedy="read the state again, and decide anew", context={"version": last.version},
        )  # fmt: skip
