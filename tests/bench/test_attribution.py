"""What goes wrong in `gemel bench judge --attribution` is drawn as it should be, and what was blamed is counted rightly."""

import numpy as np
import pytest

from gemel.bench import attribution
from gemel.bench.attribution import DAYS, GOOD, KINDS, LAWS, PROCESSES, SEEN, SENSORS, WINDOW, Found, Wrong, counted, drawn
from gemel.bench.month_plant import DAY, PUMPS, Fault, Life, Mishap, live
from gemel.bench.month_shipped import shipped
from gemel.cli.bench import command
from gemel.estimate.blame import Suspect, Verdict

SEEDS = range(1000, 1080)


def blamed(kind, name):
    return Verdict(((Suspect(kind, name), 0.9),), "off", 5, (1.0, 0.1), 9.0, None)


SENSOR = Wrong("sensor", Fault(("pump-1", "flow"), "gain", 0.2, GOOD, GOOD + WINDOW))
PROCESS = Wrong("process", Mishap("pump-2", "air", 0.02, GOOD))
MODEL = Wrong("model", Mishap("pump-2", "head", 0.1, GOOD))
NOTHING = Wrong("none", None)


def test_the_four_kinds_take_turns_on_either_pump_and_begin_after_the_good_day():
    wrongs = [drawn(seed) for seed in SEEDS]
    assert {k: sum(w.kind == k for pair in wrongs for w in pair) for k in KINDS} == dict.fromkeys(KINDS, 40)
    assert all({pair[i].kind for pair in wrongs} == set(KINDS) for i in range(2))
    for pair in wrongs:
        for wrong, pump in zip(pair, PUMPS, strict=True):
            what = wrong.what
            assert (what is None) == (wrong.kind == "none")
            if isinstance(what, Fault):
                assert what.signal[0] == pump and what.signal[1] in attribution.SEEN and wrong.kind == "sensor"
            if isinstance(what, Mishap):
                assert what.pump == pump and wrong.kind == ("model" if what.kind in LAWS else "process")
            assert what is None or GOOD <= what.since <= GOOD + WINDOW // 2
    whats = {w.what.kind for pair in wrongs for w in pair if w.what}
    assert whats == {*SENSORS, *PROCESSES, *LAWS}
    assert [w.what for w in drawn(SEEDS[0])] == [w.what for w in wrongs[0]]


def test_no_kind_of_sensor_is_one_that_the_filters_of_the_month_were_developed_on():
    assert not {"bias", "drift", "stuck", "noise"} & set(SENSORS)


@pytest.mark.parametrize(
    ("wrong", "verdict", "named"),
    [
        (SENSOR, blamed("sensor", "flow"), "sensor"), (SENSOR, blamed("sensor", "power"), "other sensor"),
        (SENSOR, blamed("process", "wear"), "process"), (SENSOR, None, "none"),
        (PROCESS, blamed("process", "wear"), "process"), (PROCESS, blamed("sensor", "flow"), "sensor"),
        (MODEL, blamed("model", "dynamics"), "model"), (NOTHING, None, "none"), (NOTHING, blamed("sensor", "flow"), "sensor"),
    ],
)  # fmt: skip
def test_right_is_who_was_wrong_and_of_sensors_the_very_one(wrong, verdict, named):
    found = Found(wrong, verdict)
    assert found.named == named and found.right == (named == wrong.kind)


def test_cases_are_counted_once_in_the_row_of_who_was_wrong():
    found = [Found(SENSOR, blamed("sensor", "flow")), Found(SENSOR, blamed("sensor", "power")), Found(SENSOR, None),
             Found(PROCESS, blamed("process", "wear")), Found(NOTHING, None), Found(NOTHING, blamed("model", "dynamics"))]  # fmt: skip
    told = counted(found)
    assert told["cases"] == 6 and told["right"] == 3 and told["right_percent"] == 50.0
    assert sum(sum(row.values()) for row in told["confusion"].values()) == 6
    assert told["confusion"]["sensor"] == {"sensor": 1, "process": 0, "model": 0, "none": 1, "other sensor": 1}
    assert told["not_noticed"] == 1 and told["right_of_noticed_percent"] == 66.7
    assert told["right_percent_by_kind"] == {"sensor": 33.3, "process": 100.0, "model": None, "none": 50.0}
    assert told["right_by_what"] == {"nothing": "1 of 2", "process air": "1 of 1", "sensor gain": "1 of 3"}
    assert len(told["not_right"]) == 3 and told["not_right"][0] == "sensor: pump-1/flow gain 0.2; blamed: sensor power off (0.90)"


def test_both_pumps_of_a_seed_are_judged_and_a_sensor_is_struck_only_in_the_judged_hours(monkeypatch):
    lived, asked = [], []
    signals = [(pump, name) for pump in PUMPS for name in attribution.SEEN]

    def plain(seed, days, **how):
        lived.append((seed, days, how))
        return Life({s: np.linspace(1.0, 2.0, round(days * DAY)) for s in signals}, {})

    monkeypatch.setattr(attribution, "live", plain)
    monkeypatch.setattr(attribution, "believed", lambda of, life: life)
    monkeypatch.setattr(attribution, "asked", lambda kind, life: asked.append((life, kind.assets[0].rpartition("/")[2])))
    monkeypatch.setattr(attribution, "machine", dict)
    told = attribution.measure(40, 1000, lambda _: None)
    assert told["cases"] == 40 and [s for s, *_ in lived] == list(range(1000, 1020)) and [p for _, p in asked[:2]] == list(PUMPS)
    for (seed, days, how), (life, _) in zip(tuple(lived), asked[::2], strict=True):
        faults = [w.what for w in drawn(seed) if isinstance(w.what, Fault)]
        assert days == DAYS and how["mishaps"] == tuple(w.what for w in drawn(seed) if isinstance(w.what, Mishap))
        clean = plain(seed, days).readings
        away = {s for s in signals if not np.array_equal(life.readings[s], clean[s])}
        assert away == {f.signal for f in faults}
        assert all(np.array_equal(life.readings[s][:GOOD], clean[s][:GOOD]) for s in signals)


def test_the_sensors_that_misbehave_are_those_that_the_plant_file_listens_to():
    of = shipped()
    for kind in of.kinds.values():
        heard = {of.registry.paths[n].rpartition("/")[2] for n in kind.wires.outputs.ravel() if n >= 0}
        assert heard == set(SEEN)


def test_set_points_move_more_often_where_they_are_restless():
    life = live(1000, 0.1)
    moved = [np.count_nonzero(np.diff(one.readings["pump-1", "speed_setpoint"])) for one in (life, live(1000, 0.1, restless=20.0))]
    assert moved[1] > moved[0] + 5


def test_the_command_asks_who_is_wrong_from_seed_700_on(monkeypatch):
    from click.testing import CliRunner

    asked = []
    monkeypatch.setattr(attribution, "measure", lambda cases, first, told: asked.append((cases, first)) or {"cases": cases})
    ran = CliRunner().invoke(command, ["judge", "--attribution", "--cases", "6"])
    assert ran.exit_code == 0, ran.output
    assert asked == [(6, 700)]
