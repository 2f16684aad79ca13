"""The twin follows the demo plant, whose equations are not its own, while two sensors misbehave: `gemel bench judge`, in days."""

import numpy as np
import pytest

from gemel.bench.month import compared, drawn, judged
from gemel.bench.month_plant import DAY, RAG, Fault, Life, Mishap, live, strike, struck
from gemel.bench.month_shipped import believed, followed, shipped

FAULTS = (
    Fault(("pump-1", "discharge_pressure"), "drift", 0.3, 3 * DAY // 2, 5 * DAY // 2),
    Fault(("pump-2", "flow"), "bias", 12.0, 3 * DAY // 2, 5 * DAY // 2),
)


@pytest.fixture(scope="module")
def life():
    return struck(live(150, 3.0), FAULTS, 150)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hidden_states_and_wear_are_followed_in_days_by_the_demos_own_plant_file_and_the_bands_hold(life):
    """The month's bound is 5 % of a wear of nine hundredths: in days it is one or two still."""
    pytest.importorskip("jax")
    found = compared(shipped(), [life])
    assert set(found) == {"worn", "flow", "discharge_pressure", "bearing_temperature", "vibration"}
    rows = judged(found)
    assert all(row["error_percent"] <= 5.0 for name, row in rows.items() if name != "worn"), rows
    truth, _, mean, sd = (part[:, DAY:] for part in found["worn"])
    assert np.abs(mean - truth).max() < 0.005  # of the head
    assert np.mean(np.abs(mean - truth) <= 1.645 * sd) > 0.6
    assert 86 <= np.mean([row["band_90_holds_percent"] for row in rows.values()]), rows
    at, away = slice(3 * DAY // 2 + 30, 5 * DAY // 2), [truth.shape[0] - 1]
    shown = life.readings["pump-2", "flow"][at] / 3600.0
    truth, _, mean, _ = (part[away][0, at] for part in found["flow"])  # its meter is off by a fifth, and does not take the estimate with it
    assert np.abs(mean - truth).mean() < 0.2 * np.nanmean(np.abs(shown - truth))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_bearing_of_which_nothing_is_shown_for_a_day_is_told_by_what_was_found_when_it_was_commissioned():
    """While both sensors are stuck the model stands alone: a value of the plant file that is off leans the estimate, and its band with it."""
    pytest.importorskip("jax")
    faults = tuple(Fault((pump, "bearing_temperature"), "stuck", 0.0, DAY, 2 * DAY) for pump in ("pump-1", "pump-2"))
    truth, _, mean, sd = (part[:, DAY:] for part in compared(shipped(), [struck(live(114, 2.0), faults, 114)])["bearing_temperature"])
    off = mean - truth
    assert np.abs(np.mean(off, 1)).max() < 0.5  # of the 1 K that the file declares
    assert np.mean(np.abs(off) <= 1.645 * sd, 1).min() >= 0.86


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_vibration_gauge_that_drifts_down_is_not_believed_by_way_of_a_bearing_that_is_better_than_new():
    """What grows from nothing may be followed a little below it, by as much as it is uncertain: not by as much as a gauge may drift."""
    pytest.importorskip("jax")
    of, whole = shipped(), live(150, 0.4)
    kind = next(kind for path, kind in of.kinds.items() if path.endswith("pump-1"))
    drifting = struck(whole, (Fault(("pump-1", "vibration"), "drift", -0.7, 60, 576),), 150)
    _, sd, output, _ = followed(kind, [believed(of, one) for one in (drifting, whole)])
    off = output[0, 536:, kind.predicts.model.outputs.index("vibration")] - 1e-3 * whole.true["pump-1", "vibration_mms"][536:]
    assert np.abs(off).mean() < 0.3 * 0.68e-3  # it is left at six times its accuracy of 0.06 mm/s, and what the bearing went along
    doubt = sd[1, 240:, list(kind.predicts.model.states).index("bearing_damage")].mean()
    assert doubt > 0.007, doubt  # where the gauge is right the limit cuts nothing off: 0.0084 at -0.03 as at -0.1, 0.0057 at -0.02


def test_the_kinds_of_misbehaviour_do_what_they_are_called():
    rng, value = np.random.default_rng(1), np.linspace(1.0, 2.0, 200)
    shown = {kind: strike(value, Fault(("a", "b"), kind, size, 100, 150), rng) for kind, size in
             {"bias": 0.5, "drift": 0.5, "stuck": 0.0, "noise": 0.1, "gain": 0.1, "deadband": 0.03, "dropout": 0.5,
              "intermittent": 0.5, "spikes": 0.5, "slow": 20.0, "clipped": 0.5, "scaling": 0.2, "sticking": 0.5, "noisier": 0.2,
              "delayed": 10.0, "mirrored": 0.0, "coarse": 0.1}.items()}  # fmt: skip
    for kind, seen in shown.items():
        away = ~(seen == value)
        assert away[100:150].sum() >= 10 and not away[:100].any() and not away[150:].any(), kind
    on = slice(100, 150)
    assert shown["scaling"][149] == pytest.approx(1.2 * value[149], rel=0.01) and shown["scaling"][110] < 1.05 * value[110]
    assert 0 < np.count_nonzero(np.diff(shown["sticking"][on])) < 45 and (np.diff(shown["sticking"][on]) == 0).sum() >= 10
    assert np.std((shown["noisier"] - value)[125:150]) > 2 * np.std((shown["noisier"] - value)[100:110])
    assert (shown["delayed"][on] == value[90:140]).all() and (np.diff(shown["mirrored"][on]) < 0).all()
    assert len(np.unique(shown["coarse"][on])) <= 4


def test_a_crossed_sensor_shows_what_the_other_pump_s_does():
    readings = {(pump, "flow"): np.arange(10.0) + 100 * i for i, pump in enumerate(("pump-1", "pump-2"))}
    shown = struck(Life(readings, {}), (Fault(("pump-2", "flow"), "crossed", 0.0, 4, 8),), 1).readings
    assert shown["pump-2", "flow"].tolist() == [100.0, 101.0, 102.0, 103.0, 4.0, 5.0, 6.0, 7.0, 108.0, 109.0]
    assert shown["pump-1", "flow"].tolist() == readings["pump-1", "flow"].tolist()


def test_one_of_two_sensors_misbehaves_in_a_way_that_the_filter_was_not_tried_on():
    for seed in range(200, 260):
        first, second = drawn(seed, 30.0)
        assert first.kind in {"bias", "drift", "stuck", "noise"} and first.signal != second.signal
        assert second.kind in {"gain", "deadband", "dropout", "intermittent", "spikes", "slow", "clipped"}


def test_what_befalls_a_machine_shows_in_what_it_should():
    """A riser that blocks takes the flow of its pump; a law of power that is another moves power, torque and current as one."""
    blocked = live(151, 0.1, mishaps=(Mishap("pump-1", "blockage", 1.0, 72, 10),)).true
    plain = live(151, 0.1)
    assert (blocked["pump-1", "flow_m3h"][:70] == plain.true["pump-1", "flow_m3h"][:70]).all()
    assert blocked["pump-1", "flow_m3h"][-1] < 0.9 * plain.true["pump-1", "flow_m3h"][-1]
    rag = live(151, 0.1, mishaps=(Mishap("pump-1", "rag", 1.0, 72),)).true["pump-1", "flow_m3h"]
    low = rag < 0.95 * plain.true["pump-1", "flow_m3h"]
    assert low[74 : 72 + RAG[0]].all() and not low[74 + RAG[0] : 72 + sum(RAG)].any() and low[74 + sum(RAG) : 72 + sum(RAG) + RAG[0]].all()
    law = live(151, 0.1, mishaps=(Mishap("pump-1", "power", 0.3, 72),))
    share = {name: (law.readings["pump-1", name] / plain.readings["pump-1", name])[100:].mean() for name in ("power", "torque", "current")}
    assert max(share.values()) - min(share.values()) < 0.01 < abs(share["power"] - 1.0)
    assert (law.true["pump-1", "flow_m3h"] == plain.true["pump-1", "flow_m3h"]).all()


@pytest.mark.parametrize(("law", "name"), [("pressure", "discharge_pressure"), ("bearing_rpm", "bearing_temperature"), ("vibration_c", "vibration"), ("vibration_fast", "vibration")])
def test_a_law_that_is_another_shows_in_its_own_reading_alone(law, name):
    other, plain = (live(151, 0.1, mishaps=those, restless=10.0).readings for those in ((Mishap("pump-1", law, 0.5, 72),), ()))
    moved = {signal: np.ptp((other[signal] - plain[signal])[72:]) for signal in plain}
    assert [signal for signal, far in moved.items() if far > 0] == [("pump-1", name)]
    slower = plain["pump-1", "speed"][72:] < 2380.0
    assert slower.sum() > 5 and (other["pump-1", name] == plain["pump-1", name])[72:][slower].all() == (law == "vibration_fast")
