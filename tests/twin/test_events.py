"""Rules: jammed upstream becomes starved downstream; the event is raised when it held long enough."""

import numpy as np
import pytest
from derived_kit import Feed, partition_of, plant_of

from gemel.samples import Snapshot
from gemel.samples.status import BAD_COMMUNICATION

PLANT = """\
plant: acme/riverside
types:
  Conveyor:
    signals:
      state: {states: [running, jammed, stopped], stale_after: 1 h}
    rules:
      jammed: {when: state == jammed}
  Robot:
    signals:
      mode: {states: [auto, manual], stale_after: 1 h}
    rules:
      starved: {when: mode == auto and any(upstream.jammed), for: 5 s, description: nothing comes in}
assets:
  conveyor-1: {type: Conveyor}
  conveyor-2: {type: Conveyor}
  robot-2: {type: Robot}
relations: [conveyor-1 feeds robot-2, conveyor-2 feeds robot-2]
"""


@pytest.fixture
def feed(tmp_path):
    feed = Feed(partition_of(plant_of(PLANT, tmp_path)))
    feed.send(("conveyor-1/state", 100, 0), ("conveyor-2/state", 100, 0), ("robot-2/mode", 100, 0))
    feed.tick(100.1)
    return feed


def told(feed):
    return [(d.kind, d.subject.rpartition("/")[2], d.body["event"], d.body["onset"] / 1e9, d.at / 1e9) for d in feed.drafts]


def test_jammed_upstream_becomes_starved_downstream(feed):
    feed.send(("conveyor-1/state", 101, 1))
    feed.tick(101.1)
    assert told(feed) == [("EventRaised", "conveyor-1", "jammed", 101, 101)]
    assert feed.series("robot-2/starved")[-1] == (101, 1)
    feed.tick(105.9)
    assert len(feed.drafts) == 1
    feed.tick(106)
    assert told(feed)[1:] == [("EventRaised", "robot-2", "starved", 101, 106)]
    assert feed.drafts[1].reason == "nothing comes in for 5 s"
    feed.send(("conveyor-1/state", 107, 0))
    feed.tick(107.1)
    assert told(feed)[2:] == [("EventCleared", "conveyor-1", "jammed", 101, 107), ("EventCleared", "robot-2", "starved", 101, 107)]
    assert feed.series("robot-2/starved")[-1] == (107, 0)


def test_what_does_not_hold_long_enough_is_no_event(feed):
    feed.send(("conveyor-1/state", 101, 1))
    feed.tick(101.1)
    feed.send(("conveyor-1/state", 104, 0))
    feed.tick(104.1)
    feed.tick(120)
    assert [t for t in told(feed) if t[1] == "robot-2"] == []


def test_a_delay_that_passed_between_two_ticks_is_raised_and_cleared(feed):
    feed.send(("conveyor-1/state", 101, 1), ("conveyor-1/state", 108, 0))
    feed.tick(108.1)
    assert [t for t in told(feed) if t[1] == "robot-2"] == [("EventRaised", "robot-2", "starved", 101, 106), ("EventCleared", "robot-2", "starved", 101, 108)]


def test_what_cannot_be_known_changes_nothing(feed):
    feed.send(("conveyor-1/state", 101, 1))
    feed.tick(101.1)
    feed.send(("conveyor-1/state", 103, 0, BAD_COMMUNICATION))
    feed.tick(103.1)
    assert np.isnan(feed.series("robot-2/starved")[-1][1])
    feed.tick(106.1)
    assert told(feed)[-1][:3] == ("EventRaised", "robot-2", "starved")


def test_a_late_reading_corrects_the_signal_and_is_no_event(feed):
    feed.send(("conveyor-1/state", 103, 0))
    feed.tick(103.1)
    feed.send(("conveyor-1/state", 102, 1))
    feed.tick(103.2)
    assert feed.series("conveyor-1/jammed")[-2:] == [(102, 1), (103, 0)]
    assert feed.drafts == []


def test_events_go_on_from_a_snapshot(feed, tmp_path):
    feed.send(("conveyor-1/state", 101, 1))
    feed.tick(101.1)
    then = Feed(partition_of(plant_of(PLANT, tmp_path / "again")))
    then.part.restore(Snapshot.from_bytes(feed.part.snapshot().to_bytes()))
    for f in (feed, then):
        f.drafts.clear()
        f.frames = 2
        f.tick(106.5)
        f.send(("conveyor-1/state", 107, 0))
        f.tick(107.5)
    assert [d.id for d in feed.drafts] == [d.id for d in then.drafts] and len(feed.drafts) == 3

