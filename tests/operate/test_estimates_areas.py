"""An area is followed as one system: what an asset's own model cannot tell stands in the balance that it shares."""

import numpy as np
import pytest

pytest.importorskip("jax")

from area_kit import LINE, PLANT, READ, SECOND, START, course, frames, read
from plants import plant

from gemel.assets import check
from gemel.bus import decode_frame
from gemel.errors import ModelError
from gemel.estimate import Ensemble
from gemel.estimate.bands import Banded
from gemel.estimate.trusting import Trusting
from gemel.operate.estimates_areas import MOST, areas_of, followed
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.operate.models_check import model_problems
from gemel.operate.residual_turns import packed
from gemel.operate.residuals_in import drafted
from gemel.samples import Batch, Fact, Snapshot
from gemel.samples import status as codes
from gemel.twin.releases import RELEASED, Releases

SECONDS, BEGINS = 560, 400
ALONE, AREA = PLANT.split("estimates:\n  line-1")[0], "estimates:\n  line-1: {states: [tank/level]}\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = plant(tmp_path_factory.mktemp("plant"), PLANT)
    registry = made.registry()
    return made, registry, followed(made, registry)


def estimator_of(site):
    made, registry, kinds = site
    return Estimator(kinds, registry, made.checks(registry), 0)


def run(site, values, begun=None, stop=None):
    """What is told, as rows, what residuals did, and the estimator behind the last frame (or at `stop` seconds)."""
    estimator, told, turns = begun or estimator_of(site), [], []
    for position, frame in enumerate(frames(site[1], values), 1):
        if position <= estimator.position:
            continue
        told += [one.data for one in estimator.take(frame, position)]
        turns += estimator.turns
        if stop is not None and position == 2 * stop:
            break
    return told, turns, estimator


def rows_of(site, told, name):
    rows = Batch.concat(decode_frame(one).batch for one in told)
    return rows.take(rows.signal == site[1].index(f"{LINE}/{name}", "estimated"))


@pytest.fixture(scope="module")
def meter(site):
    """The meter of the first pump reads 2 mL/s too much from a second on."""
    return run(site, read(SECONDS, {"pump-1/flow": lambda k: 2.0 * (k > BEGINS)}))


