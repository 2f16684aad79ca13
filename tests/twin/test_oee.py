"""OEE by its definition (ISO 22400-2:2014), against numbers worked out by hand: A = APT/PBT, E = PRI x PQ/APT, Q = GQ/PQ."""

import pytest
from derived_kit import SECOND, Feed, partition_of, plant_of, stored_of

from gemel.samples.status import BAD_NO_DATA, BAD_NOTHING_TO_DO, UNCERTAIN_UNITS_EXCEEDED

HOUR = 3600
START = 480_000 * HOUR  # 2024-10-04T00:00Z; a shift begins at 04:00Z, 06:00 in Berlin
SUBNORMAL = 0x40950000
PLANT = """\
plant: acme/riverside
timezone: Europe/Berlin
shifts: ["06:00", "14:00", "22:00"]
types:
  Press:
    signals:
      state: {states: [stopped, running, jammed, serviced], stale_after: 10 d}
      produced: {unit: "1", kind: total, stale_after: 10 d}
      good: {unit: "1", kind: total, stale_after: 10 d}
    rollups:
      a: {by: availability, of: state, running: [running], planned: [stopped, running, jammed], per: WINDOW}
      e: {by: effectiveness, of: state, running: [running], produced: produced, ideal_cycle: 1 s, per: WINDOW}
      q: {by: quality, produced: produced, good: good, per: WINDOW}
      oee: {by: oee, of: state, running: [running], planned: [stopped, running, jammed], produced: produced, good: good, ideal_cycle: 1 s, per: WINDOW}
  Line:
    rollups:
      oee: {by: oee, of: state, over: parts, running: [running], planned: [stopped, running, jammed], produced: produced, good: good, ideal_cycle: 1 s, per: WINDOW}
assets:
  line: {type: Line}
  p1: {type: Press, at: line}
  p2: {type: Press, at: line}
"""
P1, P2 = "line/p1", "line/p2"
STOPPED, RUNNING, JAMMED, SERVICED = range(4)
NAMES = ("a", "e", "q", "oee")


def fed(tmp_path, window="1 h", text=PLANT):
    feed = Feed(partition_of(plant_of(text.replace("WINDOW", window), tmp_path)))
    feed.part.stored = stored_of(feed)
    return feed


def says(feed, press=P1, states=(), produced=(), good=(), start=START, received=None):
    """Send what a press says: (seconds from the start, value), by signal."""
    columns = {"state": states, "produced": produced, "good": good}
    feed.send(*sorted(((f"{press}/{name}", start + t, v) for name, told in columns.items() for t, v in told), key=lambda r: r[1]), received=received)


def found(feed, end=START + HOUR, press=P1):
    """Value [%] and status of each indicator of the window that ends then; value None where there is none."""
    rows = {name: feed.history(f"{press}/{name}").get(end * SECOND) for name in NAMES}
    return {name: row and (None if row[0] != row[0] else row[0], row[1]) for name, row in rows.items()}


def hour(tmp_path, **told):
    feed = fed(tmp_path)
    says(feed, **told)
    feed.tick(START + HOUR + 6)
    return found(feed)


def test_a_shift_of_a_text_book(tmp_path):
    """The much copied example: a shift of 480 min, 60 of them breaks, 47 of stops; 19,271 made at an ideal second each, 423
    rejected. PBT = 420 min, APT = 373 min: A = 373/420 = 88.81 %, E = 19271/22380 = 86.11 %, Q = 18848/19271 = 97.80 %,
    OEE = 18848 s / 25200 s = 74.79 %."""
    feed, begin = fed(tmp_path, "shift"), START + 4 * HOUR
    states = ((0, RUNNING), (120 * 60, SERVICED), (150 * 60, RUNNING), (240 * 60, JAMMED), (287 * 60, RUNNING), (360 * 60, SERVICED), (390 * 60, RUNNING))
    says(feed, states=states, produced=((0, 500), (3 * HOUR, 8500), (7 * HOUR, 500 + 19271)), good=((0, 400), (3 * HOUR, 8300), (7 * HOUR, 400 + 18848)), start=begin)
    feed.tick(begin + 8 * HOUR + 6)
    told = found(feed, begin + 8 * HOUR)
    assert {n: round(v, 2) for n, (v, _) in told.items()} == {"a": 88.81, "e": 86.11, "q": 97.80, "oee": 74.79}
    assert told["oee"][0] == pytest.approx(100 * 18848 / 25200, rel=1e-12)
    assert {status for _, status in told.values()} == {0}


