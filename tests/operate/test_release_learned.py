"""What is learned beside the parameters is released like them: one in force of each kind, going and coming with what it is good for."""

import pytest
from test_release import ASSET, GOOD, Twin

from gemel.errors import ConflictError, RefusedError
from gemel.operate.following import decide, proposed
from gemel.assets.spec import Calibrating
from gemel.operate.view_calibrations import in_force
from gemel.twin.releases import HYBRID, Releases, learner_released

DIGEST = "ab" * 32
CORRECTION = {"version": "c1", "output": "flow"}


@pytest.fixture
def twin():
    return Twin()


def learned(parameters=0, digest=DIGEST, **more):
    return {**GOOD, "kind": "hybrid", "digest": digest, "good_for": {"parameters": parameters, "outputs": ["flow"]}, "hybrid": {"flow": CORRECTION}, **more}


def release(twin, body):
    return twin.ask("release", asset=ASSET, user="olga", reason="learned", body=body)


def back(twin, **more):
    return twin.ask("roll_back", asset=ASSET, user="olga", reason="no good", **more)


def stands(twin):
    return Releases().take_all(twin.record.facts)


def states(told):
    return [(r["kind"], r["version"], r["state"]) for r in told["items"]]


def test_a_hybrid_is_released_without_any_parameters_and_one_command_takes_it_back(twin):
    told = release(twin, learned())
    assert (told["version"], told["values"]) == (0, {}), "the plant file's values stay"
    assert states(told) == [("hybrid", 1, "in_force")]
    assert stands(twin).hybrid(ASSET) == {"flow": CORRECTION}
    assert [f.kind for f in twin.record.facts] == ["LearnerReleased"]
    assert states(back(twin)) == [("hybrid", 1, "rolled_back")]
    assert stands(twin).hybrid(ASSET) == {}


def test_it_goes_with_the_parameters_that_it_is_good_for_and_comes_back_with_them(twin):
    twin.release(0.1)
    release(twin, learned(1))
    twin.release(0.2)
    assert stands(twin).in_force(ASSET, kind=HYBRID) is None and stands(twin).hybrid(ASSET) == {}
    assert back(twin)["version"] == 1
    assert stands(twin).hybrid(ASSET) == {"flow": CORRECTION}, "it came back with version 1"
    assert states(back(twin))[1] == ("hybrid", 1, "rolled_back"), "what came last goes first"
    assert stands(twin).in_force(ASSET).version == 1


def test_of_parameters_that_carry_a_hybrid_one_released_alone_takes_its_place_and_gives_it_back(twin):
    twin.ask("release", asset=ASSET, user="olga", reason="", body={**GOOD, "values": {"wear": 0.1}, "hybrid": {"flow": {"version": "old"}}})
    release(twin, learned(1))
    assert stands(twin).hybrid(ASSET)["flow"]["version"] == "c1"
    back(twin, kind="hybrid")
    assert stands(twin).hybrid(ASSET)["flow"]["version"] == "old"


def test_a_learner_of_another_kind_stands_beside_and_is_taken_back_by_its_name_alone(twin):
    release(twin, learned(kind="anomaly", good_for={"signals": [f"{ASSET}/flow"]}))
    twin.release(0.1)
    told = twin.ask("releases", asset=ASSET)
    assert states(told) == [("anomaly", 1, "in_force"), ("parameters", 1, "in_force")]
    assert states(back(twin))[1] == ("parameters", 1, "rolled_back")
    with pytest.raises(RefusedError, match="nothing to roll back"):
        back(twin)
    assert states(back(twin, kind="anomaly"))[0] == ("anomaly", 1, "rolled_back")


def test_what_was_in_force_then_is_told_of_learners_too(twin):
    twin.release(0.1)
    release(twin, learned(1))
    twin.release(0.2)
    back(twin)
    times = [f.at for f in twin.record.facts]
    assert [bool(stands(twin).hybrid(ASSET, at)) for at in (times[0], times[1], times[2], times[3])] == [False, True, False, True]


def test_any_beginning_of_the_record_folded_before_the_rest_is_the_same_as_the_whole(twin):
    twin.release(0.1)
    release(twin, learned(1))
    back(twin)
    release(twin, learned(1, "cd" * 32, champion=0))
    whole = stands(twin)
    for cut in range(len(twin.record.facts)):
        parts = Releases().take_all(twin.record.facts[:cut]).take_all(twin.record.facts[cut:])
        assert parts.all() == whole.all() and parts.in_force(ASSET, kind=HYBRID) == whole.in_force(ASSET, kind=HYBRID)


@pytest.mark.parametrize("wrong", [{"kind": "parameters"}, {"kind": "Bad Word"}, {"digest": "short"}, {"good_for": {}}, {"good_for": None}])
def test_what_does_not_say_what_it_is_is_refused(wrong):
    with pytest.raises(RefusedError) as refused:
        learner_released(ASSET, learned(**wrong), "olga", 1, stands=Releases())
    assert refused.value.code == "release-learner"


def test_the_gate_and_what_changed_meanwhile_hold_for_learners_too(twin):
    with pytest.raises(RefusedError, match="the gate refuses: no better"):
        release(twin, learned(gate={"passed": False, "against": ["no better"]}))
    twin.release(0.1)
    with pytest.raises(ConflictError, match="version 1 of parameters by now"):
        release(twin, learned(0))
    release(twin, learned(1))
    with pytest.raises(ConflictError, match="version 1 of hybrid"):
        release(twin, learned(1, "cd" * 32, champion=0))


def test_by_its_number_too_a_learner_is_taken_back(twin):
    release(twin, learned())
    (fact,) = twin.record.facts
    assert twin.asked.taken_back(fact, "olga", "why", 99).kind == "LearnerRolledBack"


def test_the_champion_of_a_machine_is_its_parameters_with_the_hybrid_in_force(twin):
    release(twin, learned(data={"to_s": 7.0}))
    champion = in_force(twin.ask("releases", asset=ASSET)["items"])
    assert (champion["version"], champion["values"], champion["hybrid_version"], champion["learned_to_s"]) == (0, {}, 1, 7.0)
    assert champion["hybrid"] == {"flow": CORRECTION}


def test_where_the_parameters_are_refused_a_hybrid_alone_that_passes_is_what_comes_in():
    no, yes = {"passed": False, "against": ["these data cannot tell wear"]}, {"passed": True, "against": []}
    alone = {"gate": yes, "hybrid": {}, "release": learned(fidelity={"flow": 0.99}, rmse={}, unconfirmed=[])}
    result = {"gate": no, "champion": 0, "release": {"values": {}}, "scores": {"champion": {}}, "alone": alone}
    told = proposed(result)
    assert told["refused"] == no and decide(told, None, Calibrating()).release == alone["release"]
    assert decide(proposed({**result, "alone": None}), None, Calibrating()).word == "kept"
