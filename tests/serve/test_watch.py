"""Subscriptions by pattern and by condition: told when it begins to hold, when it ends, and when nobody can tell."""

import numpy as np
import pytest
from serve_fake import OTHER, PUMP, SECOND, START
from test_live import Looking

from gemel.errors import ExpressionError, GemelError
from gemel.samples.status import BAD_OUT_OF_RANGE
from gemel.serve import times
from gemel.serve.names import Names
from gemel.serve.watch import watching


def test_a_pattern_subscribes_to_all_that_it_means(server):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=["acme/riverside/*/flow", f"{PUMP}/speed", "*/none"])
        told = page.event("subscribed")
        assert told["signals"] == [f"{PUMP}/flow", f"{OTHER}/flow", f"{PUMP}/speed"]
        assert told["unknown"] == ["*/none"]
        assert page.frame()["value"][0] == 120.5


def test_a_condition_over_signals_is_told_when_it_turns(server, twin):
    flow, other = f"{PUMP}/flow", f"{OTHER}/flow"
    with Looking(server) as page:
        page.say(op="watch", id=3, when="value > 2 m3/min", signals=["*/flow"])
        assert page.event("watching")["members"] == 2
        first = page.event("condition")
        assert (first["id"], first["seq"], first["time"], first["items"]) == (3, 1, times.text(START), [{"path": flow, "holds": True}])
        server.do(twin.send, {flow: 121.0})
        server.do(twin.send, {flow: 90.0})
        assert page.event("condition")["items"] == [{"path": flow, "holds": False}]
        server.do(twin.send, {other: 130.0}, START + SECOND)
        assert page.event("condition")["items"] == [{"path": other, "holds": True}]
        server.do(twin.send, {other: 130.0}, START + 2 * SECOND, BAD_OUT_OF_RANGE)
        assert page.event("condition")["items"] == [{"path": other, "holds": None}]
        page.say(op="unwatch", id=3)
        page.say(op="ping")
        page.event("pong")
        server.do(twin.send, {flow: 200.0})
        page.say(op="watch", id=4, when="quality == bad", signals=[other])
        assert page.event("condition")["id"] == 4


def test_a_condition_over_assets_reads_their_properties(server, twin):
    with Looking(server) as page:
        page.say(op="watch", id=1, when="running and speed > 1000 rpm and flow.quality == good", assets=["*/pump-*"])
        assert page.event("watching")["members"] == 2
        assert page.event("condition")["items"] == [{"path": PUMP, "holds": True}]
        server.do(twin.send, {f"{PUMP}/running": 0.0})
        assert page.event("condition")["items"] == [{"path": PUMP, "holds": False}]


def test_what_cannot_be_watched_is_said(server):
    with Looking(server) as page:
        for wrong, code in (
            ({"when": "value >", "signals": ["*/flow"]}, "expression"),
            ({"when": "value > 3 K", "signals": ["*/flow"]}, "expression"),
            ({"when": "value > 3 m3/h", "signals": ["*/nothing"]}, "not-found"),
            ({"when": "value > 3"}, "watch"),
            ({"when": "flow > 3 m3/h", "assets": [PUMP], "signals": ["*"]}, "watch"),
        ):
            page.say(op="watch", id=1, **wrong)
            assert page.event("error")["code"] == code, wrong


@pytest.fixture
def face(twin):
    names = Names(twin.plant, twin.registry)
    table = names.properties

    def shown(properties):
        return table.resolve(twin.values, properties, twin.values.held)

    return names, shown


def news(watch, face, now=START, heard=True):
    return {item["path"].rpartition("/")[2]: item["holds"] for item in watch.look(face, now, heard=heard)}


def test_age_lane_and_staleness_are_names_too(twin, face):
    names, shown = face
    old = watching("age > 5 s", [f"{PUMP}/flow"], [], names)
    assert news(old, shown) == {}
    assert news(old, shown, START + 6 * SECOND) == {"flow": True}
    lane = watching("lane != measured", [f"{PUMP}/flow"], [], names)
    assert news(lane, shown) == {}
    stale = watching("stale", [f"{PUMP}/flow"], [], names)
    assert news(stale, shown) == {}
    assert news(stale, shown, heard=False) == {"flow": True}, "while the twin is not heard nothing is fresh"


def test_what_is_stale_or_was_never_seen_is_not_known(twin, face):
    names, shown = face
    watch = watching("value > 100 m3/h", [f"{PUMP}/flow", f"{OTHER}/flow"], [], names)
    with pytest.raises(GemelError):
        watching("value > 100 bar", [f"{PUMP}/flow"], [], names)
    assert news(watch, shown) == {"flow": True}
    twin.values.stale[:] = True
    assert news(watch, shown) == {"flow": None}


def test_members_of_other_kinds_than_the_condition_fits_are_left_out(face):
    names, shown = face
    watch = watching("value > 100 m3/h", ["*"], [], names)
    assert {m.rpartition("/")[2] for m in watch.members} == {"flow"}
    assert news(watch, shown) == {"flow": True}
    with pytest.raises(ExpressionError):
        watching("nothing > 3", ["*"], [], names)


def test_too_many_members_are_refused(face, monkeypatch):
    monkeypatch.setattr("gemel.serve.watch.MOST", 3)
    with pytest.raises(GemelError) as many:
        watching("stale", ["*"], [], face[0])
    assert many.value.code == "watch"
    assert np.unique(watching("stale", ["*/flow"], [], face[0]).properties).size == 2
