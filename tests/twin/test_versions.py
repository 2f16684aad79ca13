"""The version of an asset: the last decision about it."""

import pytest

from gemel.errors import ConflictError
from gemel.samples import Fact
from gemel.twin.versions import Versions


def fact(seq, kind, subject):
    return Fact(seq=seq, id=f"f{seq}", kind=kind, at=seq * 10**9, recorded=0, actor="ada", subject=subject)


@pytest.fixture
def versions():
    found = Versions()
    for one in (
        fact(1, "PlantApplied", "a/b"), fact(2, "CommandRequested", "a/b/p1/set_speed"), fact(3, "AlarmRaised", "a/b/p1/flow"),
        fact(4, "OverrideSet", "a/b/p2/flow"), fact(5, "UserLoggedIn", ""),
    ):  # fmt: skip
        found.take(one)
    return found


def test_commands_overrides_and_the_plant_file_count_and_nothing_else(versions):
    assert [versions.of(a).version for a in ("a/b/p1", "a/b/p2", "a/b/p3")] == [2, 4, 1]
    versions.take(fact(6, "PlantApplied", "a/b"))
    assert [versions.of(a).version for a in ("a/b/p1", "a/b/p2", "a/b/p3")] == [6, 6, 6]


def test_who_saw_an_older_one_is_told_what_happened(versions):
    versions.check("a/b/p1", 2)
    versions.check("a/b/p1", None)
    with pytest.raises(ConflictError, match="is at version 4, not 1: OverrideSet by ada") as busy:
        versions.check("a/b/p2", 1)
    assert busy.value.code == "changed-meanwhile"
