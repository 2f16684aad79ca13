"""Who reads the record sees what a fact changed: before and after, of every kind that somebody decides."""

import pytest

from gemel.samples import Fact
from gemel.serve.before_after import before_after

UNTIL = 1_700_000_000_000_000_000


def fact(kind, **body):
    return Fact(seq=1, id="a", kind=kind, at=0, recorded=0, actor="ann", body=body)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (fact("CommandRequested", before=1200.0, value=1500.0, unit="rpm"), ("1200 rpm", "1500 rpm")),
        (fact("OverrideSet", override="o", value=42.5, until=UNTIL), ("as read", "42.5 until 2023-11-14T22:13:20.000000000Z")),
        (fact("OverrideSet", override="p", value=1, until=UNTIL, replaces="o"), ("overridden", "1 until 2023-11-14T22:13:20.000000000Z")),
        (fact("OverrideCleared", override="o"), ("overridden", "as read")),
        (fact("OverrideCleared", override="o", reverts=3, before=42.5, after=None), ("42.5", None)),
        (fact("ParametersReleased", champion=2, values={"wear": 0.25, "head": 32.0}), ("version 2", "wear 0.25, head 32.0")),
        (fact("ParametersRolledBack", released=9, version=3), ("version 3", "the version before")),
        (fact("MaintenanceDone", of="wheel", action="overhaul", keep=0.1), ("100 % of what was worn", "10 % of it")),
        (fact("EventRaised"), ("does not hold", "holds")),
        (fact("LoggedIn"), (None, None)),
    ],
)
def test_a_fact_says_how_it_was_before_and_after(told, shown):
    assert before_after(told) == shown


@pytest.mark.parametrize("kind", ["OverrideSet", "ParametersReleased", "ParametersRolledBack", "MaintenanceDone", "PlantApplied"])
def test_a_fact_that_says_less_than_usual_is_told_all_the_same(kind):
    assert before_after(fact(kind)) == (None, None)
