"""The pumping station behaves like a plant: quiet in normal life, loud where a fault is switched on."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from mosquitto_kit import program

from gemel.assets import check
from gemel.assets.views import asset_view
from gemel.testing.broker import Broker
from gemel.testing.clock import ManualClock
from gemel.testing.station import PLANT, Faults, Physics, Station, step, truth
from gemel.testing.station.sensors import WORDS, Sensors
from gemel.testing.station.water import daily

MIDNIGHT = 20_600 * 86_400.0
ROOT = "gemel/riverside/waterworks"
LINE = {"pump-1": "pumping", "pump-2": "pumping"}


@pytest.fixture(scope="module")
def plant():
    found, problems = check(PLANT)
    assert not problems
    return found


@pytest.fixture(scope="module")
def registry(plant):
    return plant.registry()


def path(asset, signal):
    return f"{ROOT}/{LINE.get(asset, 'distribution')}/{asset}/{signal}"


def live(hours, seconds=2.0, failing=frozenset(), station=None, seed=7):
    """Give the true values of every step: (steps, signals)."""
    rng = np.random.default_rng(seed)
    station = station or Station.at_rest(MIDNIGHT, rng)
    rows = []
    for _ in range(int(hours * 3600 / seconds)):
        station = step(station, seconds, rng, failing)
        rows.append(list(truth(station).values()))
    return station, np.array(rows)


@pytest.fixture(scope="module")
def two_days():
    return live(48.0)


SIGNALS = tuple(truth(Station(MIDNIGHT)))


def test_the_plant_file_shows_what_can_be_derived(plant, registry):
    """A derived signal, a rule over a relation, roll-ups with and without a window; their examples hold."""
    found = plant.derivations(registry)
    assert {(p.type, p.name) for p in found.programs} == {("PumpSet", "head"), ("PumpSet", "efficiency"), ("PumpSet", "head_loss"), ("Tank", "unfed"), ("Tank", "pumping_power")}
    assert found.events.names == ["unfed"] and found.events.assets[0].endswith("tank-1")
    assert [p.name for r in found.rollups for p in r.programs] == ["pumping_energy"]
    assert sum(s.examples for t in {t.type: t for t in plant.templates}.values() for s in t.signals) == 9


def column(rows, asset, signal):
    return rows[:, SIGNALS.index((asset, signal))]


def test_the_plant_file_names_what_the_station_sends(plant, registry):
    lanes = registry.table.column("lane").to_pylist()
    assert sorted(p for p, lane in zip(registry.paths, lanes) if lane == "measured") == sorted(path(*s) for s in SIGNALS)
    assert len(SIGNALS) == 46
    sources = plant.sources("field", registry)
    topics = {registry.paths[s]: t for s, t in zip(sources.signal.tolist(), sources.topic, strict=True)}
    assert topics == {path(a, s): f"station/{a}/{s}" for a, s in SIGNALS}
    words = dict(zip(registry.paths, registry.table.column("states").to_pylist(), strict=True))
    assert all(tuple(words[path(a, s)]) == WORDS[s] for a, s in SIGNALS if s in WORDS)


def test_two_days_of_normal_life_raise_no_alarm_and_break_no_limit(plant, registry, two_days):
    """With the sensors' noise on top, ranges, rates (with half their room left) and alarm limits hold."""
    rng = np.random.default_rng(1)
    _, rows = two_days
    sensors = Sensors.of(SIGNALS)
    held, shown = rows[0], []
    for row in rows[900:]:  # half an hour for the lags of a new plant
        held, seen = sensors.read(held, row, 0.5, rng)
        shown.append(seen)
    shown = np.array(shown[60:])
    checks = plant.checks(registry)
    order = [registry.index(path(*s)) for s in SIGNALS]
    low, high, rate = checks.each("low")[order], checks.each("high")[order], checks.each("max_rate")[order]
    assert not (shown < low).any(), [SIGNALS[i] for i in np.flatnonzero((shown < low).any(axis=0))]
    assert not (shown > high).any(), [SIGNALS[i] for i in np.flatnonzero((shown > high).any(axis=0))]
    fastest = np.abs(np.diff(shown, axis=0)).max(axis=0) / 0.5
    assert not (fastest > 0.5 * rate).any(), [SIGNALS[i] for i in np.flatnonzero(fastest > 0.5 * rate)]
    for alarm in plant.alarms(registry):
        if alarm.signal not in order:  # the risk of wearing out is foretold, not measured
            continue
        values = shown[:, order.index(alarm.signal)]
        crossed = values > alarm.limit if alarm.level.startswith("high") else values < alarm.limit
        assert not crossed.any(), (registry.paths[alarm.signal], alarm.level)


