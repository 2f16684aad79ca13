"""A what-if draws what is not known of its beginning as sure as it is known, and says from where one knows that, or that nothing is."""

import json

import numpy as np
import pytest
from mill_kit import ASSET, PLANT, loaded

from gemel.operate import whatif
from gemel.samples import Fact
from gemel.twin.releases import RELEASED, Releases

SHORT = {"horizon_s": 3600.0, "members": 512, "points": 3, "seed": 2, "watch": ["wear"], "scenarios": [{"name": "more", "changes": [{"of": "load", "how": "scale", "value": 1.2}]}]}
KPIS = [{"name": "worn", "statistic": "first_above", "of": "wear", "limit": 0.5, "unit": "s"}, {"name": "end", "statistic": "last", "of": "wear"}]


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    with loaded(tmp_path_factory.mktemp("doubt")) as found:
        yield found


def released(**body):
    told = {"values": {"rate": 0.72, "drag": 2.5}, "intervals": {"rate": [0.65, 0.79], "drag": [2.0, 3.0]}, **body}
    return Releases().take_all([Fact(seq=3, id="r", kind=RELEASED, at=10, recorded=10, actor="emil", subject=ASSET, body=told, reason="")])


def shown(sigma=float("nan"), source="estimated"):
    return {f"{ASSET}/load": (100.0, "%"), f"{ASSET}/wear": (20.0, "%", sigma, source)}


def spec_of(plant, releases=None, shown_=None, at=20, **more):
    begun = whatif.begin(plant, ASSET, shown_ or shown(), releases, at)
    begun = json.loads(json.dumps(begun))  # as it comes over HTTP
    return whatif.spec(begun, {**SHORT, "kpis": KPIS, **more}, "2026-11-21T10:00:00Z", plant)


def known(spec):
    return {u["of"]: u for u in spec["question"]["uncertain"]}


def ends(result, future=0):
    return result["futures"][future]["figures"]["end"]["quantiles"]


def test_a_state_that_is_estimated_begins_as_sure_as_the_estimate_is(plant):
    doubt = known(spec_of(plant, shown_=shown(sigma=3.0)))["wear"]
    assert doubt["spread"] == pytest.approx(0.03) and not doubt["relative"] and doubt["source"] == "estimated"
    assert "wear" not in known(spec_of(plant))
    result = whatif.run(spec_of(plant, shown_=shown(sigma=3.0)), lambda done: True)
    low, high = (result["futures"][0]["bands"][0][q][0] for q in (0, 4))
    assert (low, high) == (pytest.approx(0.2 - 1.645 * 0.03, abs=2e-3), pytest.approx(0.2 + 1.645 * 0.03, abs=2e-3))


def test_the_baseline_and_the_scenario_begin_with_the_same_draws(plant):
    spec = spec_of(plant, shown_=shown(sigma=3.0), uncertain=None)
    spec["question"]["uncertain"] = [known(spec)["wear"]]
    result = whatif.run(spec, lambda done: True)
    d, base = result["futures"][1]["differences"]["end"], ends(result)
    assert base[-1] - base[0] > 0.09, "the beginning is spread"
    assert d["quantiles"][-1] - d["quantiles"][0] < 1e-5, "and the difference is not"


def test_a_released_parameter_is_drawn_from_its_interval_and_another_by_default(plant):
    doubts = known(spec_of(plant, released(values={"rate": 0.72}, intervals={"rate": [0.65, 0.79]})))
    assert doubts["rate"]["source"] == "released interval"
    assert doubts["rate"]["spread"] == pytest.approx(0.07 / 1.96 / 3600, rel=1e-3)
    assert (doubts["drag"]["spread"], doubts["drag"]["source"]) == (0.05, "5 % by default")


def test_what_the_plant_file_says_of_a_parameter_is_drawn_until_a_release_says_better(plant):
    told = known(spec_of(plant))["ratio"]
    assert (told["spread"], told["relative"], told["source"]) == (pytest.approx(0.03), False, "declared")
    better = known(spec_of(plant, released(values={"ratio": 90.0}, intervals={"ratio": [89.0, 91.0]})))["ratio"]
    assert better["source"] == "released interval" and better["spread"] == pytest.approx(0.01 / 1.96, rel=1e-3)
    assert "ratio" not in known(spec_of(plant, released(values={"ratio": 90.0}, intervals={}))), "what was said is of another value"


def test_a_release_counts_from_its_time_on(plant):
    assert known(spec_of(plant, released(), at=5))["rate"]["source"] == "5 % by default"
    assert known(spec_of(plant, released(), at=20))["rate"]["source"] == "released interval"


@pytest.mark.parametrize("interval", [[0.72, 0.72], [float("-inf"), float("inf")]])
def test_an_interval_that_says_nothing_is_not_taken_for_certainty(plant, interval):
    assert known(spec_of(plant, released(intervals={"rate": interval})))["rate"]["source"] == "5 % by default"