def test_running_and_making_nothing_is_no_effectiveness_and_no_oee_and_says_nothing_of_quality(tmp_path):
    told = hour(tmp_path, states=((0, RUNNING),), produced=((0, 7),), good=((0, 7),))
    assert told == {"a": (100, 0), "e": (0, 0), "q": (None, BAD_NOTHING_TO_DO), "oee": (0, 0)}


def test_standing_in_planned_time_is_no_oee_and_says_nothing_of_pace_and_quality(tmp_path):
    """A = 0; E and Q are nought by nought, yet PRI x GQ / PBT, which A x E x Q is, is 0: the worst of hours is not left out."""
    told = hour(tmp_path, states=((0, JAMMED),), produced=((0, 7),), good=((0, 7),))
    assert told == {"a": (0, 0), "e": (None, BAD_NOTHING_TO_DO), "q": (None, BAD_NOTHING_TO_DO), "oee": (0, 0)}


def test_where_nothing_was_planned_there_is_no_indicator_and_the_status_says_why(tmp_path):
    told = hour(tmp_path, states=((0, SERVICED),), produced=((0, 7),), good=((0, 7),))
    assert told == dict.fromkeys(NAMES, (None, BAD_NOTHING_TO_DO))


def test_what_is_counted_though_nothing_ran_contradicts_itself_and_has_no_value(tmp_path):
    told = hour(tmp_path, states=((0, STOPPED),), produced=((0, 7), (60, 17)), good=((0, 7), (60, 16)))
    assert told["e"] == told["oee"] == (None, BAD_NOTHING_TO_DO)
    assert told["a"] == (0, 0) and told["q"] == (pytest.approx(90), 0)


def test_more_than_the_ideal_is_told_and_not_cut(tmp_path):
    """4,500 in an hour at an ideal second each: E = 125 %. The cycle or the counter is wrong, and whoever looks is told."""
    told = hour(tmp_path, states=((0, RUNNING),), produced=((0, 0), (3000, 4500)), good=((0, 0), (3000, 3600)))
    assert told["e"] == (pytest.approx(125), UNCERTAIN_UNITS_EXCEEDED)
    assert told["oee"] == (pytest.approx(100), UNCERTAIN_UNITS_EXCEEDED)
    assert told["a"] == (100, 0) and told["q"] == (pytest.approx(80), 0)


def test_more_good_than_produced_is_told(tmp_path):
    told = hour(tmp_path, states=((0, RUNNING),), produced=((0, 0), (3000, 1000)), good=((0, 0), (3000, 1100)))
    assert told["q"] == (pytest.approx(110), UNCERTAIN_UNITS_EXCEEDED) and told["oee"][1] == UNCERTAIN_UNITS_EXCEEDED


def test_an_item_more_than_the_window_holds_is_none_too_many(tmp_path):
    """Counters step at other moments than the window ends and than each other: 3,601 of 3,600, and 3,602 good of them."""
    told = hour(tmp_path, states=((0, RUNNING),), produced=((0, 0), (3500, 3601)), good=((0, 0), (3501, 3602)))
    assert told["e"] == (pytest.approx(100 * 3601 / 3600), 0) and told["q"] == (pytest.approx(100 * 3602 / 3601), 0)


def test_a_counter_that_was_never_heard_is_not_taken_for_nought(tmp_path):
    told = hour(tmp_path, states=((0, RUNNING),), produced=((0, 0), (600, 900)))
    assert told["q"] == told["oee"] == (None, BAD_NO_DATA)
    assert told["e"] == (pytest.approx(25), 0)
    told = hour(tmp_path, states=((0, RUNNING),))
    assert told == {"a": (100, 0), "e": (None, BAD_NO_DATA), "q": None, "oee": (None, BAD_NO_DATA)}


def test_a_counter_that_is_known_for_half_of_the_window_makes_it_uncertain(tmp_path):
    told = hour(tmp_path, states=((0, RUNNING),), produced=((1800, 0), (2400, 900)), good=((0, 0), (2400, 900)))
    assert told["e"] == (pytest.approx(25), SUBNORMAL) and told["oee"] == (pytest.approx(25), SUBNORMAL)