def test_water_is_neither_made_nor_lost(two_days):
    """What the pumps deliver is in the tower, at the town, or leaked: the leak shows as a small loss."""
    station, rows = two_days
    level = column(rows, "tank-1", "level")
    hours = 2.0 / 3600.0
    delivered = column(rows, "tank-1", "inflow").sum() * hours
    drawn = column(rows, "tank-1", "outflow").sum() * hours
    stored = 80.0 * (level[-1] - level[0])
    leaked = delivered - drawn - stored
    assert 0.01 < leaked / delivered < 0.03
    assert station.water.spill_m3h == 0


def test_the_town_follows_the_day(two_days):
    _, rows = two_days
    hour = (np.arange(len(rows)) * 2.0 / 3600.0) % 24
    flow = column(rows, "demand-1", "flow")
    assert flow[(hour > 7) & (hour < 8)].mean() > 1.25 * flow[(hour > 2) & (hour < 4)].mean()
    assert daily(MIDNIGHT) == pytest.approx(daily(MIDNIGHT + 86_400))


def test_wear_grows_and_costs_head(two_days):
    station, _ = two_days
    assert station.pumps["pump-1"].wear > 0.014
    rng = np.random.default_rng(1)
    fresh = Station.at_rest(MIDNIGHT, rng)
    worn = replace(fresh, pumps={**fresh.pumps, "pump-1": replace(fresh.pumps["pump-1"], wear=0.2)})
    for _ in range(60):
        worn = step(worn, 1.0, rng)
    assert worn.pumps["pump-1"].flow_m3h < 0.7 * fresh.pumps["pump-1"].flow_m3h


def test_a_faster_pump_is_seen_on_the_tower():
    station, _ = live(0.1)
    faster = station.ordered("pump-1", "speed", 2600.0)
    _, rows = live(2.0, station=faster)
    _, before = live(2.0, station=station)
    assert column(rows, "pump-1", "speed")[-1] == 2600.0
    assert column(rows, "pump-1", "flow")[60] > 1.2 * column(before, "pump-1", "flow")[60]
    assert column(rows, "tank-1", "level")[-1] > column(before, "tank-1", "level")[-1] + 0.2


def test_orders_are_held_within_what_the_device_takes():
    station = Station(MIDNIGHT)
    assert station.ordered("pump-1", "speed", 1e9).pumps["pump-1"].setpoint_rpm == 3000.0
    assert station.ordered("valve-1", "position", -5.0).water.position_setpoint == 0.0
    assert station.ordered("pump-9", "speed", 5.0) is station
    assert station.ordered("tank-1", "speed", 5.0) is station


def test_a_failing_bearing_is_felt_and_then_hot_within_the_hour(plant, registry):
    """Vibration passes its limit first, temperature follows: time enough to act, not to wait."""
    rng = np.random.default_rng(1)
    _, rows = live(1.5, failing=frozenset({"pump-1"}), station=Station.at_rest(MIDNIGHT, rng))
    vibration, heat = column(rows, "pump-1", "vibration"), column(rows, "pump-1", "bearing_temperature")
    felt, hot = int((vibration > 5.1).argmax()), int((heat > 75.0).argmax())
    assert 0 < felt < hot < 1800 * 1.5
    assert column(rows, "pump-2", "vibration").max() < 2.0
    assert heat.max() < 150.0


def test_the_state_survives_json():
    station, _ = live(0.2)
    assert Station.from_json(json.loads(json.dumps(station.to_json()))) == station


def test_extreme_orders_break_no_physics():
    """Stopped, at full speed, valve shut and open: every value stays finite and no tank below its floor."""
    rng = np.random.default_rng(5)
    station = Station.at_rest(MIDNIGHT, rng, hours=0.1)
    for speed, position in ((0.0, 100.0), (3000.0, 0.0), (3000.0, 100.0), (600.0, 5.0)):
        for pump in ("pump-1", "pump-2"):
            station = station.ordered(pump, "speed", speed)
        station = station.ordered("valve-1", "position", position)
        for _ in range(int(12 * 3600 / 10)):
            station = step(station, 10.0, rng)
            values = np.array(list(truth(station).values()))
            assert np.isfinite(values).all()
            assert 0.0 <= station.water.level_m < 12.0
    assert station.pumps["pump-1"].energy_kwh > 0


