"""Roll-ups over time and hierarchy, against numbers worked out by hand."""

import numpy as np
import pytest
from derived_kit import SECOND, Feed, partition_of, plant_of, stored_of

from gemel.samples import Batch, Snapshot
from gemel.samples.status import BAD_COMMUNICATION

HOUR = 3600
PLANT = """\
plant: acme/riverside
timezone: Europe/Berlin
shifts: ["06:00", "14:00", "22:00"]
types:
  Machine:
    signals:
      state: {states: [stopped, running, jammed, serviced], stale_after: 10 d}
      power: {unit: kW, stale_after: 10 d}
      temperature: {unit: degC, stale_after: 10 min}
      produced: {unit: "1", kind: total, stale_after: 10 d}
      good: {unit: "1", kind: total, stale_after: 10 d}
    parameters: {cycle: {unit: s}}
    rollups:
      availability: {by: availability, of: state, running: [running], planned: [stopped, running, jammed], per: 1 h}
      effectiveness: {by: effectiveness, of: state, running: [running], produced: produced, ideal_cycle: cycle, per: 1 h}
      quality: {by: quality, produced: produced, good: good, per: 1 h}
      oee: {by: oee, of: state, running: [running], planned: [stopped, running, jammed], produced: produced, good: good, ideal_cycle: cycle, per: 1 h}
      energy: {by: energy, of: power, per: 1 h}
      mean_power: {by: time_weighted, of: power, per: 1 h, unit: W}
      peak: {by: max, of: power, per: 1 h}
      least: {by: min, of: power, per: 1 h}
      mean_temperature: {by: time_weighted, of: temperature, per: 1 h, unit: degF}
      day_energy: {by: energy, of: power, per: day, unit: MJ}
      shift_energy: {by: energy, of: power, per: shift}
      power_quality: {by: worst, of: power, per: 1 h}
  Line:
    rollups:
      power: {by: sum, of: power, over: parts, unit: kW}
      worst: {by: worst, of: power, over: parts}
      mean: {by: mean, of: power, over: parts, unit: W}
      least: {by: min, of: power, over: parts, unit: kW}
      most: {by: max, of: power, over: parts, unit: kW}
      energy: {by: energy, of: power, over: parts, per: 1 h}
      availability: {by: availability, of: state, over: parts, running: [running], per: 1 h}
      oee: {by: oee, of: state, over: parts, running: [running], produced: produced, good: good, ideal_cycle: 4 s, per: 1 h}
assets:
  line: {type: Line, at: hall}
  m1: {type: Machine, at: hall/line, parameters: {cycle: 4 s}}
  m2: {type: Machine, at: hall/line, parameters: {cycle: 0.1 min}}
"""
START = 480_000 * HOUR  # an hour's beginning, 2024-10-04T00:00Z
M = "hall/line/m1"


@pytest.fixture
def feed(tmp_path):
    return Feed(partition_of(plant_of(PLANT, tmp_path)))


def after(feed, seconds=HOUR + 6):
    feed.tick(START + seconds)
    return feed


def one(feed, path, at=START + HOUR):
    return feed.history(path)[at * SECOND]


def test_oee_is_availability_times_effectiveness_times_quality(feed):
    """Of an hour: 40 min running, 10 jammed, 10 serviced (not planned). 450 made in cycles of 4 s, 405 of them good.

    A = 40/50 = 0.8; E = 4 s x 450 / 2400 s = 0.75; Q = 405/450 = 0.9; OEE = 0.54 (ISO 22400-2:2014).
    """
    feed.send((f"{M}/state", START, 1), (f"{M}/produced", START, 1000), (f"{M}/good", START, 900))
    feed.send((f"{M}/state", START + 1200, 2), (f"{M}/state", START + 1800, 1), (f"{M}/state", START + 3000, 3))
    feed.send((f"{M}/produced", START + 2000, 1250), (f"{M}/good", START + 2000, 1100))
    feed.send((f"{M}/produced", START + 3000, 1450), (f"{M}/good", START + 3000, 1305))
    after(feed)
    assert one(feed, f"{M}/availability") == (pytest.approx(80), 0)
    assert one(feed, f"{M}/effectiveness") == (pytest.approx(75), 0)
    assert one(feed, f"{M}/quality")[0] == pytest.approx(90)
    assert one(feed, f"{M}/oee") == (pytest.approx(54), 0)


