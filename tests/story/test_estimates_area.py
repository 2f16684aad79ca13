"""A line of machines is followed as one: a meter that disagrees with the tank is named by the running twin, also after a kill."""

import os
import signal

import numpy as np
import pytest

pytest.importorskip("jax")

from area_kit import LINE, PLANT, READ, SECOND, START, course, read
from pace_kit import allowed
from story_kit import Face, add_person

from gemel.bench.site import running, wait

BEGINS, SECONDS, BLOCK, PATIENCE = 360, 440, 55, 200
METER = f"{LINE}/pump-1/flow"


def time_of(second):
    return str(np.datetime64(START + second * SECOND, "ns").astype("datetime64[s]")) + "Z"


@pytest.fixture
def site(tmp_path):
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "plant.yaml").write_text(PLANT.replace("connections", "clock: data\nconnections").replace(":1883", ":1"))
    emil = add_person(tmp_path / "data", "emil", "engineer")
    with running(tmp_path / "plant", tmp_path / "data") as found:
        face = Face(found.settings.port, emil)
        assert wait(lambda: face.get("health")["processes"].get("reason", {}).get("state") == "up", 120), face.get("health")
        yield found, face


def shown(face, asset, name):
    return face.get(f"state/{LINE}/{asset}?include=provenance")["properties"][name]


def post(face, values, block):
    """Send the readings of some seconds."""
    rows = [{"signal": f"{LINE}/{n}", "time": time_of(k), "value": float(v)} for k in block for n, v in zip(READ, values[k], strict=True)]
    assert face.post_rows(rows)[0] == 200


def come_to(face, second):
    """Tell whether what is estimated has come as far."""
    return (shown(face, "pump-1", "swept_volume")["time"] or "")[:19] >= time_of(second)[:19]


def begun(face):
    """Send second after second until the filters, which begin at a tick, tell something; give the next."""
    for k in range(PATIENCE):
        post(face, read(PATIENCE), [k])
        if wait(lambda: come_to(face, 0), 1):
            return k + 1
    raise AssertionError(face.get("health"))


def test_a_meter_that_the_tank_contradicts_is_named_and_its_asset_has_the_alarm(site):
    family, face = site
    first = begun(face)
    seconds, begins = first + SECONDS, first + BEGINS
    values = read(seconds, {"pump-1/flow": lambda k: 2.0 * (k > begins)})
    for at in range(first, seconds, BLOCK):
        block = range(at, min(at + BLOCK, seconds))
        post(face, values, block)
        assert wait(lambda: come_to(face, block[-1] - 6), allowed(150)), (shown(face, "pump-1", "swept_volume"), face.get("health"))  # noqa: B023
        if at == first + 3 * BLOCK:
            os.kill(family.pids()["reason"], signal.SIGKILL)
    raised = [f for f in face.facts("ResidualRaised") if f["body"]["suspects"]]
    assert {(f["subject"], f["body"]["signal"]) for f in raised} == {(f"{LINE}/pump-1", METER)}
    suspect = raised[0]["body"]["suspects"][0]
    assert (suspect["kind"], suspect["name"]) == ("sensor", "pump-1/flow")
    assert face.alarms()[f"{METER}#deviation"]["state"] == "unacknowledged"
    items = {i["signal"]: i for i in face.get("residuals", asset=LINE)["items"]}
    assert set(items) == {f"{LINE}/{n}" for n in READ[3:]}
    assert items[METER]["out"]["substituted"] and items[METER]["residual"] == pytest.approx(2.0, abs=1.0)
    assert all(one["out"] is None for path, one in items.items() if path != METER)
    lane = shown(face, "pump-1", "flow")["provenance"]["lanes"]["estimated"]
    assert abs(lane["value"] - course(seconds)[-2, READ.index("pump-1/flow")]) < 0.4
    for pump, swept in (("pump-1", 10.0), ("pump-2", 9.5)):
        told = shown(face, pump, "swept_volume")
        assert (told["lane"], told["value"]) == ("estimated", pytest.approx(swept, abs=0.2))
        assert told["provenance"]["origin"]["version"].startswith("system@")
    history = face.get("history", signal=f"{LINE}/tank/level", lane="estimated")
    assert len(set(history["time"])) == history["rows"] >= SECONDS - 10, "told once each, over the kill"