def test_what_is_good_is_counted_in_the_unit_of_what_is_produced(tmp_path):
    """9 t of 10,000 kg."""
    text = PLANT.replace('produced: {unit: "1"', "produced: {unit: kg").replace('good: {unit: "1"', "good: {unit: t")
    feed = fed(tmp_path, text=text)
    says(feed, states=((0, RUNNING),), produced=((0, 0), (600, 3000)), good=((0, 0), (600, 2.7)))
    feed.tick(START + HOUR + 6)
    assert found(feed)["q"] == (pytest.approx(90), 0) and found(feed)["oee"] == (pytest.approx(75), 0)


def test_a_line_sums_before_it_divides(tmp_path):
    """p1 runs 60 min of 60 and makes 1800, all good; p2 runs 30 of 40 planned and makes 900, 450 good. A = 90/100,
    E = 2700/5400, Q = 2250/2700: OEE = 2250 s / 6000 s = 37.5 %. The mean of both, (50 + 18.75)/2, would be another number."""
    feed = fed(tmp_path)
    says(feed, P1, states=((0, RUNNING),), produced=((0, 0), (3000, 1800)), good=((0, 0), (3000, 1800)))
    says(feed, P2, states=((0, RUNNING), (1800, JAMMED), (2400, SERVICED)), produced=((0, 0), (1700, 900)), good=((0, 0), (1700, 450)))
    feed.tick(START + HOUR + 6)
    (line,) = [feed.history("line/oee")[(START + HOUR) * SECOND]]
    assert line == (pytest.approx(37.5), 0)
    assert (found(feed)["oee"][0], found(feed, press=P2)["oee"][0]) == (pytest.approx(50), pytest.approx(18.75))


def test_late_readings_make_the_indicators_anew(tmp_path):
    """Told at first: running all hour, 1,800 made, all good: A = 1, E = 0.5, Q = 1. Then it comes out that it was jammed from
    :20 to :40, and that 1,200 were counted at :15, 300 of them not good: A = 40/60, E = 1800/2400, Q = 1500/1800, OEE = 1500/3600."""
    feed = fed(tmp_path)
    says(feed, states=((0, RUNNING),), produced=((0, 0), (3000, 1800)), good=((0, 0), (3000, 1800)))
    feed.tick(START + HOUR + 6)
    assert [found(feed)[n] for n in NAMES] == [(100, 0), (pytest.approx(50), 0), (100, 0), (pytest.approx(50), 0)]
    says(feed, states=((1200, JAMMED), (2400, RUNNING)), produced=((900, 1200),), good=((900, 900), (3000, 1500)), received=START + HOUR + 7)
    feed.tick(START + HOUR + 8)
    assert [found(feed)[n][0] for n in NAMES] == [pytest.approx(100 * x) for x in (40 / 60, 1800 / 2400, 1500 / 1800, 1500 / 3600)]
    assert {found(feed)[n][1] for n in NAMES} == {0}


def test_a_late_reading_takes_back_an_indicator_and_gives_one_where_there_was_none(tmp_path):
    """Serviced all hour: no value. Late it is said that it ran from :30 on, and that 900 of 900 were good: A = 1, OEE = 900/1800."""
    feed = fed(tmp_path)
    says(feed, states=((0, SERVICED),), produced=((0, 0),), good=((0, 0),))
    feed.tick(START + HOUR + 6)
    assert found(feed) == dict.fromkeys(NAMES, (None, BAD_NOTHING_TO_DO))
    says(feed, states=((1800, RUNNING),), produced=((3000, 900),), good=((3000, 900),), received=START + HOUR + 7)
    feed.tick(START + HOUR + 8)
    assert [found(feed)[n] for n in NAMES] == [(pytest.approx(100), 0), (pytest.approx(50), 0), (pytest.approx(100), 0), (pytest.approx(50), 0)]
    feed.send((f"{P1}/state", START + 1800, SERVICED), received=START + HOUR + 9)  # corrected: received later, it is the last word for that moment
    feed.tick(START + HOUR + 10)
    assert found(feed)["a"] == found(feed)["oee"] == (None, BAD_NOTHING_TO_DO)
