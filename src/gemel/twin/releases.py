"""Versions of parameters and of learners: which is in force, as the record says it. Pure: facts in, versions out.

`ParametersReleased` puts a version in force; `ParametersRolledBack` takes it back, and the one before is in force again. What
the plant file says is version 0. Nothing leaves the record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gemel.errors import ConflictError, RefusedError
from gemel.samples import Draft, Fact

RELEASED: Final = "ParametersReleased"
ROLLED_BACK: Final = "ParametersRolledBack"


@dataclass(frozen=True)
class Release:
    """A version of an asset's parameters.

    Args:
        asset: its path.
        version: from 1, in the order of the record.
        values: by name, in the units of the plant file.
        at: since when [ns].
        by: who released it.
        fact: position in the record.
        body: all that was said of it: intervals, digest, data span, the gate's checks.
        rolled_back: position of the fact that took it back; 0: none did.
    """

    asset: str
    version: int
    values: Mapping[str, float]
    at: int
    by: str
    fact: int
    body: Mapping[str, Any] = field(default_factory=dict)
    rolled_back: int = 0


class Releases:
    """All versions, folded from facts in their order."""

    def __init__(self) -> None:
        self._assets: dict[str, list[Release]] = {}
        self._ended: dict[int, int] = {}  # position of a release -> plant time at which it was taken back
        self.position = 0

    def take(self, fact: Fact) -> None:
        """Fold a fact in."""
        self.position = max(self.position, fact.seq)
        known = self._assets.setdefault(fact.subject, []) if fact.kind in (RELEASED, ROLLED_BACK) else []
        if fact.kind == RELEASED:
            values = {str(k): float(v) for k, v in fact.body["values"].items()}
            known.append(
                Release(fact.subject, len(known) + 1, values, fact.at, fact.actor, fact.seq, fact.body)
            )
        elif fact.kind == ROLLED_BACK:
            back = int(fact.body["released"])
            known[:] = [_ended(r, fact.seq) if r.fact == back else r for r in known]
            self._ended[back] = fact.at

    def take_all(self, facts: Iterable[Fact]) -> "Releases":
        """Fold many."""
        for fact in facts:
            self.take(fact)
        return self

    def of(self, asset: str) -> tuple[Release, ...]:
        """Give all versions of an asset, the oldest first; those rolled back say so."""
        return tuple(self._assets.get(asset, ()))

    def all(self) -> tuple[Release, ...]:
        """Give all versions of all assets, in the order of the record."""
        return tuple(sorted((r for some in self._assets.values() for r in some), key=lambda r: r.fact))

    def in_force(self, asset: str, at: int | None = None) -> Release | None:
        """Give what is in force, or was at a time [ns]; None: what the plant file says."""
        stood = [r for r in self.of(asset) if self._stood(r, at)]
        return stood[-1] if stood else None

    def _stood(self, release: Release, at: int | None) -> bool:
        if at is None:
            return not release.rolled_back
        return release.at <= at and not (release.rolled_back and self._ended[release.fact] <= at)


def _ended(release: Release, by: int) -> Release:
    r = release
    return Release(r.asset, r.version, r.values, r.at, r.by, r.fact, r.body, by)


def released(
    asset: str, body: Mapping[str, Any], user: str, at: int, *, stands: Releases, reason: str = ""
) -> Draft:
    """Give the fact that puts a version in force; asked twice for the same values, it is the same.

    Raises ConflictError where another version than the body's ``champion`` is in force by now.
    """
    last = stands.in_force(asset)
    champion = last.version if last else 0
    if body.get("champion", champion) != champion:
        raise ConflictError(
            f"{asset} has version {champion} by now, not {body['champion']}", code="changed-meanwhile",
            remedy="calibrate against what is in force",
        )  # fmt: skip
    if not body.get("values"):
        raise RefusedError(
            "a release needs values", code="release-empty", remedy="give the parameters by name"
        )
    told = {**body, "champion": champion}
    once = f"release-{asset}-{champion}-{body.get('digest', '')}-{len(stands.of(asset))}"
    return Draft(id=once, kind=RELEASED, at=at, actor=user, subject=asset, body=told, reason=reason)


def rolled_back(asset: str, user: str, at: int, *, stands: Releases, reason: str) -> Draft:
    """Give the fact that takes back what is in force; raises RefusedError where the plant file's values are."""
    last = stands.in_force(asset)
    if last is None:
        raise RefusedError(
            f"{asset} runs on what the plant file says: there is nothing to roll back", code="release-none",
            remedy="change the plant file, or release other values",
        )  # fmt: skip
    if not reason.strip():
        raise RefusedError("taking a release back needs a reason", code="revert-no-reason", remedy="say why")
    body = {"released": last.fact, "version": last.version}
    return Draft(
        id=f"revert-{last.fact}", kind=ROLLED_BACK, at=at, actor=user, subject=asset, body=body, reason=reason
    )
