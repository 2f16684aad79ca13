"""Remaining life follows from what the plant file declares and history holds; what more load does is clear, and said once."""

import asyncio
import json

import numpy as np
import pytest
from life_kit import ASSET, DAY, START, lived, now, plant_in

from gemel.cli.life import lines
from gemel.errors import NotFoundError
from gemel.operate import life, life_law, life_record
from gemel.samples import Fact


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return plant_in(tmp_path_factory.mktemp("plant"))


@pytest.fixture(scope="module")
def twin(plant):
    return lived(plant, pace=1.3)


def asked(twin, of="wheel", changes=(), maintenance=(), **more):
    changed = [{"name": "changed", "changes": list(changes), "maintenance": list(maintenance)}]
    question = {"scenarios": changed if changes or maintenance else [], "members": 500, **more}
    (one,) = life_law.wearing(twin.plant, ASSET, of)
    return asyncio.run(life_record.spec(twin, one, question, more.get("at", now(twin))))


def told(spec):
    return life.run(spec, lambda done: True)


def test_the_law_is_given_short_means_and_its_mean_is_that_of_the_cubes(twin):
    spec = asked(twin)
    cubes = 100.0 * 2e-4 / 3600.0 * np.mean((twin.columns["speed"] / 2900.0) ** 3)
    assert np.mean(spec["rate"]) == pytest.approx(cubes, rel=1e-3)
    of_means = 100.0 * 2e-4 / 3600.0 * np.mean(twin.columns["speed"] / 2900.0) ** 3
    assert cubes > 1.05 * of_means  # what a law of the daily mean would have lost
    assert spec["averaging"]["step_s"] == 60.0 and abs(spec["averaging"]["lost"]) < 1e-3
    assert len(spec["rate"]) == 60 and spec["dt_s"] == DAY / 1e9


def test_the_same_spec_gives_the_same_answer_and_it_holds_the_truth(twin):
    spec = asked(twin)
    found = told(spec)
    assert json.dumps(found) == json.dumps(told(json.loads(json.dumps(spec))))
    worn = 1.0 + 100.0 * 1.3 * 2e-4 * np.sum((twin.columns["speed"] / 2900.0) ** 3) / 60.0
    a_day = (worn - 1.0) / 60
    assert found["level"]["value"] == pytest.approx(worn, abs=3 * found["level"]["sd"])
    q = found["futures"][0]["event"]
    assert q["q05"] < (25.0 - worn) / a_day * 86_400 < q["q95"]
    assert q["q95"] / q["q05"] < 2.0
    assert found["readings"] == 60 and len(found["futures"][0]["fan"]) == 5


def test_fifteen_percent_more_load_clearly_shortens_it_and_an_overhaul_clearly_lengthens_it(twin):
    heavy = told(asked(twin, changes=[{"of": "load", "how": "scale", "value": 1.15}]))["differences"][0]
    assert heavy["clear"] and heavy["earlier"] > 0.99 and heavy["high_s"] < 0
    assert 1.15**-3.6 < heavy["ratio"] < 1.15**-2.0  # by about the cube; how strong it is driven is doubted as well
    unit = told(asked(twin, changes=[{"of": "speed", "how": "set", "value": 35.0, "unit": "1/s"}]))["differences"][0]
    assert unit["clear"] and unit["earlier"] < 0.01  # 2100 rpm all day is less
    overhauled = told(asked(twin, maintenance=[{"action": "overhaul", "in_s": 864_000.0}]))
    assert overhauled["differences"][0]["clear"] and overhauled["differences"][0]["earlier"] < 0.01


def test_without_an_indicator_it_follows_from_the_load_alone_with_more_doubt(twin):
    found = told(asked(twin, "bearing", horizon_s=40 * 365 * 86_400.0))
    q = found["futures"][0]["event"]
    assert q["q95"] / q["q05"] > 3.0 and not found["futures"][0]["reason"]
    assert found["past"] == {"times_s": [], "value": []}


