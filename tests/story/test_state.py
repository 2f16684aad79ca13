"""State with its provenance, seen from outside a running demo: overrides, desired and reported, conditions, who was faster."""

import base64
import contextlib
import json
import time

import pytest
from websockets.sync.client import connect

from gemel.bench.site import wait

PUMP = "gemel/riverside/waterworks/pumping/pump-1"
SPEED = f"{PUMP}/speed"


@pytest.fixture(scope="module")
def olga(demo):
    face = demo.face("olga")

    def alive():
        with contextlib.suppress(OSError):  # its server is just coming
            return face.shown(PUMP)["speed"]["quality"] == "good"
        return False

    assert wait(alive, 120), face.shown(PUMP)
    return face


def state(face, *include):
    told = "&".join(f"include={word}" for word in include)
    return face.get(f"state/{PUMP}?{told}")


class Looking:
    """The live socket as one person."""

    def __init__(self, face):
        word = base64.b64encode(":".join(face.person).encode()).decode()
        url = f"ws://127.0.0.1:{face.port}/api/v1/live"
        self._opening = connect(url, additional_headers={"Authorization": f"Basic {word}"}, proxy=None)

    def __enter__(self):
        self.socket = self._opening.__enter__()
        return self

    def __exit__(self, *how):
        self._opening.__exit__(*how)

    def event(self, kind, timeout=60):
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            got = self.socket.recv(timeout=left)
            if isinstance(got, str) and (told := json.loads(got))["type"] == kind:
                return told
        raise TimeoutError


def test_a_reading_names_the_frame_it_came_in(olga):
    told = state(olga, "provenance")["properties"]["speed"]["provenance"]
    assert told["origin"]["frame"].startswith("samples.0:")
    assert told["origin"]["producer"] and told["origin"]["version"]
    assert told["lanes"]["measured"]["quality"] == "good"


def test_an_override_is_shown_told_live_and_ends_by_itself(olga):
    with Looking(olga) as page:
        page.socket.send(json.dumps({"op": "watch", "id": 1, "when": "lane == override", "signals": [SPEED]}))
        assert page.event("watching")["members"] == 1
        status, made = olga.ask("POST", "overrides", {"path": SPEED, "value": 42.0, "reason": "the story", "seconds": 8})
        assert status == 201, made
        assert page.event("condition")["items"] == [{"path": SPEED, "holds": True}]
        shown = state(olga, "provenance")["properties"]["speed"]
        assert (shown["value"], shown["lane"], shown["quality"]) == (42.0, "override", "manual")
        assert shown["provenance"]["origin"]["owner"] == "olga"
        assert shown["provenance"]["lanes"]["measured"]["value"] != 42.0
        assert page.event("condition")["items"] == [{"path": SPEED, "holds": False}]
    assert wait(lambda: state(olga)["properties"]["speed"]["lane"] == "measured", 60)

    def told():
        return [f["at"] for f in olga.facts("OverrideExpired") if f["body"]["override"] == made["id"]]

    assert wait(told, 60) and told() == [made["until"]]


def test_a_past_time_shows_the_override_of_then(olga):
    status, made = olga.ask("POST", "overrides", {"path": SPEED, "value": 43.0, "reason": "the story", "seconds": 60})
    assert status == 201, made
    assert wait(lambda: olga.shown(PUMP)["speed"]["value"] == 43.0, 60)
    at = state(olga)["at"]
    assert olga.ask("DELETE", f"overrides/{made['id']}")[0] == 200
    assert wait(lambda: olga.shown(PUMP)["speed"]["lane"] == "measured", 60)
    assert olga.get(f"state/{PUMP}", at=at)["properties"]["speed"]["value"] == 43.0


def test_who_decides_on_what_is_no_more_is_told_and_what_is_desired_is_reported(demo, olga):
    seen = state(olga)["version"]
    value = round(state(olga)["properties"]["speed"]["value"] / 50) * 50.0
    asked = {"asset": PUMP, "command": "set_speed", "value": value, "reason": "the story"}
    status, made = olga.ask("POST", "commands", asked | {"expected_version": seen})
    assert status == 201, made
    status, late = olga.ask("POST", "commands", asked | {"expected_version": seen})
    assert (status, late["code"]) == (409, "changed-meanwhile")
    if made["approval"]:
        assert demo.face("emil").post(f"commands/{made['id']}/approve", reason="the story")[0] == 200
    assert wait(lambda: [d for d in state(olga, "desired")["desired"] if d["in_sync"]], 60, 0.2), state(olga, "desired")
    (desired,) = state(olga, "desired")["desired"]
    assert (desired["command"], desired["value"]) == (made["id"], value)
