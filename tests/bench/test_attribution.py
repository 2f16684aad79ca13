"""What goes wrong in `gemel bench judge --attribution` is drawn as it should be, and what was blamed is counted rightly."""

import numpy as np
import pytest

from gemel.bench import attribution
from gemel.bench.attribution import DAYS, LAWS, PROCESSES, SENSORS, Found, Wrong, counted, drawn
from gemel.bench.attribution_kinds import GOOD, KINDS, SEEN, SETS, WINDOW
from gemel.bench.month_plant import DAY, PUMPS, Fault, Life, Mishap, live, struck
from gemel.bench.month_shipped import believed, shipped
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
                assert what.signal[0] == pump and what.signal[1] in SEEN and wrong.kind == "sensor"
            if isinstance(what, Mishap):
                assert what.pump == pump and wrong.kind == ("model" if what.kind in LAWS else "process")
            assert what is None or GOOD <= what.since <= GOOD + WINDOW // 2
    whats = {w.what.kind for pair in wrongs for w in pair if w.what}
    assert whats == {*SENSORS, *PROCESSES, *LAWS}
    assert [w.what for w in drawn(SEEDS[0])] == [w.what for w in wrongs[0]]


def test_what_is_drawn_of_the_known_kinds_is_what_it_was_before_there_were_others():
    first, second = drawn(703)
    assert (first.what.kind, first.what.since) == ("damage", 1887) and first.what.size == pytest.approx(0.25006691)
    assert (second.what.kind, second.what.since) == ("head", GOOD) and second.what.size == pytest.approx(-0.13991234)
    assert drawn(703, "known") == (first, second)


@pytest.mark.parametrize("name", ["tried", "fresh", "unseen"])
def test_other_kinds_take_turns_likewise_and_none_is_of_another_set(name):
    wrongs = [w for seed in SEEDS for w in drawn(seed, name)]
    assert {k: sum(w.kind == k for w in wrongs) for k in KINDS} == dict.fromkeys(KINDS, 40)
    of = SETS[name]
    drawn_ = {kind: {w.what.kind for w in wrongs if w.kind == kind and w.what} for kind in KINDS}
    assert drawn_ == {"sensor": {*of.sensors}, "process": {*of.processes}, "model": {*of.laws}, "none": {*(of.going or of.laws)}}
    known = {*SENSORS, *PROCESSES, *LAWS}
    others = {k for other, one in SETS.items() if one and other != name for k in (*one.sensors, *one.processes, *one.laws)}
    assert not (known | others) & {k for each in drawn_.values() for k in each}
    assert all(w.what.since == 0 for w in wrongs if w.kind == "none" and w.what and not of.going), "a law that always was another is no news"
    assert 10 < sum(w.what is None for w in wrongs) < 30
    assert drawn(SEEDS[0], name) == drawn(SEEDS[0], name)


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


def test_a_sensor_that_the_checks_took_out_is_named_by_them_where_nobody_is_blamed():
    """A pressure that sticks for ten minutes is stuck by the plant file, and its readings are not listened to any more."""
    assert Found(SENSOR, None, "flow").right and Found(SENSOR, None, "power").named == "other sensor"
    assert not Found(NOTHING, None, "flow").right and Found(SENSOR, blamed("process", "wear"), "flow").named == "process"
    of = shipped()
    life = live(1000, 0.1)
    kind = next(k for k in of.kinds.values() if k.assets[0].endswith("pump-1"))
    stuck = struck(life, (Fault(("pump-1", "flow"), "stuck", 0.0, 60, 144),), 1)
    missing = struck(life, (Fault(("pump-1", "flow"), "dropout", 1.0, 60, 144),), 1)
    assert [attribution.doubted(of, kind, one, believed(of, one)) for one in (life, stuck, missing)] == ["", "flow", ""]


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
    signals = [(pump, name) for pump in PUMPS for name in SEEN]

    def plain(seed, days, **how):
        lived.append((seed, days, how))
        return Life({s: np.linspace(1.0, 2.0, round(days * DAY)) for s in signals}, {})

    monkeypatch.setattr(attribution, "live", plain)
    monkeypatch.setattr(attribution, "believed", lambda of, life: life)
    monkeypatch.setattr(attribution, "doubted", lambda *_: "")
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
    monkeypatch.setattr(attribution, "measure", lambda cases, first, told, kinds: asked.append((cases, first, kinds)) or {"cases": cases})
    for more in ([], ["--kinds", "fresh", "--first", "710"]):
        ran = CliRunner().invoke(command, ["judge", "--attribution", "--cases", "6", *more])
        assert ran.exit_code == 0, ran.output
    assert asked == [(6, 700, "known"), (6, 710, "fresh")]
