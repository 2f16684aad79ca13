"""What a person may ask of overrides: a draft to record, or a word why not. Nothing here changes an override."""

import math
from dataclasses import dataclass
from typing import Final

from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.samples import Draft, Fact
from gemel.samples.clock import DAY, iso
from gemel.twin.overrides import CLEARED, SET, Override, Overrides, set_id

LONGEST: Final = 30 * DAY  # an override is a stopgap: whoever needs it for longer says so again


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be shown.

    Args:
        path: the property.
        value: in the declared unit; a state's code.
        until: when it ends by itself [ns].
        reason: why.
        replaces: the override that it takes the place of, where there is one.

    """

    path: str
    value: float
    until: int
    reason: str
    replaces: str = ""


def set_(wish: Wish, override: str, user: str, at: int, *, stands: Overrides, states: int = 0) -> Draft:
    """Ask for an override.

    Args:
        wish: what is wanted.
        override: a name that was never used.
        user: who asks, and will own it.
        at: plant time [ns].
        stands: the overrides as the record has them.
        states: how many states the property has; 0: it is a number.

    Raises:
        RefusedError: without a reason, an end, or a value that can be.
        ConflictError: where another override is in force than `replaces` names.

    """
    _check(wish, at, states)
    known = stands.of(wish.path)
    if (known.id if known else "") != wish.replaces:
        raise _other(wish, known)
    body = {"override": override, "value": wish.value, "until": wish.until}
    if known is not None:
        body["replaces"] = known.id
    return Draft(
        id=set_id(override),
        kind=SET,
        at=at,
        actor=user,
        subject=wish.path,
        body=body,
        reason=wish.reason.strip(),
    )


def clear(override: str, user: str, reason: str, at: int, *, stands: Overrides) -> Draft:
    """Ask to end an override; any operator may, for the readings are the safe side."""
    known = next((o for o in stands.all() if o.id == override), None)
    if known is None:
        raise NotFoundError(
            f"no override {override!r} is in force",
            code="override-unknown",
            remedy="see GET /api/v1/overrides",
        )
    return Draft(
        id=f"override-cleared-{override}", kind=CLEARED, at=at, actor=user, subject=known.path,
        body={"override": override}, reason=reason, cause=set_id(override),
    )  # fmt: skip


def taken_back(fact: Fact, user: str, reason: str, at: int, *, stands: Overrides) -> Draft:
    """Give the fact that takes an override back.

    Raises ConflictError where it does not stand any more, RefusedError where the state before cannot be had again.
    """
    if fact.kind != SET or fact.body.get("replaces"):
        words = f"{fact.kind} cannot be taken back: what held before is over"
        raise RefusedError(words, code="revert-kind", remedy="set an override again, or clear the one in force")
    known = next((o for o in stands.all() if o.id == fact.body["override"]), None)
    if known is None:
        raise ConflictError(
            f"fact {fact.seq} does not stand any more: the override is over", code="revert-superseded",
            remedy="see GET /api/v1/overrides",
        )  # fmt: skip
    return Draft(
        id=f"revert-{fact.seq}", kind=CLEARED, at=at, actor=user, subject=known.path, reason=reason, cause=fact.id,
        body={"override": known.id, "reverts": fact.seq, "before": known.value, "after": None},
    )  # fmt: skip


def _check(wish: Wish, at: int, states: int) -> None:
    if not wish.reason.strip():
        raise RefusedError("an override needs a reason", code="override-no-reason", remedy="say why")
    if not at < wish.until <= at + LONGEST:
        raise RefusedError(
            f"an override cannot end at {iso(wish.until)}", code="override-time",
            remedy=f"let it end within {LONGEST // DAY} days",
        )  # fmt: skip
    known = math.isfinite(wish.value) and (
        not states or (wish.value == int(wish.value) and 0 <= wish.value < states)
    )
    if not known:
        raise RefusedError(
            f"{wish.value:g} cannot be a value of {wish.path}", code="override-value",
            remedy="give a finite number in its unit, or a state's word",
        )  # fmt: skip


def _other(wish: Wish, known: Override | None) -> ConflictError:
    if known is None:
        words = f"the override {wish.replaces!r} of {wish.path} is not in force any more"
        return ConflictError(words, code="override-in-force", remedy="read the list again")
    return ConflictError(
        f"{wish.path} is overridden with {known.value:g} by {known.owner} until {iso(known.until)} ({known.id})",
        code="override-in-force", remedy="clear it, or name it as `replaces`",
    )  # fmt: skip
