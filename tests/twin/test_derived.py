"""Derived signals in a partition: values as of the newest input, corrections, quality, order of evaluation."""

import numpy as np
import pytest
from derived_kit import PLANT, Feed, partition_of, plant_of

from gemel.samples.status import BAD_COMMUNICATION, UNCERTAIN_LAST_USABLE


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return plant_of(PLANT, tmp_path_factory.mktemp("plant"))


@pytest.fixture
def feed(plant):
    return Feed(partition_of(plant))


def test_a_derived_signal_has_only_the_lane_estimated(plant):
    registry = plant.registry()
    lanes = dict(zip(registry.paths, registry.table.column("lane").to_pylist()))
    assert lanes["acme/riverside/area/line-1/pump-1/efficiency"] == "estimated"
    assert lanes["acme/riverside/area/line-1/pump-1/flow"] == "measured"


def test_a_value_stands_at_the_time_of_the_newest_input(feed):
    p = "area/line-1/pump-1"
    feed.send((f"{p}/flow", 10.0, 36.0), (f"{p}/head", 10.1, 10.0), (f"{p}/power", 10.2, 2.0))
    assert len(feed.tick(10.5)) == 2  # efficiency and loss; the line's power waits for pump-2
    assert feed.series(f"{p}/efficiency") == [(10.2, pytest.approx(49.05))]
    assert feed.series(f"{p}/loss") == [(10.2, pytest.approx(2.0 * (1 - 0.4905)))]
    feed.send((f"{p}/flow", 11.0, 72.0))
    feed.tick(11.1)
    assert feed.series(f"{p}/efficiency")[-1] == (11.0, pytest.approx(98.1))


def test_a_sum_over_parts_has_the_units_of_its_declaration(feed):
    feed.send(("area/line-1/pump-1/power", 1, 2.0), ("area/line-1/pump-2/power", 2, 3.0))
    feed.tick(3)
    assert feed.series("area/line-1/power") == [(2, 5000.0)]


def test_events_go_along_a_chain_of_relations_in_one_tick(feed):
    feed.send(*((f"{c}/state", 5, 0) for c in ("c1", "c2", "c3")))
    feed.tick(5.1)
    assert [feed.series(f"{c}/blocked") for c in ("c1", "c2", "c3")] == [[(5, 0)]] * 3
    feed.send(("c3/state", 6, 1))
    feed.tick(6.1)
    assert [feed.series(f"{c}/blocked")[-1] for c in ("c1", "c2", "c3")] == [(6, 1)] * 3
    feed.send(("c3/state", 7, 0))
    feed.tick(7.1)
    assert [feed.series(f"{c}/blocked")[-1] for c in ("c1", "c2", "c3")] == [(7, 0)] * 3


def test_a_late_reading_corrects_what_was_derived_after_it(feed):
    one, two = "area/line-1/pump-1/power", "area/line-1/pump-2/power"
    feed.send((one, 10, 1.0), (two, 10, 1.0))
    feed.send((two, 12, 2.0), (two, 14, 3.0))
    feed.tick(14.5)
    assert feed.series("area/line-1/power") == [(10, 2000), (12, 3000), (14, 4000)]
    feed.send((one, 11, 5.0))
    feed.send((one, 13, 7.0))
    again = feed.tick(14.6)
    assert feed.series("area/line-1/power") == [(10, 2000), (11, 6000), (12, 7000), (13, 9000), (14, 10000)]
    assert (again.received > 14_500_000_000).all()
    assert len(feed.tick(14.7)) == 0