def test_a_counter_that_begins_anew_goes_on_counting(feed):
    feed.send(*((f"{M}/{c}", START + t, v) for c in ("produced", "good") for t, v in ((0, 90), (600, 100), (1200, 3), (1800, 13))))
    feed.send((f"{M}/good", START + 2400, 5))
    after(feed)
    assert one(feed, f"{M}/quality")[0] == pytest.approx(100 * (10 + 3 + 10 + 5) / (10 + 3 + 10))


def test_energy_is_power_held_over_time(feed):
    feed.send((f"{M}/power", START - 600, 2.0), (f"{M}/power", START + 900, 6.0), (f"{M}/power", START + 1800, 4.0))
    after(feed)
    assert one(feed, f"{M}/energy") == (pytest.approx(2 * 0.25 + 6 * 0.25 + 4 * 0.5), 0)
    assert one(feed, f"{M}/mean_power") == (pytest.approx(4000), 0)
    assert (one(feed, f"{M}/least")[0], one(feed, f"{M}/peak")[0]) == (2, 6)
    assert one(feed, f"{M}/energy", START) == (pytest.approx(2 / 6), 0x40950000)  # of the hour before, ten minutes are known
    assert one(feed, f"{M}/power_quality") == (0, 0) and one(feed, f"{M}/power_quality", START) == (2, 0)


def test_a_shift_and_a_day_follow_the_clock_of_the_plant(feed):
    """04:00Z is 06:00 in Berlin in summer; the day began at 22:00Z."""
    feed.send((f"{M}/power", START - 2 * HOUR, 1.0))
    for hour in range(1, 30):
        feed.tick(START + hour * HOUR + 6)
    assert [t - START for t, _ in feed.series(f"{M}/shift_energy")] == [4 * HOUR, 12 * HOUR, 20 * HOUR, 28 * HOUR]
    assert [v for _, v in feed.series(f"{M}/shift_energy")] == pytest.approx([6, 8, 8, 8])
    ((at, joules),) = feed.series(f"{M}/day_energy")
    assert at - START == 22 * HOUR and joules == pytest.approx(24 * 3.6)


def test_what_is_not_known_does_not_count_and_is_said(feed):
    """A reading holds until it is stale: of the hour, twenty minutes are known."""
    feed.send((f"{M}/temperature", START, 20.0), (f"{M}/temperature", START + 1800, 30.0))
    after(feed)
    assert one(feed, f"{M}/mean_temperature") == (pytest.approx(77), 0x40950000)
    feed.send((f"{M}/state", START + HOUR + 600, 1), (f"{M}/state", START + HOUR + 700, 1, BAD_COMMUNICATION))
    after(feed, 2 * HOUR + 6)
    assert one(feed, f"{M}/availability", START + 2 * HOUR) == (pytest.approx(100), 0x40950000)


def test_parts_are_brought_together_by_their_sums_not_their_means(feed):
    """Half an hour of the one and a whole hour of the other: 1.5 of 2 hours. Cycles are the line's: 4 s."""
    for m, run in (("m1", 1800), ("m2", 3600)):
        feed.send((f"hall/line/{m}/state", START, 1), (f"hall/line/{m}/power", START, 2.0), *((f"hall/line/{m}/{c}", START, 0) for c in ("produced", "good")))
        feed.send((f"hall/line/{m}/produced", START + 600, 450), (f"hall/line/{m}/good", START + 600, 450 - run / 24), (f"hall/line/{m}/state", START + run, 0))
    after(feed)
    assert one(feed, "hall/line/availability") == (pytest.approx(75), 0)
    assert one(feed, "hall/line/energy") == (pytest.approx(4), 0)
    effectiveness, quality = 4 * 900 / 5400, (375 + 300) / 900
    assert one(feed, "hall/line/oee") == (pytest.approx(100 * 0.75 * effectiveness * quality), 0)
    assert feed.series("hall/line/power")[-1][1] == 4 and feed.series("hall/line/worst")[-1][1] == 0


def test_mean_least_and_most_of_the_parts_are_in_their_units(feed):
    feed.send(("hall/line/m1/power", START, 2.0), ("hall/line/m2/power", START, 5.0))
    feed.tick(START + 1)
    assert [feed.series(f"hall/line/{name}")[-1][1] for name in ("mean", "least", "most")] == pytest.approx([3500, 2, 5])