def test_an_interval_cut_short_by_the_range_is_as_wide_as_its_other_side(plant):
    doubts = known(spec_of(plant, released(intervals={"rate": [0.72, 0.79]})))
    assert doubts["rate"]["spread"] == pytest.approx(0.07 / 1.96 / 3600, rel=1e-3)


def test_what_was_fitted_together_is_drawn_together(plant):
    """Rate and drag stand for one product: fitted together, one being more the other is less, and the product is sure."""
    both = {"names": ["drag", "rate"], "matrix": [[1.0, -0.99], [-0.99, 1.0]]}
    close = {"intervals": {"rate": [0.5788, 0.8612], "drag": [2.01, 2.99]}}  # a tenth of either
    apart, together = (whatif.run(spec_of(plant, released(**close, **more)), lambda done: True) for more in ({}, {"correlation": both}))
    wide, narrow = (q[-1] - q[0] for q in (ends(apart), ends(together)))
    assert narrow < 0.3 * wide


def test_of_what_was_fitted_together_it_is_said_that_it_is_and_indices_tell_that_one_says_much_of_the_other(plant):
    both = {"names": ["drag", "rate"], "matrix": [[1.0, -0.99], [-0.99, 1.0]]}
    result = whatif.run(spec_of(plant, released(correlation=both), indices=True, members=256), lambda done: True)
    alone, whole = result["futures"][0]["indices"]["end"]["rate"]
    assert whole < 0.1 < alone, "what is left of it once drag is known is little"
    assert "vary together, as they were fitted: drag, rate" in result["words"]
    assert any(said.startswith("of what varies together, alone counts") for said in result["words"])
    assert not any("together" in said for said in whatif.run(spec_of(plant, indices=True, members=16), lambda done: True)["words"])


def test_where_the_uncertainty_comes_from_is_said_of_each(plant):
    one = released(values={"rate": 0.72}, intervals={"rate": [0.65, 0.79]})
    result = whatif.run(spec_of(plant, one, shown(sigma=3.0)), lambda done: True)
    drawn = {u["of"]: u for u in result["uncertain"]}
    assert drawn["wear"] == {"of": "wear", "value": pytest.approx(0.2), "law": "normal", "source": "estimated", "spread": pytest.approx(0.03), "unit": "1"}
    assert drawn["drag"]["spread"] == pytest.approx(0.1)
    assert "uncertain (released interval): rate" in result["words"] and "uncertain (5 % by default): drag" in result["words"]
    assert "a share of zero is nothing, so these do not vary: hold" in result["words"]
    assert "begins as the model declares it, without uncertainty: heat" in result["words"]
    asked = whatif.run(spec_of(plant, uncertain=[{"of": "load", "spread": 0.1}]), lambda done: True)
    assert "uncertain (asked for): load" in asked["words"]


def test_where_nothing_is_uncertain_it_says_so(plant):
    result = whatif.run(spec_of(plant, uncertain=[]), lambda done: True)
    assert result["words"][0].startswith("nothing is taken as uncertain") and "no width" in result["words"][0]
    bands = np.array(result["futures"][0]["bands"])
    assert (bands[:, 0] == bands[:, -1]).all()
    nil = whatif.run(spec_of(plant, uncertain=[{"of": "hold", "spread": 0.05}]), lambda done: True)
    assert nil["words"][0].startswith("nothing is taken as uncertain"), "five percent of zero is nothing"


def test_a_result_is_plain_json_where_an_event_never_comes(plant):
    """From 0.2 at 1e-4/s · load, 0.5 is passed within the hour with the change and some draws only."""
    doubt = [{"of": "rate", "spread": 0.2}]
    result = whatif.run(spec_of(plant, uncertain=doubt, shown_={f"{ASSET}/load": (80.0, "%"), f"{ASSET}/wear": (20.0, "%")}), lambda done: True)
    again = json.loads(json.dumps(result, allow_nan=False))
    d = again["futures"][1]["differences"]["worn"]
    assert d["mean"] is None and d["interval"] == [None, None] and d["only_scenario"] > 0.2 and d["only_baseline"] == 0.0
    assert again["futures"][0]["figures"]["worn"]["quantiles"][-1] is None


def test_in_an_area_each_asset_has_the_intervals_of_its_own_release(plant, tmp_path):
    with loaded(tmp_path, PLANT.replace("mill: {type: Mill}", "mill: {type: Mill}, other: {type: Mill}")) as two:
        begun = whatif.begin(two, "acme/works", shown(sigma=3.0), released(), 20)
    known = {u["of"]: u["source"] for u in begun["uncertain"]}
    assert known["mill/rate"] == "released interval" and known["other/rate"] == "5 % by default"
    assert known["mill/wear"] == "estimated" and "other/wear" not in known