def test_a_meter_that_disagrees_with_the_tank_is_found_by_name_among_the_meters_of_the_area(site, meter):
    told, turns, _ = meter
    raised = [t for t in turns if t.kind == "ResidualRaised"]
    assert START + BEGINS * SECOND < raised[0].at < START + (BEGINS + 10) * SECOND
    assert (raised[0].asset, raised[0].body["signal"]) == (f"{LINE}/pump-1", f"{LINE}/pump-1/flow")
    for answer in raised[1:]:
        suspect = answer.body["suspects"][0]
        assert (suspect["kind"], suspect["name"]) == ("sensor", "pump-1/flow")
        assert suspect["probability"] > 0.9
        assert answer.body["substituted"]
    fact = drafted(packed(raised[1]), site[0])
    assert fact.subject == f"{LINE}/pump-1"
    flow, truth = rows_of(site, told, "pump-1/flow"), course(SECONDS)[:, READ.index("pump-1/flow")]
    instead = flow.time > raised[1].at + 5 * SECOND
    assert (flow.status[instead] == codes.UNCERTAIN_SUBSTITUTE).all()
    off = np.abs(flow.value - truth[(flow.time - START) // SECOND])
    assert (off[instead] < 0.3).all(), "believed by what the tank and the other meters say"


def test_with_a_meter_that_is_gone_another_that_is_off_is_found_and_it_is_said_which_is_missing(site):
    gone, begins, back = 320, 450, 520
    values = read(SECONDS, {"pump-1/flow": lambda k: 2.0 * (k > begins)})
    values[gone:back, READ.index("valve/flow")] = np.nan
    told, turns, _ = run(site, values)
    valve, meter = f"{LINE}/valve/flow", f"{LINE}/pump-1/flow"
    raised = [t for t in turns if t.kind == "ResidualRaised"]
    assert {t.body["signal"] for t in raised} == {meter}
    assert START + begins * SECOND < raised[0].at < START + (begins + 15) * SECOND
    suspect = raised[1].body["suspects"][0]
    assert (suspect["kind"], suspect["name"], raised[1].body["substituted"]) == ("sensor", "pump-1/flow", True)
    assert [t.body.get("missing") for t in raised[:2]] == [[valve], [valve]]
    instead = [(t.kind, t.asset, t.body["signal"], t.body.get("why"), (t.body.get("since", 0) - START) // SECOND) for t in turns if t.kind not in {"ResidualRaised", "ResidualCleared"}]
    assert instead[0] == ("ResidualSubstituted", f"{LINE}/valve", valve, "missing", gone - 1), "since its last reading"
    assert instead[1][:4] == ("ResidualSubstituted", f"{LINE}/pump-1", meter, "blamed")
    assert [one[0] for one in instead if one[2] == valve] == ["ResidualSubstituted", "ResidualHeard"]
    assert drafted(packed(next(t for t in turns if t.kind == "ResidualHeard" and t.body["signal"] == valve)), site[0]).subject == f"{LINE}/valve"
    outflow, truth = rows_of(site, told, "valve/flow"), course(SECONDS)[:, READ.index("valve/flow")]
    away = np.abs(outflow.value - truth[(outflow.time - START) // SECOND])[gone : back - 10]
    assert (away < 1.0).all(), "told all the while"


def test_what_is_followed_of_each_asset_is_told_of_that_asset(site, meter):
    told = meter[0]
    truth = course(SECONDS)
    for name, near in (("pump-1/swept_volume", 0.1), ("pump-2/swept_volume", 0.1)):
        rows = rows_of(site, told, name)
        assert abs(rows.value[-1] - {"pump-1": 10.0, "pump-2": 9.5}[name.partition("/")[0]]) < near + 3 * rows.sigma[-1]
        assert 0 < rows.sigma[-1] < 0.1
    level = rows_of(site, told, "tank/level")
    assert np.abs(level.value - truth[(level.time - START) // SECOND, READ.index("tank/level")])[100:].max() < 0.5
    assert not len(set(rows_of(site, told, "valve/flow").time) ^ set(level.time))


def test_gone_on_from_a_snapshot_it_tells_the_very_same(site, meter):
    values = read(SECONDS, {"pump-1/flow": lambda k: 2.0 * (k > BEGINS)})
    first, before, estimator = run(site, values, stop=BEGINS + 8)
    fresh = estimator_of(site)
    assert fresh.restore(Snapshot.from_bytes(estimator.snapshot().to_bytes()))
    rest, after, _ = run(site, values, fresh)
    assert first + rest == meter[0]
    assert [packed(t) for t in before + after] == [packed(t) for t in meter[1]]


def test_a_leak_is_of_the_process_and_no_meter_is_blamed(site):
    _, turns, _ = run(site, read(SECONDS + 20, leak=lambda k: 2.5 * (k > BEGINS)))
    raised = [t for t in turns if t.kind == "ResidualRaised" and t.body["suspects"]]
    assert {s["kind"] for t in raised for s in t.body["suspects"] if s["probability"] > 0.05} <= {"process", "model"}
    suspect = raised[-1].body["suspects"][0]
    assert (suspect["kind"], suspect["name"]) == ("process", "source/tank/level"), raised[-1].body
    assert not raised[-1].body["substituted"]


def test_an_area_goes_by_what_was_released_of_each_of_its_assets(site):
    kind, tank = site[2][0], f"{LINE}/tank"
    assert kind.concerned({tank, "acme/riverside/elsewhere"}) == [LINE]
    assert kind.concerned({"acme/riverside/elsewhere"}) == []
    fact = Fact(seq=1, id="r", kind=RELEASED, at=0, recorded=0, actor="ann", subject=tank, body={"values": {"area": 80.0}})
    place = kind.problem.model.place("parameters", "tank/area")
    under = kind.under(Releases().take_all([fact]), [LINE])
    assert (kind.p[0, place], under.p[0, place]) == pytest.approx((60e-4, 80e-4))
    assert np.delete(under.p, place).tolist() == np.delete(kind.p, place).tolist()
    assert under.version != kind.version


def test_assets_of_an_area_are_followed_once_and_areas_alike_side_by_side(tmp_path):
    more = "  p-1: {type: Pump, at: line-2}\n  p-2: {type: Pump, at: line-2}\n  lone: {type: Pump, at: line-3}\n  t: {type: Tank, at: line-2}\n"
    text = ALONE.replace("relations:\n", more + "relations:\n  - p-1 feeds t\n  - p-2 feeds t\n") + AREA + "  line-2: {states: [t/level]}\n"
    made = plant(tmp_path, text)
    kinds = followed(made, made.registry())
    assert [k.assets for k in kinds] == [(LINE,), ("acme/riverside/line-2",), ("acme/riverside/line-3/lone",)]
    assert len(kinds_of(made, made.registry())) == 3, "each by itself: pumps, tanks, valves"
    twins = ALONE.replace("pump-1: {type: Pump, at: line-1}", "pump-1: {type: Pump, at: line-1}\n" + "".join(
        f"  {n}: {{type: {t}, at: line-2/x}}\n" for n, t in (("q-1", "Pump"), ("tonne", "Tank"))).rstrip())  # fmt: skip
    twins = twins.replace("relations:\n", "  q-2: {type: Pump, at: line-4}\n  tun: {type: Tank, at: line-4}\nrelations:\n  - q-1 feeds tonne\n  - q-2 feeds tun\n")
    (tmp_path / "b").mkdir()
    found = areas_of(plant(tmp_path / "b", twins + "estimates: {line-2: {}, line-4: {}}\n"))
    assert [list(a.assets) for a in found] == [["q-1", "tonne"], ["q-2", "tun"]]
    assert found[0].asked.states == ("q-1/reservoir", "tonne/level"), "all of a type that names none, those of one that does"


WRONG = {
    "  nowhere: {}\n": "there is nothing at 'nowhere'",
    "  line-1: {states: [tank/depth]}\n": "has no 'tank/depth' among its states",
    "  line-1: {sensors: [tank/flow, tank/level]}\n": "has no 'tank/flow' among its sensors",
    "  line-1: {noise: {pump-1/leak: 1}}\n": "'pump-1/leak' is no state, nor a parameter that is estimated",
    "  line-1: {noise: {tank/level: 1 s}}\n": "the noise of 'tank/level'",
    "  line-1/tank: {}\n": "there is nothing to join",
    "  line-1: {}\n  line-1/tank: {}\n": "there is nothing to join",
}


@pytest.mark.parametrize("said", WRONG)
def test_what_an_area_cannot_be_followed_by_is_told_by_line(tmp_path, said):
    text = ALONE + "estimates:\n" + said
    (tmp_path / "plant.yaml").write_text(text)
    made, problems = check(tmp_path)
    if made is not None:
        problems = model_problems(made, tmp_path, evaluate=False)
    (found,) = [p for p in problems if p.severity == "error"]
    assert WRONG[said] in found.message
    assert text.splitlines()[found.line - 1].lstrip().startswith(("line-1", "nowhere", "estimates"))


def test_a_system_too_large_for_one_filter_is_refused_with_the_way_out(tmp_path):
    pumps = "".join(f"  extra-{i}: {{type: Pump, at: line-1}}\n" for i in range(MOST // 2))
    text = ALONE.replace("relations:\n", pumps + "relations:\n") + "estimates: {line-1: {}}\n"
    made = plant(tmp_path, text)
    with pytest.raises(ModelError, match="follows at most 40") as e:
        followed(made, made.registry())
    assert (e.value.code, "states: [" in e.value.remedy) == ("system-size", True)
    (found,) = [p for p in model_problems(made, tmp_path, evaluate=False) if p.severity == "error"]
    assert "its cost grows with their cube" in found.message


def test_the_filter_and_the_gauges_of_inputs_are_as_the_types_say(tmp_path):
    bent = PLANT.replace("estimates: {every", "estimates: {filter: ensemble, every").replace("estimates: {states: [level]", "estimates: {filter: ensemble, states: [level]")
    bent = bent.replace("ControlValve\n", "ControlValve\n    estimates: {filter: ensemble}\n").replace("strokes: {unit: Hz}", "strokes: {unit: Hz, accuracy: 0.05 Hz}")
    made = plant(tmp_path / "same", bent)
    (kind,) = followed(made, made.registry())
    assert isinstance(kind.method, Ensemble)
    assert [kind.problem.noise.input[kind.problem.model.place("inputs", f"pump-{i}/strokes")] for i in (1, 2)] == pytest.approx([0.05, 0.05])
    other = plant(tmp_path / "other", PLANT.replace("estimates: {every", "estimates: {filter: ensemble, every"))
    (found,) = [p for p in model_problems(other, tmp_path / "other", evaluate=False) if p.severity == "error"]
    assert "its types name two: ensemble of pump-2, unscented of valve" in found.message


def test_errors_last_as_long_as_each_sensors_own_type_says(tmp_path):
    lasting = PLANT.replace("{every: 1 s, noise: {swept", "{every: 1 s, drift: 1 h, noise: {swept").replace("{states: [level]", "{drift: 6 h, scatter: {level: 1 mm}, states: [level]")
    made = plant(tmp_path, lasting)
    (kind,) = followed(made, made.registry())
    assert {n: e.time_s for n, e in kind.errors.items()} == {"pump-1/flow": 3600.0, "pump-2/flow": 3600.0, "tank/level": 21600.0}, "the valve's are noise"
    assert {n: e.noise for n, e in kind.errors.items()} == pytest.approx({"pump-1/flow": 2e-7, "pump-2/flow": 2e-7, "tank/level": 1e-3})
    assert isinstance(kind.method, Banded) and isinstance(kind.method.inner, Trusting)
