"""Versions of parameters and of learners: which is in force, as the record says it. Pure: facts in, versions out.

`ParametersReleased` puts a version in force; `ParametersRolledBack` takes it back, and the one before is in force again. What
the plant file says is version 0. `LearnerReleased` and `LearnerRolledBack` do the same for what is learned beside the parameters, each kind of it (``kind`` in
the body) with versions of its own: its digest, and what it is good for. What is good for one version of the parameters is in force only while
that version is: it goes with it, and comes back with it. Nothing leaves the record.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gemel.errors import ConflictError, RefusedError
from gemel.samples import Draft, Fact

RELEASED: Final = "ParametersReleased"
ROLLED_BACK: Final = "ParametersRolledBack"
LEARNED: Final = "LearnerReleased"
UNLEARNED: Final = "LearnerRolledBack"
FACTS: Final = (RELEASED, ROLLED_BACK, LEARNED, UNLEARNED)
PARAMETERS: Final = "parameters"
HYBRID: Final = "hybrid"
MODEL: Final = (PARAMETERS, HYBRID)  # what a machine's model answers with


@dataclass(frozen=True)
class Release:
    """A version of an asset's parameters, or of what was learned of it.

    Args:
        asset: its path.
        version: from 1 for each kind, in the order of the record.
        values: by name, in the units of the plant file; none of what was learned.
        at: since when [ns].
        by: who released it.
        fact: position in the record.
        body: all that was said of it: intervals, digest, data span, the gate's checks.
        rolled_back: position of the fact that took it back; 0: none did.
        kind: ``parameters``, or that of the learner.
    """

    asset: str
    version: int
    values: Mapping[str, float]
    at: int
    by: str
    fact: int
    body: Mapping[str, Any] = field(default_factory=dict)
    rolled_back: int = 0
    kind: str = PARAMETERS


class Releases:
    """All versions, folded from facts in their order."""

    def __init__(self) -> None:
        self._assets: dict[str, list[Release]] = {}
        self._ended: dict[int, Fact] = {}  # position of a release -> the fact that took it back
        self.position = 0

    def take(self, fact: Fact) -> None:
        """Fold a fact in."""
        self.position = max(self.position, fact.seq)
        if fact.kind not in FACTS:
            return
        known = self._assets.setdefault(fact.subject, [])
        if fact.kind in (RELEASED, LEARNED):
            kind = str(fact.body["kind"]) if fact.kind == LEARNED else PARAMETERS
            values = {str(k): float(v) for k, v in fact.body["values"].items()} if fact.kind == RELEASED else {}
            version = 1 + sum(r.kind == kind for r in known)
            known.append(Release(fact.subject, version, values, fact.at, fact.actor, fact.seq, fact.body, kind=kind))
        else:
            back = int(fact.body["released"])
            known[:] = [replace(r, rolled_back=fact.seq) if r.fact == back else r for r in known]
            self._ended[back] = fact

    def take_all(self, facts: Iterable[Fact]) -> "Releases":
        """Fold many."""
        for fact in facts:
            self.take(fact)
        return self

    def of(self, asset: str) -> tuple[Release, ...]:
        """Give all versions of all kinds of an asset, the oldest first; those rolled back say so."""
        return tuple(self._assets.get(asset, ()))

    def all(self) -> tuple[Release, ...]:
        """Give all versions of all assets, in the order of the record."""
        return tuple(sorted((r for some in self._assets.values() for r in some), key=lambda r: r.fact))

    def in_force(self, asset: str, at: int | None = None, kind: str = PARAMETERS) -> Release | None:
        """Give what is in force of a kind, or was at a time [ns]; None: what the plant file says, or nothing learned."""
        stood = [r for r in self.of(asset) if r.kind == kind and self._stood(r, at)]
        return stood[-1] if stood else None

    def hybrid(self, asset: str, at: int | None = None) -> Mapping[str, Any]:
        """Give the corrections in force by output: those released alone, else those that the parameters in force carry."""
        alone, parameters = self.in_force(asset, at, HYBRID), self.in_force(asset, at)
        found = alone or parameters
        told: Mapping[str, Any] = found.body.get("hybrid") or {} if found else {}
        return told

    def ended(self, release: Release) -> Fact | None:
        """Give the fact that took a version back; None: none did."""
        return self._ended.get(release.fact)

    def newest(self, asset: str, kinds: Iterable[str] = MODEL) -> Release | None:
        """Give what came into force last, of some kinds."""
        found = [r for kind in kinds if (r := self.in_force(asset, kind=kind))]
        return max(found, key=lambda r: r.fact, default=None)

    def _stood(self, release: Release, at: int | None) -> bool:
        there = not release.rolled_back if at is None else (
            release.at <= at and not (release.rolled_back and self._ended[release.fact].at <= at)
        )  # fmt: skip
        if not there or release.kind == PARAMETERS or (meant := release.body["good_for"].get(PARAMETERS)) is None:
            return there
        parameters = self.in_force(release.asset, at)
        return bool(meant == (parameters.version if parameters else 0))


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


def learner_released(
    asset: str, body: Mapping[str, Any], user: str, at: int, *, stands: Releases, reason: str = ""
) -> Draft:
    """Give the fact that puts what was learned in force; asked twice for the same, it is the same.

    Args:
        asset: its path.
        body: ``kind`` (a word of its own), ``digest`` (SHA-256, hex) of what was learned, ``good_for``: what it may be used with,
            such as ``parameters`` (the version); ``champion``, the version of its kind that it was judged against, and all else that is told of it.
        user: who released it.
        at: plant time [ns].
        stands: what is in force.
        reason: why.

    Raises:
        RefusedError: it does not say what it is (`release-learner`).
        ConflictError: another version of its kind, or of the parameters, is in force by now (`changed-meanwhile`).
    """
    kind, digest, good_for = (body.get(key) for key in ("kind", "digest", "good_for"))
    if not (_word(kind) and kind != PARAMETERS and isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) and isinstance(good_for, Mapping) and good_for):
        raise RefusedError(
            "what was learned does not say what it is", code="release-learner",
            remedy="give kind (a word in small letters), digest (SHA-256) and good_for",
        )  # fmt: skip
    last, parameters = stands.in_force(asset, kind=str(kind)), stands.in_force(asset)
    now = {str(kind): last.version if last else 0, PARAMETERS: parameters.version if parameters else 0}
    meant = {str(kind): body.get("champion", now[str(kind)]), PARAMETERS: good_for.get(PARAMETERS, now[PARAMETERS])}
    if meant != now:
        raise ConflictError(
            f"{asset} has {_versions(now)} by now, not {_versions(meant)}", code="changed-meanwhile", remedy="learn it against what is in force"
        )
    told = {**body, "champion": now[str(kind)]}
    once = f"release-{asset}-{kind}-{now[str(kind)]}-{digest}-{len(stands.of(asset))}"
    return Draft(id=once, kind=LEARNED, at=at, actor=user, subject=asset, body=told, reason=reason)


def _word(kind: Any) -> bool:
    return isinstance(kind, str) and re.fullmatch("[a-z][a-z0-9-]{0,39}", kind) is not None


def _versions(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"version {version} of {kind}" for kind, version in numbers.items())


def rolled_back(asset: str, user: str, at: int, *, stands: Releases, reason: str, kind: str | None = None) -> Draft:
    """Give the fact that takes back what is in force of a kind; None: what the model got last, parameters or a hybrid.

    Raises RefusedError where the plant file's values are in force, or nothing of that kind.
    """
    last = stands.newest(asset) if kind is None else stands.in_force(asset, kind=kind)
    if last is None:
        raise RefusedError(
            f"{asset} runs on what the plant file says: there is nothing to roll back", code="release-none",
            remedy="change the plant file, or release other values",
        )  # fmt: skip
    if not reason.strip():
        raise RefusedError("taking a release back needs a reason", code="revert-no-reason", remedy="say why")
    body: dict[str, Any] = {"released": last.fact, "version": last.version}
    name = ROLLED_BACK if last.kind == PARAMETERS else UNLEARNED
    told = body if last.kind == PARAMETERS else body | {"kind": last.kind}
    return Draft(id=f"revert-{last.fact}", kind=name, at=at, actor=user, subject=asset, body=told, reason=reason)
