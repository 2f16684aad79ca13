"""The live socket: one bulk subscription, frames ten times a second, events in order, nobody who may not."""

import base64
import json
import time

import numpy as np
import pytest
from gemel.samples import Registry
from gemel.serve import frames
from gemel.serve.clients import EVENTS_WAITING, Client
from reference_frame import decode
from serve_fake import FLOW_NOW, OTHER, PUMP, SECOND, START, Delta
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

SIGNALS = list(FLOW_NOW)


class Looking:
    """A client that keeps what it got."""

    def __init__(self, server, **kwargs):
        self._opening = connect(f"ws://127.0.0.1:{server.port}/api/v1/live", proxy=None, compression=None, **kwargs)
        self.wide = {}

    def __enter__(self):
        self.socket = self._opening.__enter__()
        return self

    def __exit__(self, *exc):
        self._opening.__exit__(*exc)

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def get(self, timeout=5):
        got = self.socket.recv(timeout=timeout)
        if isinstance(got, bytes):
            return decode(got, self.wide.get(got[1], ()))
        told = json.loads(got)
        if told["type"] == "subscribed":
            self.wide[told["id"]] = told["wide"]
        return told

    def until(self, wanted, timeout=5):
        """Give the first message that is wanted."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            got = self.get(end - time.monotonic())
            if wanted(got):
                return got
        raise TimeoutError

    def event(self, kind, timeout=5):
        return self.until(lambda m: m["type"] == kind, timeout)

    def frame(self, timeout=5):
        return self.until(lambda m: m["type"] in (1, 2), timeout)


def test_a_page_is_greeted_and_shown_everything_at_once(server):
    with Looking(server) as page:
        hello = page.get()
        assert (hello["type"], hello["fact"], hello["link"]["up"]) == ("hello", 0, True)
        page.say(op="subscribe", id=1, signals=[*SIGNALS, f"{OTHER}/flow", "nothing"])
        told = page.event("subscribed")
        assert told["signals"] == [*SIGNALS, f"{OTHER}/flow"]
        assert told["unknown"] == ["nothing"]
        assert told["wide"] == [SIGNALS.index(f"{PUMP}/volume")]
        shown = page.frame()
        assert (shown["type"], shown["id"], shown["time"]) == (2, 1, START / SECOND)
        assert shown["value"][:4] == [120.5, 1450.0, 1.0, 16777217.0]
        assert np.isnan(shown["value"][4])
        assert shown["quality"] == [frames.GOOD] * 4 + [frames.NONE]
        assert shown["age"] == [0, 0, 0, 0, 65535]


def test_what_changes_is_shown(server, twin):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=[f"{PUMP}/flow"])
        page.frame()
        server.do(twin.send, {f"{PUMP}/flow": 130.25}, at=START + SECOND)
        shown = page.until(lambda m: m["type"] in (1, 2) and m["value"] == [130.25])
        assert shown["time"] == (START + SECOND) / SECOND


def test_a_frame_with_ages_comes_at_least_once_a_second_though_nothing_changes(server):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=[f"{PUMP}/flow"])
        page.frame()
        times = []
        for _ in range(4):
            assert page.frame()["type"] == 2
            times.append(time.monotonic())
        assert np.diff(times).max() < 1.3  # once a second, and what a busy machine takes


def test_frames_come_ten_times_a_second_and_not_more(server, twin):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=[f"{PUMP}/flow"])
        page.frame()
        end, n, began = time.monotonic() + 2.0, 0, time.monotonic()
        value = 0.0
        while time.monotonic() < end:
            value += 1
            server.do(twin.send, {f"{PUMP}/flow": value})
            try:
                page.get(0.005)
                n += 1
            except TimeoutError:
                pass
        rate = n / (time.monotonic() - began)
        assert 5 < rate < 11


def test_a_subscription_replaces_the_former_of_its_number(server, twin):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=[f"{PUMP}/flow"])
        page.frame()
        page.say(op="subscribe", id=1, signals=[f"{PUMP}/speed", f"{PUMP}/flow"])
        page.event("subscribed")
        assert page.frame()["value"] == [1450.0, 120.5]
        page.say(op="unsubscribe", id=1)
        page.say(op="ping")
        page.event("pong")
        server.do(twin.send, {f"{PUMP}/flow": 1.0})
        with pytest.raises(TimeoutError):
            page.frame(1.2)


def test_facts_come_in_order_and_alarms_are_counted(server, twin):
    with Looking(server) as page:
        page.event("hello")
        server.do(twin.raise_alarm, f"{PUMP}/flow")
        server.do(twin.raise_alarm, f"{OTHER}/flow")
        first, second = page.event("fact"), page.event("fact")
        assert [first["seq"], second["seq"]] == [1, 2]
        assert first["fact"]["kind"] == "AlarmRaised"
        counted = page.until(lambda m: m["type"] == "alarms" and m["counts"]["unacknowledged"] == 2)
        assert counted["flood"] is False


def test_a_fact_whose_news_was_lost_is_asked_for(server, twin):
    with Looking(server) as page:
        page.event("hello")

        def lose():
            listeners, twin.listeners = twin.listeners, set()
            twin.append("PlantApplied", "gemel")
            twin.listeners = listeners

        server.do(lose)
        assert page.event("fact")["fact"]["kind"] == "PlantApplied"


def test_another_plant_is_told_and_its_names_are_known_at_once(server, twin):
    new = f"{PUMP}/throughput"
    with Looking(server) as page:
        page.event("hello")

        def follow():
            rows = [{**r, "path": new if r["path"] == f"{PUMP}/flow" else r["path"]} for r in twin.registry.table.to_pylist()]
            twin.registry = Registry.of(rows)
            twin.tell(Delta("gap"))

        server.do(follow)
        assert page.event("plant")["digest"] == twin.plant.digest
        page.say(op="subscribe", id=1, signals=[new, f"{PUMP}/flow"])
        told = page.event("subscribed")
        assert (told["signals"], told["unknown"]) == ([new], [f"{PUMP}/flow"])


def test_link_loss_is_told_and_nothing_looks_live(server, twin):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=[f"{PUMP}/flow"])
        page.frame()
        twin.up = False
        assert page.event("link")["up"] is False
        shown = page.until(lambda m: m["type"] == 2 and m["quality"] == [frames.STALE])
        assert shown["age"] == [30]  # the wall went on while the twin was silent for 3 s
        twin.up = True
        page.until(lambda m: m["type"] == "link" and m["up"])
        page.until(lambda m: m["type"] in (1, 2) and m["quality"] == [frames.GOOD])


@pytest.mark.parametrize(
    "message", ["{", "[]", '"x"', '{"op":"dance"}', '{"op":"subscribe","id":99,"signals":[]}', '{"op":"subscribe","id":1,"signals":7}',
                '{"op":"subscribe","signals":[]}', b"\xff\xfe", "[" * 10_000]
)  # fmt: skip
def test_a_message_that_makes_no_sense_is_answered_and_the_socket_lives(server, message):
    with Looking(server) as page:
        page.socket.send(message)
        assert page.event("error")["code"] == "invalid-request"
        page.say(op="ping")
        page.event("pong")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_another_sites_page_gets_no_socket(server, origin):
    with pytest.raises(InvalidStatus) as refused, Looking(server, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["code"] == "wrong-origin"


def test_our_own_page_gets_one(server):
    with Looking(server, origin=server.url) as page:
        page.event("hello")


def test_where_looking_is_not_free_the_socket_needs_a_person(serve):
    server = serve(loopback_viewer=False)
    with pytest.raises(InvalidStatus) as refused, Looking(server):
        pass
    assert refused.value.response.status_code == 401
    word = base64.b64encode(b"vera:correct horse").decode()
    with Looking(server, additional_headers={"Authorization": f"Basic {word}"}) as page:
        page.event("hello")


def test_a_session_that_ends_ends_the_socket(serve, monkeypatch):
    from gemel.serve.routes import live

    monkeypatch.setattr(live, "CHECK_S", 0.2)
    server = serve(loopback_viewer=False)
    with server.client() as client:
        token = client.post("/session", json={"user": "vera", "password": "correct horse"}).json()["csrf"]
        cookie = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
        with Looking(server, additional_headers={"Cookie": cookie}) as page:
            page.event("hello")
            client.delete("/session", headers={"X-CSRF-Token": token})
            with pytest.raises(ConnectionClosed) as closed:
                page.until(lambda _: False)
            assert closed.value.rcvd.code == 4401


def test_of_frames_that_wait_the_oldest_is_dropped():
    client = Client()
    client.subscribed(1)
    for i in range(5):
        client.frame(1, bytes([i]))
    client.frame(2, b"of no subscription")
    assert [client.take(), client.take(), client.take()] == [b"\x03", b"\x04", None]
    assert client.dropped == 3


def test_events_go_before_frames_and_are_bounded():
    client = Client()
    client.subscribed(1)
    client.frame(1, b"f")
    for i in range(EVENTS_WAITING + 3):
        client.event(str(i))
    assert client.take() == "3"
    client.subscribed(1)
    rest = []
    while (item := client.take()) is not None:
        rest.append(item)
    assert rest[-1] == str(EVENTS_WAITING + 2)
    assert b"f" not in rest
