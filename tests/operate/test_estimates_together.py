"""A what-if that begins live draws what one filter follows as it goes together there; of the past it says that nobody knows how."""

import json

import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT, ROOT, frames
from plants import plant

from gemel.operate import whatif, whatif_doubt
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimates_together import covariances
from gemel.operate.estimator import Estimator
from gemel.operate.models import compiled
from gemel.scenarios import Question, Start
from gemel.scenarios.draw import drawn

RIG, SECONDS = f"{ROOT}/rig-2", 80
SHOWN = {"pump": (3.0, "V"), "lower": (4000.0, "mV", 50.0, "accuracy of its signal"), "upper": (5000.0, "mV", 300.0, "estimated"),
         "k1": (0.05, "V^0.5/s", 0.004, "estimated")}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return plant(tmp_path_factory.mktemp("plant"), PLANT)


def estimator_of(made):
    registry = made.registry()
    return Estimator(kinds_of(made, registry), registry, made.checks(registry), 0)


@pytest.fixture(scope="module")
def estimator(made):
    found = estimator_of(made)
    for position, frame in enumerate(frames(made.registry(), SECONDS), 1):
        list(found.take(frame, position))
    return found


def spec_of(made, estimated):
    begun = whatif.begin(made, RIG, {f"{RIG}/{n}": v for n, v in SHOWN.items()}, None, None, estimated)
    return whatif.spec(json.loads(json.dumps(begun)), {"members": 4096, "scenarios": [{"name": "as it is"}], "horizon_s": 60.0}, "2026-11-21T10:00:00Z", made)


def test_what_goes_together_is_told_of_the_assets_asked_for_by_the_filters_own_covariance(made, estimator):
    (group,) = estimator.together([RIG, f"{ROOT}/elsewhere"])
    assert group["paths"] == [f"{RIG}/upper", f"{RIG}/lower", f"{RIG}/k1"]
    belief = estimator._loops[0].belief
    root = np.asarray(belief.root)[1]
    covariance = root @ root.T
    sd = np.sqrt(np.diagonal(covariance))
    assert np.asarray(group["correlation"]) == pytest.approx(covariance / np.outer(sd, sd), abs=1e-5)
    assert abs(group["correlation"][0][2]) > 0.2, "a stream into the tank that nobody sees is unsure with its level"
    assert len(estimator.together([f"{ROOT}/rig-1", RIG])) == 2
    assert estimator.together([ROOT]) == [] == estimator_of(made).together([RIG]), "nothing is believed yet"


def test_members_of_an_ensemble_tell_the_same_and_who_knows_no_covariance_nothing():
    members = np.random.default_rng(3).normal(size=(2, 50, 4))
    assert covariances(members)[1] == pytest.approx(np.cov(members[1].T))
    assert covariances(object()) is None


def test_the_members_of_a_what_if_begin_as_estimates_go_together(made, estimator):
    (group,) = estimator.together([RIG])
    question = whatif._asked(spec_of(made, [group]))
    (together,) = question.together
    assert together.names == ("upper", "k1"), "what is measured is as its meter says"
    wanted = group["correlation"][0][2]
    assert correlation(made, question) == pytest.approx(wanted, abs=0.03)
    alone = whatif._asked(spec_of(made, []))
    assert alone.together == ()
    assert correlation(made, alone) == pytest.approx(0.0, abs=0.03)


def correlation(made, question: Question):
    model = compiled("gemel.dynamics.components.cascaded_tanks:CascadedTanks")
    values = {"upper": 5.0, "lower": 4.0}
    start = Start(np.array([values[n] for n in model.states]), model.u0, model.p0)
    from scipy.stats import qmc

    unit = qmc.Sobol(len(question.uncertain), seed=1).random(4096).clip(1e-6, 1 - 1e-6)
    found = drawn(model, start, question.uncertain, unit, question.together)
    held = (*model.inputs, *model.parameters)
    level, stream = found.x0[:, model.states.index("upper")], found.bias[:, held.index("k1")]
    assert level.std() == pytest.approx(0.3, rel=0.05) and stream.std() == pytest.approx(0.004, rel=0.05)
    return float(np.corrcoef(level, stream)[0, 1])


def test_it_is_said_what_varies_together_and_what_is_drawn_by_itself_for_want_of_knowing(made, estimator):
    live, past = (whatif_doubt.company(spec_of(made, e)["question"]) for e in (estimator.together([RIG]), ()))
    assert live == ["vary together, as they are estimated: upper, k1"]
    assert past == ["drawn each by itself, for how these estimates go together is not known: upper, k1"]