def test_the_drive_overshoots_a_little_and_settles_and_without_it_does_not():
    def speeds(physics):
        station = replace(live(0.05)[0], physics=physics).ordered("pump-1", "speed", 2600.0)
        return column(live(0.02, seconds=0.5, station=station)[1], "pump-1", "speed")

    real, plain = speeds(Physics()), speeds(Physics(second_order_drive=False))
    assert 2601.0 < real.max() < 2630.0
    assert real[-1] == 2600.0
    assert plain.max() == 2600.0
    assert np.abs(np.diff(real)).max() <= 60.0 + 1e-9  # the ramp's slope holds in both


def test_the_plug_of_the_valve_rests_elsewhere_from_above_than_from_below():
    def flow(first, physics):
        rng, station = np.random.default_rng(1), replace(live(0.05)[0], physics=physics)
        for position in (first, 50.0):
            station = station.ordered("valve-1", "position", position)
            for _ in range(30):
                station = step(station, 2.0, rng)
        assert station.water.position == 50.0
        return station.water.outflow_m3h

    assert flow(30.0, Physics()) < 0.99 * flow(70.0, Physics())
    still = Physics(hysteresis=False)
    assert flow(30.0, still) == pytest.approx(flow(70.0, still), rel=2e-3)


def test_warm_water_flows_easier():
    rng, cold = np.random.default_rng(1), live(0.05)[0]
    warm = replace(cold, water=replace(cold.water, temperature_c=30.0))
    flows = [step(replace(s, physics=p), 10.0, rng).pumps["pump-1"].flow_m3h for p in (Physics(), Physics(viscosity=False)) for s in (cold, warm)]
    assert flows[1] > 1.005 * flows[0]
    assert flows[3] == pytest.approx(flows[2], rel=1e-4)


def test_both_pumps_at_full_speed_cavitate_and_are_heard():
    station = live(0.05)[0].ordered("pump-1", "speed", 3000.0).ordered("pump-2", "speed", 3000.0)
    loud, quiet = (live(0.2, station=replace(station, physics=p))[1] for p in (Physics(), Physics(cavitation=False)))
    assert column(loud, "pump-1", "vibration")[-60:].mean() > column(quiet, "pump-1", "vibration")[-60:].mean() + 0.2
    assert column(loud, "pump-1", "flow")[-60:].mean() < 0.95 * column(quiet, "pump-1", "flow")[-60:].mean()
    assert np.ptp(column(loud, "pump-1", "flow")[-60:]) < 20.0
    assert live(0.05)[0].pumps["pump-1"].kept > 1 - 1e-9  # in normal life nothing is heard of it


def test_what_misbehaves_in_the_plant_is_felt_where_it_must_be():
    """A hot week, a thirsty town, a fouled screen, gas in the water, a valve of the riser that is partly closed."""
    station, rng = live(0.05)[0], np.random.default_rng(1)
    pump = station.pumps["pump-1"]

    def after(**changed):
        now = replace(station, **changed)
        for _ in range(90):
            now = step(now, 2.0, rng)
        return truth(now)

    def with_pump(**changed):
        return after(pumps={**station.pumps, "pump-1": replace(pump, **changed)})

    usual = after()
    assert after(warmer_c=8.0)["pump-1", "ambient_temperature"] == pytest.approx(usual["pump-1", "ambient_temperature"] + 8.0)
    assert after(water=replace(station.water, thirst=1.3))["tank-1", "outflow"] > 1.05 * usual["tank-1", "outflow"]
    assert after(screen=1.0)["pump-1", "suction_pressure"] < usual["pump-1", "suction_pressure"] - 0.05
    gassy, closed = with_pump(air=0.04), with_pump(blockage=1.0)
    assert gassy["pump-1", "flow"] < 0.85 * usual["pump-1", "flow"]
    assert gassy["pump-1", "discharge_pressure"] < usual["pump-1", "discharge_pressure"]
    assert closed["pump-1", "flow"] < 0.9 * usual["pump-1", "flow"]
    assert closed["pump-1", "discharge_pressure"] > usual["pump-1", "discharge_pressure"]  # what tells the two apart
    trimmed, inside = with_pump(trim=0.05), with_pump(recirculation=0.15)
    for one in (trimmed, inside):
        assert one["pump-1", "flow"] < 0.95 * usual["pump-1", "flow"] and one["pump-1", "discharge_pressure"] < usual["pump-1", "discharge_pressure"]
    assert trimmed["pump-1", "power"] < usual["pump-1", "power"] < 1.02 * inside["pump-1", "power"]  # the wheel still moves what runs back
    choked, rubbed = with_pump(choked=3.0), with_pump(rub=0.4)
    assert choked["pump-1", "vibration"] > 1.1 * usual["pump-1", "vibration"] and choked["pump-1", "flow"] < 0.98 * usual["pump-1", "flow"]
    assert choked["pump-1", "suction_pressure"] >= usual["pump-1", "suction_pressure"]  # which is measured before it
    assert rubbed["pump-1", "flow"] == pytest.approx(usual["pump-1", "flow"], rel=1e-3)
    assert rubbed["pump-1", "bearing_temperature"] > usual["pump-1", "bearing_temperature"] + 1.0


