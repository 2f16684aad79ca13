"""Meters without any dynamic model: what balances say of each other's readings, and which meter is wrong."""

import numpy as np
import pytest

pytest.importorskip("jax")

from balances_kit import BALANCES, BEGINS, PLANT, READ, ROOT, SECOND, SECONDS, START, course, frames, off
from plants import plant

from gemel.assets import check
from gemel.bus import decode_frame
from gemel.errors import ModelError
from gemel.operate.estimates_areas import followed
from gemel.operate.estimates_balances import nets
from gemel.operate.estimator import Estimator
from gemel.operate.models_check import model_problems
from gemel.operate.residual_turns import packed
from gemel.operate.residuals_in import drafted
from gemel.samples import Batch, Snapshot

@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = plant(tmp_path_factory.mktemp("plant"), PLANT + BALANCES)
    registry = made.registry()
    return made, registry, followed(made, registry)


def run(site, fault=lambda k, y: y, restart=None, seconds=SECONDS):
    made, registry, kinds = site
    fresh = lambda: Estimator(kinds, registry, made.checks(registry), 0)  # noqa: E731
    estimator, told, turns = fresh(), [], []
    for position, frame in enumerate(frames(registry, fault, seconds), 1):
        told += [one.data for one in estimator.take(frame, position)]
        turns += estimator.turns
        if position == restart:
            kept, estimator = estimator.snapshot(), fresh()
            assert estimator.restore(Snapshot.from_bytes(kept.to_bytes()))
    rows = Batch.concat(decode_frame(one).batch for one in told)
    return {name: rows.take(rows.signal == registry.index(f"{ROOT}/{name}/flow", "estimated")) for name in (*READ, "bypass")}, turns


def test_reconciled_flows_close_every_balance_and_what_nothing_measures_is_given(site):
    rows, turns = run(site)
    assert turns == []
    true = np.array([course(k) for k in ((rows["main"].time - START) // SECOND)])
    litres = 1000 / 60
    assert rows["pump-1"].value + rows["pump-2"].value - rows["bypass"].value == pytest.approx(rows["main"].value / litres, abs=1e-3)
    assert rows["bypass"].value == pytest.approx(0.1 * rows["well-2"].value, abs=1e-3)
    for i, name in enumerate(READ):
        unit = litres if name == "main" else 1.0
        error, sigma = rows[name].value / unit - true[:, i], rows[name].sigma / unit
        assert np.std(error) < 0.9 * (0.5 if name == "main" else 1.0), "nearer to the truth than its meter"
        assert 0.85 < np.std(error / sigma) < 1.15, "as uncertain as it says"


def test_the_meter_that_the_others_contradict_is_named_and_its_value_is_believed_by_them(site):
    rows, turns = run(site, off, restart=2 * (BEGINS + 9))
    raised = [t for t in turns if t.kind == "ResidualRaised"]
    assert raised[0].at < START + (BEGINS + 10) * SECOND
    assert {(t.asset, t.body["signal"]) for t in raised} == {(f"{ROOT}/pump-1", f"{ROOT}/pump-1/flow")}
    suspect = raised[1].body["suspects"][0]
    assert (suspect["kind"], suspect["name"], raised[1].body["substituted"]) == ("sensor", "net/pump-1/flow", True)
    assert drafted(packed(raised[1]), site[0]).subject == f"{ROOT}/pump-1"
    after = rows["pump-1"].time > raised[1].at + 2 * SECOND
    assert abs(np.mean(rows["pump-1"].value[after] - [course(k)[2] for k in (rows["pump-1"].time[after] - START) // SECOND])) < 0.5
    assert [packed(t) for t in run(site, off)[1]] == [packed(t) for t in turns], "gone on from a snapshot it tells the same"


def test_where_a_meter_is_missing_those_that_the_others_still_say_something_of_are_watched_on(site):
    """The town's meter is gone: `main` still stands against the pumps, and the wells against the pumps."""
    gone, begins = 330, 450
    _, turns = run(site, lambda k, y: np.where((np.arange(6) == 4) & (k > gone), np.nan, y + np.array([0, 0, 8.0 * (k > begins), 0, 0, 0])), seconds=490)
    raised = [t for t in turns if t.kind == "ResidualRaised"]
    assert START + begins * SECOND < raised[0].at < START + (begins + 15) * SECOND
    assert [raised[0].body["signal"], *raised[0].body["missing"]] == [f"{ROOT}/pump-1/flow", f"{ROOT}/town/flow"]
    assert (raised[1].body["suspects"][0]["name"], raised[1].body["substituted"]) == ("net/pump-1/flow", True)
    why = [(t.body["signal"], t.body["why"]) for t in turns if t.kind == "ResidualSubstituted"]
    assert why[0] == (f"{ROOT}/town/flow", "missing")


def test_a_leak_is_of_the_balance_that_does_not_close_and_no_meter_is_left_out(site):
    _, turns = run(site, lambda k, y: y - np.array([0, 0, 0, 0, 8.0, 8.0]) * (k > BEGINS))
    answer = [t for t in turns if t.kind == "ResidualRaised"][1].body
    named = {(s["kind"], s["name"]): s["probability"] for s in answer["suspects"]}
    assert named["process", "loss/header"] + named["process", "loss/way"] > 0.8, "nothing measures the bypass between the two"
    assert not answer["substituted"]


def test_balances_that_share_no_signal_are_nets_of_their_own(tmp_path):
    made = plant(tmp_path, PLANT + BALANCES + "  pair: other/spare/flow = other/twin/flow\n")
    assert [[b.name for b in net] for net in nets(made.balances)] == [["suction-1", "suction-2", "way", "branch", "header"], ["pair"]]
    assert dict(made.balances[2].terms) == {f"{ROOT}/bypass/flow": 1.0, f"{ROOT}/pump-2/flow": -0.1}


def test_a_balance_that_says_nothing_new_is_refused(tmp_path):
    made = plant(tmp_path, PLANT + BALANCES + "  again: 2 * net/well-1/flow = 2 net/pump-1/flow\n")
    with pytest.raises(ModelError, match="'again' follows from the others"):
        followed(made, made.registry())
    (found,) = [p for p in model_problems(made, tmp_path, evaluate=False) if p.severity == "error"]
    assert "'again' follows from the others" in found.message


WRONG = {
    "net/well-1/flow": "is no balance",
    "net/well-1/flow + = net/pump-1/flow": "is no balance",
    "net/well-9/flow = net/pump-1/flow": "there is no asset 'net/well-9'",
    "net/well-1/level = net/pump-1/flow": "net/well-1 has no signal 'level'",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_balance_that_cannot_be_one_is_told_by_line(tmp_path, text):
    (tmp_path / "plant.yaml").write_text(PLANT + BALANCES + f"  wrong: {text}\n")
    (found,) = [p for p in check(tmp_path)[1] if p.severity == "error"]
    assert WRONG[text] in found.message
    assert found.line == (PLANT + BALANCES).count("\n") + 1


def test_a_release_of_an_asset_that_a_balance_is_called_like_is_none_of_the_balance(tmp_path):
    made = plant(tmp_path, PLANT + "balances:\n  branch: net/main/flow = net/town/flow\n")
    (net,) = followed(made, made.registry())
    assert net.assets == ("acme/riverside/branch",)
    assert net.concerned(set(net.assets)) == []
