"""Versions of parameters: released by facts, one in force, rolled back by a fact that names why; nothing leaves the record."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from record_kit import Kept

from gemel.errors import ConflictError, RefusedError
from gemel.operate.release import Releasing
from gemel.twin.releases import Releases, released, rolled_back

ASSET = "a/b/rig"
GOOD = {"gate": {"passed": True, "against": []}, "digest": "d1"}


class Twin:
    def __init__(self):
        self.record, self.now = Kept(), 0
        self.asked = Releasing(self.record, SimpleNamespace(now=lambda: self.now))

    def ask(self, verb, **body):
        self.now += 10
        return json.loads(asyncio.run(self.asked.verbs[verb](body)))

    def release(self, wear, **more):
        return self.ask("release", asset=ASSET, user="olga", reason="monthly", body={**GOOD, "values": {"wear": wear}, **more})


@pytest.fixture
def twin():
    return Twin()


def test_a_release_is_in_force_until_it_is_rolled_back_and_then_the_one_before_is(twin):
    assert twin.ask("releases", asset=ASSET)["version"] == 0
    assert twin.release(0.1)["values"] == {"wear": 0.1}
    assert twin.release(0.2)["version"] == 2
    back = twin.ask("roll_back", asset=ASSET, user="olga", reason="it was the sensor")
    assert (back["version"], back["values"]) == (1, {"wear": 0.1})
    assert [r["state"] for r in back["items"]] == ["in_force", "rolled_back"]
    assert twin.ask("roll_back", asset=ASSET, user="olga", reason="and before")["version"] == 0
    assert [f.kind for f in twin.record.facts] == ["ParametersReleased"] * 2 + ["ParametersRolledBack"] * 2
    assert twin.release(0.3)["version"] == 3
    with pytest.raises(RefusedError, match="needs a reason"):
        twin.ask("roll_back", asset=ASSET, user="olga", reason=" ")


def test_what_was_taken_back_says_when_by_whom_and_why(twin):
    twin.release(0.1)
    assert "ended" not in twin.ask("releases", asset=ASSET)["items"][0]
    (told,) = twin.ask("roll_back", asset=ASSET, user="erna", reason="it was the sensor")["items"]
    fact = twin.record.facts[-1]
    assert told["ended"] == {"at": fact.at, "by": "erna", "reason": "it was the sensor", "fact": fact.seq, "version": 0}


def test_what_was_in_force_at_a_past_time_can_be_asked(twin):
    twin.release(0.1)
    twin.release(0.2)
    twin.ask("roll_back", asset=ASSET, user="olga", reason="why")
    stands = Releases().take_all(twin.record.facts)
    at = {r.version: r.at for r in stands.of(ASSET)}
    found = [stands.in_force(ASSET, t) for t in (at[1] - 1, at[1], at[2], at[2] + 10)]
    assert [r.version if r else 0 for r in found] == [0, 1, 2, 1]
    assert stands.in_force("a/b/other") is None


def test_the_gate_refuses_and_a_person_may_overrule_it_by_name(twin):
    body = {"values": {"wear": 0.4}, "digest": "d", "gate": {"passed": False, "against": ["only 12 unseen readings"]}}
    with pytest.raises(RefusedError, match="only 12 unseen readings"):
        twin.ask("release", asset=ASSET, user="olga", reason="", body=body)
    with pytest.raises(RefusedError, match="no gate was asked"):
        twin.ask("release", asset=ASSET, user="olga", reason="", body={"values": {"wear": 0.4}})
    assert twin.record.facts == []
    assert twin.ask("release", asset=ASSET, user="olga", reason="known", body=body, despite_gate=True)["version"] == 1


def test_a_challenger_of_another_champion_is_refused(twin):
    twin.release(0.1)
    with pytest.raises(ConflictError, match="has version 1 by now, not 0"):
        twin.release(0.2, champion=0)
    assert twin.release(0.2, champion=1)["version"] == 2


def test_nothing_to_roll_back_and_nothing_to_release_are_said(twin):
    with pytest.raises(RefusedError, match="nothing to roll back"):
        twin.ask("roll_back", asset=ASSET, user="olga", reason="why")
    with pytest.raises(RefusedError, match="needs values"):
        released(ASSET, {}, "olga", 1, stands=Releases())
    with pytest.raises(RefusedError):
        rolled_back(ASSET, "olga", 1, stands=Releases(), reason="why")


def test_only_the_fact_in_force_is_taken_back_by_its_number(twin):
    twin.release(0.1)
    twin.release(0.2)
    first, second = twin.record.facts
    with pytest.raises(RefusedError, match="another version is in force"):
        twin.asked.taken_back(first, "olga", "why", 99)
    draft = twin.asked.taken_back(second, "olga", "why", 99)
    assert draft.kind == "ParametersRolledBack" and draft.id == f"revert-{second.seq}"