def test_the_plant_file_tells_of_the_pump_what_its_curve_says_and_all_that_its_model_needs(plant, registry):
    """The rated head is that of the curve at the rated flow, not that at no flow; every input of the model is measured."""
    from gemel.dynamics.components import PumpSet
    from gemel.testing.station.pump import BEST_FLOW, PUMP_LOSS, SHUTOFF_HEAD

    pump = next(a for a in plant.assets.paths if a.endswith("pump-1"))
    told = asset_view(plant, pump).parameters
    assert told["rated_head"]["value"] == pytest.approx(SHUTOFF_HEAD - PUMP_LOSS * BEST_FLOW**2, abs=5e-3)
    assert told["rated_flow"]["value"] == BEST_FLOW
    assert {("pump-1", name) for name in PumpSet.inputs} <= set(SIGNALS)


def faulty(name, hours=0.5, target=None):
    faults, rng = Faults(), np.random.default_rng(2)
    true = np.array(list(truth(Station(MIDNIGHT)).values())) + 1.0
    clean = faults.strike(SIGNALS, true, MIDNIGHT, rng)
    assert (clean == true).all()
    assert faults.switch(name, True, target)
    seen = [faults.strike(SIGNALS, true + 0.01 * i, MIDNIGHT + i, rng) - (true + 0.01 * i) for i in range(int(hours * 3600))]
    return faults, np.array(seen)


@pytest.mark.parametrize(("name", "asset", "signal"), [("stuck", "pump-1", "flow"), ("drift", "pump-1", "discharge_pressure"), ("spikes", "pump-2", "vibration")])
def test_a_sensor_fault_strikes_its_sensor_and_no_other(name, asset, signal):
    faults, off = faulty(name)
    at = SIGNALS.index((asset, signal))
    assert np.abs(off[:, at]).max() > 0.1
    assert not np.delete(off, at, axis=1).any()
    if name == "stuck":
        assert np.allclose(off[:, at], -0.01 * np.arange(len(off)))
    if name == "drift":
        assert (np.diff(off[:, at]) > 0).all()
    if name == "spikes":
        assert 0.01 < (off[:, at] != 0).mean() < 0.06
    faults.switch(name, False)
    assert not faults.on


def test_unknown_faults_are_not_switched():
    assert not Faults().switch("gremlins", True)


# The station as a process


@contextlib.contextmanager
def station(broker, *argv):
    process = subprocess.Popen([sys.executable, "-m", "gemel.testing.station", "--broker", broker.url, *argv])
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(5) == 0, "it did not end cleanly"


def hear(broker, topic, count, wait=30):
    argv = [program("mosquitto_sub"), "-p", str(broker.port), "-t", topic, "-q", "1", "-C", str(count), "-W", str(wait), "-F", "%t %p"]
    out = subprocess.run(argv, capture_output=True, timeout=wait + 10, check=True, text=True).stdout
    return [(line.split(" ", 1)[0], json.loads(line.split(" ", 1)[1])) for line in out.splitlines()]


def say(broker, topic, payload):
    subprocess.run([program("mosquitto_pub"), "-p", str(broker.port), "-t", topic, "-q", "1", "-m", payload], check=True, timeout=10)


