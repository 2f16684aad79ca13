"""Who starts the demo sees what no sensor shows, with how sure it is, and what each sensor should show."""

import pytest

pytest.importorskip("jax")

from gemel.bench.site import wait

PUMPING = "gemel/riverside/waterworks/pumping"
TRUE = {"pump-1": 1.0, "pump-2": 2.0}  # % of head that the wheels of a new demo lack: only the station knows
HIDDEN = ("wheel_wear", "bearing_damage", "npsh_margin")
WATCHED = ("flow", "discharge_pressure", "vibration", "bearing_temperature")


def shown(face, pump, name):
    return face.get(f"state/{PUMPING}/{pump}?include=provenance")["properties"][name]


def test_the_wear_of_its_wheels_is_seen_within_minutes_and_each_reading_has_what_is_expected_beside_it(demo):
    face = demo.face("olga")

    def told(pump):
        one = shown(face, pump, "wheel_wear")
        return one["value"] is not None and one["provenance"]["sigma"] < 0.4 and abs(one["value"] - TRUE[pump]) < 0.35

    assert wait(lambda: all(map(told, TRUE)), 240), ([shown(face, pump, "wheel_wear") for pump in TRUE], face.get("health"))
    for name in HIDDEN:
        one = shown(face, "pump-1", name)
        assert one["lane"] == "estimated" and one["provenance"]["sigma"] > 0, name
        assert one["provenance"]["origin"]["version"].startswith("gemel.dynamics.components:PumpSet@")
    for pump in TRUE:
        items = {i["signal"].rpartition("/")[2]: i for i in face.get("residuals", asset=f"{PUMPING}/{pump}")["items"]}
        assert set(items) == set(WATCHED)
        for name, one in items.items():
            assert one["out"] is None and (one["parameters"], one["hybrid"]) == (0, None)
            assert abs(one["residual"]) < 5 * shown(face, pump, name)["provenance"]["sigma"], (name, one)
    assert not [a for a in face.alarms() if a.endswith("#deviation") and face.alarms()[a]["state"] != "normal"]
    assert not face.facts("LanesDiverged")