def test_a_correction_that_changes_nothing_says_nothing(feed):
    feed.send(*((f"{c}/state", 5, 0) for c in ("c1", "c2", "c3")))
    feed.tick(5.1)
    feed.send(("c1/state", 4, 2))  # late: blocked is new at 4, and as it was at 5
    assert [int(t) for t in feed.tick(5.2).time // 10**9] == []  # at 4 nothing is known of c2 yet
    feed.send(("c3/state", 5, 2), received=5.3)
    assert len(feed.tick(5.4)) == 0


def test_what_rests_on_a_bad_reading_is_bad_and_on_an_old_one_uncertain(feed):
    one, two = "area/line-1/pump-1/power", "area/line-1/pump-2/power"
    feed.send((one, 10, 1.0), (two, 10, 1.0, BAD_COMMUNICATION))
    feed.tick(10.5)
    value, status = feed.history("area/line-1/power")[10 * 10**9]
    assert np.isnan(value) and status == BAD_COMMUNICATION
    feed.send((two, 11, 1.0))
    feed.send((two, 25, 1.0))
    feed.tick(25.1)
    found = feed.history("area/line-1/power")
    assert found[11 * 10**9] == (2000.0, 0) and found[25 * 10**9] == (2000.0, UNCERTAIN_LAST_USABLE)


def test_a_value_outside_its_range_is_bad(feed):
    p = "area/line-1/pump-1"
    feed.send((f"{p}/flow", 1, 1.0), (f"{p}/head", 1, 1.0), (f"{p}/power", 1, 500.0))
    feed.tick(1.1)
    ((value, status),) = feed.history(f"{p}/loss").values()
    assert value > 100 and status == 0x803C0600


def test_the_lane_of_a_derived_signal_is_folded_and_its_alarms_are_raised(tmp_path):
    plant = plant_of(PLANT.replace('derived: sum(parts.power)}', 'derived: sum(parts.power), alarm: {high: 4 kW}}'), tmp_path)
    feed = Feed(partition_of(plant))
    feed.send(("area/line-1/pump-1/power", 1, 2.0), ("area/line-1/pump-2/power", 1, 3.0))
    feed.tick(1.1)
    assert [d.kind for d in feed.drafts] == ["AlarmRaised"]
    signal = feed.signal("area/line-1/power")
    assert feed.part.lanes.latest.value[signal] == 5000 and not feed.part.stale[signal]


def test_a_signal_that_is_derived_from_now_on_begins_with_what_its_inputs_said(plant, feed, tmp_path):
    """A snapshot from before an expression was declared: what the lanes hold is the past."""
    before = Feed(partition_of(plant_of(PLANT.replace(", derived: sum(parts.power)", ""), tmp_path)))
    before.send(("area/line-1/pump-1/power", 1, 2.0), ("area/line-1/pump-2/power", 2, 3.0))
    before.tick(2.5)
    numbers = [feed.part.registry.find(p) for p in before.part.registry.paths]
    feed.part.derived.restore({}, _moved(before.part.lanes, numbers, len(feed.part.registry)))
    feed.send(("area/line-1/pump-2/power", 3, 5.0))
    feed.tick(3.5)
    assert feed.series("area/line-1/power") == [(3, 7000)]


def _moved(lanes, numbers, n):
    from gemel.twin.lanes import Lanes

    moved = Lanes(n)
    for name in ("time", "received", "value", "status"):
        for here, there in enumerate(numbers):
            if there is not None:
                getattr(moved.latest, name)[there] = getattr(lanes.latest, name)[here]
    return moved


def test_very_many_rows_without_a_tick_are_taken_in_steps(feed, monkeypatch):
    from gemel.samples import Batch
    from gemel.twin import derived

    monkeypatch.setattr(derived, "MOST_PENDING", 10)
    signals = [feed.signal("area/line-1/pump-1/power"), feed.signal("area/line-1/pump-2/power")]
    for start in (0, 7, 20):
        n = np.arange(start, start + 13)
        time = (n + 1) * 10**9
        feed.frame(Batch.of(signal=[signals[i % 2] for i in n], time=time, received=time, value=n, status=np.zeros(13)))
    feed.tick(40)
    assert feed.part.derived._waiting == 0
    assert feed.series("area/line-1/power")[-1] == (33, (31 + 32) * 1000.0)


def test_what_was_said_too_early_is_taken_back(feed):
    """A jammed conveyor is blocked whatever comes after it; corrected to running, it waits for what comes after it."""
    feed.send(("c1/state", 5, 1))
    feed.tick(5.1)
    assert feed.series("c1/blocked") == [(5, 1)]
    feed.send(("c1/state", 5, 0), received=5.2)
    feed.tick(5.3)
    ((value, status),) = feed.history("c1/blocked").values()
    assert np.isnan(value) and status >> 30 == 2