@pytest.mark.parametrize("kind", ["mosquitto", "nats_gateway"])
def test_it_speaks_and_obeys(request, kind):
    """Over two brokers: all signals, their times half a second apart, set-points and faults obeyed."""
    broker = request.getfixturevalue(kind)
    with station(broker, "--speed", "5", "--seed", "3"):
        heard = hear(broker, "station/+/+", 130)
        assert {topic for topic, _ in heard} >= {f"station/{a}/{s}" for a, s in SIGNALS}
        assert all(set(body) == {"value", "time"} for topic, body in heard if topic.count("/") == 2)
        levels = [np.datetime64(b["time"][:-1], "ns") for t, b in heard if t == "station/tank-1/level"]
        assert set(np.diff(levels).astype("timedelta64[ms]").astype(int)) == {500}
        say(broker, "station/pump-1/set/speed", '{"value": 2600}')
        say(broker, "station/pump-1/set/speed", "not a number")
        say(broker, "station/valve-1/set/position", "70")
        say(broker, "station/faults/stuck", '{"on": true, "target": "pump-2/power"}')
        say(broker, "station/faults/clock", "1")
        ends = time.monotonic() + 30
        while True:
            assert time.monotonic() < ends, "the set-point was not obeyed"
            values = dict(hear(broker, "station/pump-1/+", 20))
            stem = hear(broker, "station/valve-1/position", 1)[0][1]["value"]
            if abs(values["station/pump-1/speed"]["value"] - 2600) < 10 and abs(stem - 70) < 1:
                break
        assert values["station/pump-1/speed_setpoint"]["value"] == 2600
        assert len({b["value"] for _, b in hear(broker, "station/pump-2/power", 6)}) == 1
        right = np.datetime64(hear(broker, "station/tank-1/level", 1)[0][1]["time"][:-1], "ns")
        wrong = np.datetime64(hear(broker, "station/pump-2/speed", 1)[0][1]["time"][:-1], "ns")
        assert (wrong - right) / np.timedelta64(1, "s") > 60


def test_started_again_it_goes_on_from_where_it_was(mosquitto):
    """At 200x a station runs ahead of the wall; its successor does not fall back, nor forget its counters."""
    with station(mosquitto, "--speed", "200", "--seed", "3"):
        ends = time.monotonic() + 30
        first = hear(mosquitto, "station/state", 1)[0][1]
        while (state := hear(mosquitto, "station/state", 1)[0][1])["time_s"] <= first["time_s"] + 100:
            assert time.monotonic() < ends
            time.sleep(0.1)
    with station(mosquitto, "--speed", "1"):
        body = hear(mosquitto, "station/demand-1/volume", 1)[0][1]
    assert np.datetime64(body["time"][:-1], "ns").astype(int) / 1e9 >= state["time_s"] - 1
    assert body["value"] >= state["water"]["volume_m3"] - 0.01


def test_the_broker_keeps_sessions_over_a_restart(tmp_path):
    argv = ["-t", "a/b", "-q", "1", "-c", "-i", "ear"]
    broker = Broker(tmp_path / "store")
    with broker:
        subprocess.run([program("mosquitto_sub"), "-p", str(broker.port), *argv, "-E"], check=True, timeout=10)
        say(broker, "a/b", "kept")
    assert not broker.alive
    with Broker(tmp_path / "store", broker.port):
        heard = subprocess.run([program("mosquitto_sub"), "-p", str(broker.port), *argv, "-C", "1", "-W", "10"], capture_output=True, timeout=20)
    assert heard.stdout.strip() == b"kept"


def test_the_broker_does_not_outlive_its_parent(tmp_path):
    """Killed with SIGKILL, the parent cannot stop it; the kernel does."""
    code = (
        "import pathlib, sys, time\nfrom gemel.testing.broker import Broker\n"
        f"b = Broker(pathlib.Path({str(tmp_path)!r})); b.start(); print(b._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    ends = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < ends, "the broker outlived its parent"
        time.sleep(0.05)


def test_a_taken_port_is_said(tmp_path):
    from gemel.errors import StorageError

    with Broker(tmp_path / "a") as first, pytest.raises(StorageError, match="is taken"):
        Broker(tmp_path / "b", first.port).start()


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_manual_clock_stands_still_and_never_goes_back():
    clock = ManualClock(100)
    clock.observe(10**12)
    assert clock.now() == 100
    clock.advance(1.5)
    assert clock.now() == 1_500_000_100
    clock.jump(2_000_000_000)
    assert clock.now() == 2_000_000_000
    for backwards in (lambda: clock.advance(-1), lambda: clock.jump(5)):
        with pytest.raises(ValueError, match="never goes backwards"):
            backwards()