def test_maintenance_on_record_begins_a_new_life_and_other_facts_do_not(plant):
    twin = lived(plant, days=60)
    body = {"of": "wheel", "action": "overhaul", "at": None}
    at = START + 40 * DAY
    twin.columns["head_loss"][40 * 1440 :] -= twin.columns["head_loss"][40 * 1440]
    twin.record = [
        Fact(seq=1, id="a", kind=life_record.DONE, at=at, recorded=at, actor="emil", subject=ASSET, body=body, reason=""),
        Fact(seq=2, id="b", kind=life_record.DONE, at=at, recorded=at, actor="emil", subject=ASSET + "0", body=body, reason=""),
    ]
    spec = asked(twin)
    assert [i for i, k in enumerate(spec["keep"]) if k != 1.0] == [40] and spec["keep"][40] == 0.0
    assert told(spec)["level"]["value"] < 7.0
    twin.runs = False
    assert asked(twin)["keep"] is None  # a twin that does not run has no record to read


@pytest.mark.parametrize("minutes", [0, 1, 300, 1380])
def test_an_overhaul_told_by_the_tick_of_the_question_begins_a_new_life(plant, minutes):
    """At the very tick, within the step that is not over, or within the newest bin, whose mean is of before and after."""
    twin = lived(plant, days=60, pace=1.3)
    at = now(twin) + 7_000_000_000
    worn = told(asked(twin, at=at))
    body = {"of": "wheel", "action": "overhaul", "at": None}
    when = at - minutes * 60_000_000_000
    twin.record = [Fact(seq=1, id="a", kind=life_record.DONE, at=when, recorded=at, actor="emil", subject=ASSET, body=body, reason="")]
    spec = asked(twin, changes=[{"of": "load", "how": "scale", "value": 1.15}], at=at)
    new, difference = told(spec), told(spec)["differences"][0]
    assert worn["level"]["value"] > 18.0 and new["level"]["value"] < 1.5
    assert new["futures"][0]["event"]["q50"] > 3.5 * worn["futures"][0]["event"]["q50"]
    assert difference["clear"] and difference["earlier"] > 0.95
    assert asked(twin, at=when - 1)["keep"] is None  # nobody knew of it then


def test_thin_data_give_no_estimate_and_keep_no_life(plant):
    twin = lived(plant, days=1)
    spec = asked(twin, at=START + 12 * 60 * 1_000_000_000)
    found = told(spec)
    assert found["futures"][0]["reason"].startswith("only 1") and found["futures"][0]["event"] == {}
    more = told(asked(twin, at=START + 12 * 60 * 1_000_000_000, changes=[{"of": "load", "how": "scale", "value": 1.15}]))
    assert more["futures"][1]["event"] == {} and more["differences"] == []  # two that are not known are not compared
    assert set(life.rows(found)) == {"value"}
    assert told(asked(twin, at=START))["futures"][0]["event"] == {}  # nothing at all
    kept = life.rows(told(asked(lived(plant, days=60))))
    assert set(kept) == {"value", "life", "low", "high", "risk"} and kept["low"] < kept["life"] < kept["high"]


def test_a_shell_writes_no_unit_where_there_is_none(twin):
    wheel, bearing = (next(lines({**told(asked(twin, of)), "seconds": 1.0})) for of in ("wheel", "bearing"))
    assert " of 25 %, from " in wheel and " of 1, from " in bearing


def test_what_does_not_drive_it_and_what_nobody_does_is_refused_with_what_there_is(twin):
    with pytest.raises(NotFoundError) as e:
        asked(twin, changes=[{"of": "torque", "how": "scale", "value": 2.0}])
    assert e.value.code == "no-drive" and "speed, load" in e.value.remedy
    with pytest.raises(NotFoundError) as e:
        asked(twin, maintenance=[{"action": "dance"}])
    assert e.value.code == "no-action"
    for asset, of in (("acme/works/none", ""), (ASSET, "gear")):
        with pytest.raises(NotFoundError):
            life_law.wearing(twin.plant, asset, of)