def test_a_late_reading_corrects_the_windows_it_holds_into(feed):
    feed.part.stored = stored_of(feed)
    feed.send((f"{M}/power", START, 2.0), (f"{M}/power", START + HOUR + 600, 4.0))
    after(feed, 2 * HOUR + 6)
    assert one(feed, f"{M}/energy") == (pytest.approx(2), 0)
    feed.send((f"{M}/power", START + 1800, 8.0))  # holds until ten past the hour
    rows = feed.tick(START + 2 * HOUR + 7)
    assert one(feed, f"{M}/energy") == (pytest.approx(1 + 4), 0)
    assert one(feed, f"{M}/energy", START + 2 * HOUR)[0] == pytest.approx(8 / 6 + 4 * 5 / 6)
    assert (rows.received == int((START + 2 * HOUR + 7) * SECOND)).all()
    assert feed.part.rollups.missed == 0


def test_a_late_reading_corrects_the_open_window_too(feed):
    feed.part.stored = stored_of(feed)
    feed.send((f"{M}/power", START, 2.0), (f"{M}/power", START + 1200, 4.0))
    feed.tick(START + 1800)
    feed.send((f"{M}/power", START + 600, 6.0))
    feed.tick(START + 1801)
    after(feed)
    assert one(feed, f"{M}/energy") == (pytest.approx((2 * 600 + 6 * 600 + 4 * 2400) / 3600), 0)


def test_a_source_that_is_always_late_costs_no_question_to_the_store(feed):
    """Newer than the signal's last, and its window is open: it is summed up as any other."""
    feed.part.stored = lambda *_: pytest.fail("asked")
    for t in range(0, 1800, 60):
        feed.send((f"{M}/power", START + t, 3.0), received=START + t + 60)
        feed.tick(START + t + 60)
    feed.part.stored = None
    after(feed)
    assert one(feed, f"{M}/energy") == (pytest.approx(3), 0) and feed.part.rollups.missed == 0


def test_without_a_store_what_is_missed_is_counted(feed):
    feed.send((f"{M}/power", START, 2.0), (f"{M}/power", START + 1200, 4.0))
    feed.tick(START + 1800)
    feed.send((f"{M}/power", START + 600, 6.0))
    feed.tick(START + 1801)
    assert feed.part.rollups.missed == 3  # of the hour, the shift, the day


def test_windows_without_any_reading_give_no_rows(feed):
    feed.send((f"{M}/temperature", START, 20.0))
    after(feed, 50 * HOUR)
    feed.send((f"{M}/temperature", START + 100 * HOUR, 20.0))
    after(feed, 102 * HOUR)
    assert [(t - START) // HOUR for t, _ in feed.series(f"{M}/mean_temperature")] == [1, 101]


def test_roll_ups_go_on_from_a_snapshot(feed, tmp_path):
    def begin(f):
        f.send((f"{M}/power", START, 2.0), (f"{M}/state", START, 1), (f"{M}/produced", START, 5))
        f.tick(START + 10)
        f.send((f"{M}/power", START + 900, 6.0), (f"{M}/produced", START + 1000, 9), (f"{M}/state", START + 1199, 2))

    def end(f):
        f.tick(START + 1200)
        f.send((f"{M}/power", START + 1800, 4.0), (f"{M}/produced", START + 1900, 11), (f"{M}/good", START + 1900, 11))
        f.tick(START + HOUR + 6)

    begin(feed)
    snapshot = feed.part.snapshot()
    then = Feed(partition_of(plant_of(PLANT, tmp_path / "again")))
    then.part.restore(Snapshot.from_bytes(snapshot.to_bytes()))
    then.frames, then.position = feed.frames, feed.position
    feed.rows.clear()
    end(feed)
    end(then)
    a, b = Batch.concat(feed.rows), Batch.concat(then.rows)
    for name in ("signal", "time", "received", "value", "status"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name
    assert one(then, f"{M}/energy")[0] == pytest.approx(4)


def test_a_derived_signal_may_rest_on_a_roll_up_and_a_roll_up_on_a_derived_signal(tmp_path):
    text = PLANT.replace(
        "    parameters: {cycle: {unit: s}}\n",
        '      heat: {unit: W, derived: "0.9 * power"}\n      cost: {unit: "1", derived: "energy * 0.3 1/kW/h"}\n    parameters: {cycle: {unit: s}}\n',
    ).replace("      peak:", "      heat_energy: {by: energy, of: heat, per: 1 h}\n      peak:")
    text = text.replace("0.3 1/kW/h", "0.3 / 1 kW / 1 h")
    feed = Feed(partition_of(plant_of(text, tmp_path)))
    feed.send((f"{M}/power", START, 2.0), (f"{M}/power", START + 1800, 2.0))
    after(feed)
    feed.tick(START + HOUR + 7)
    assert one(feed, f"{M}/heat_energy")[0] == pytest.approx(1.8)
    assert one(feed, f"{M}/cost")[0] == pytest.approx(0.6)
