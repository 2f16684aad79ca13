"""Taking a fact back: once, with a reason, and where it cannot be, in words that say what there is instead."""

import asyncio

import pytest
from record_kit import Kept

from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.operate.revert import Reverts
from gemel.samples import Draft


def taken_back(fact, user, reason, at):
    return Draft(id=f"revert-{fact.seq}", kind="Untried", at=at, actor=user, reason=reason, cause=fact.id)


def revert(record, seq, reason="a mistake"):
    return asyncio.run(Reverts(record, {"Tried": taken_back}).revert(seq, "emil", reason, 99))


def test_asked_twice_it_is_the_same_fact():
    record = Kept("Other", "Tried", "Other")
    first = revert(record, 2)
    assert (first.seq, first.kind, first.actor, first.reason, first.cause) == (4, "Untried", "emil", "a mistake", "f2")
    assert revert(record, 2, "") == first
    assert len(record.facts) == 4


def test_it_needs_a_reason_and_a_fact():
    with pytest.raises(RefusedError) as told:
        revert(Kept("Tried"), 1, "  ")
    assert told.value.code == "revert-no-reason"
    for seq in (0, 2, 99):
        with pytest.raises(NotFoundError):
            revert(Kept("Tried"), seq)


@pytest.mark.parametrize(
    ("kind", "instead"), [("CommandConfirmed", "the value before"), ("PlantApplied", "former file"), ("LoggedIn", "audit")]
)
def test_what_cannot_be_taken_back_says_what_there_is_instead(kind, instead):
    with pytest.raises(RefusedError) as told:
        revert(Kept(kind), 1)
    assert told.value.code == "revert-kind" and instead in told.value.remedy


def test_a_compensation_that_somebody_else_was_faster_with_is_given():
    record = Kept("Tried")

    def late(fact, user, reason, at):
        raise ConflictError("it does not stand any more", code="revert-superseded")

    revert(record, 1)
    assert asyncio.run(Reverts(record, {"Tried": late}).revert(1, "emil", "x", 1)).seq == 2
