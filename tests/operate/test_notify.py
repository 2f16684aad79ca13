"""Notices reach a real mail server and a real web server, in order, at least once, through failures and restarts."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hook_kit import web_hook

from gemel.assets import Notice
from gemel.operate.notify import Notifier
from gemel.samples import Fact

DAY = 86_400 * 10**9


@pytest.fixture
def hook():
    with web_hook() as server:
        yield server


class Post:
    """Keeps the mails it is given; the log-in is ada's."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture
def post():
    kept = Post()

    def let_in(server, session, envelope, mechanism, login):
        return AuthResult(success=(login.login, login.password) == (b"ada", b"word"))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port, authenticator=let_in, auth_require_tls=False)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


class Source:
    """A twin with a record that grows."""

    def __init__(self, *notices):
        self.plant = SimpleNamespace(root="acme/river", notices={n.name: n for n in notices})
        self.record = []
        self.age_s = 0.0

    def link(self):
        return {"up": self.age_s < 2, "age_s": self.age_s}

    async def facts(self, after, limit, kind, subject):
        return [f for f in self.record if f.seq > after][:limit]

    def happen(self, kind="AlarmRaised", asset="area-1/pump-1", priority=2, recorded=None):
        n = len(self.record) + 1
        body = {"alarm": f"acme/river/{asset}/flow#high", "level": "high", "priority": priority}
        self.record.append(
            Fact(seq=n, id=f"f{n}", kind=kind, at=n * 10**9, recorded=recorded or time.time_ns(), actor="gemel",
                 subject=f"acme/river/{asset}/flow", body=body, reason="9 m3/h is above 5")
        )  # fmt: skip


def notifier(source, tmp_path):
    return Notifier(source, tmp_path, {"hook-key": "sesame", "mail": "word"}.__getitem__)


def looks(notifier, times=1, patient=False):
    async def body():
        for _ in range(times):
            await notifier.look()
            if patient:
                for target in notifier._targets.values():
                    target.next_try = 0.0

    asyncio.run(body())


def sent(hook):
    return [[item["id"] for item in json.loads(body)["items"]] for _, body in hook.got]


def test_a_webhook_gets_what_happened_signed(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url, key="hook-key"))
    told = notifier(source, tmp_path)
    looks(told)
    source.happen()
    looks(told)
    [(headers, body)] = hook.got
    assert headers["X-Gemel-Signature"] == "sha256=" + hmac.new(b"sesame", body, hashlib.sha256).hexdigest()
    item = json.loads(body)["items"][0]
    assert (item["kind"], item["subject"], item["at"]) == ("AlarmRaised", "acme/river/area-1/pump-1/flow", "1970-01-01T00:00:01.000000000Z")
    assert told.measures()["notices_total"] == {"shift": 1.0}


def test_a_mail_is_sent_with_a_log_in(post, tmp_path):
    source = Source(Notice("office", email=("a@plant.example", "b@plant.example"), smtp=post.url, sender="gemel@plant.example", user="ada", password="mail"))
    told = notifier(source, tmp_path)
    looks(told)
    source.happen()
    source.happen()
    looks(told)
    [(to, mail)] = post.mails
    assert to == ["a@plant.example", "b@plant.example"]
    assert mail["Subject"] == "[acme/river] AlarmRaised acme/river/area-1/pump-1/flow high: 9 m3/h is above 5 and 1 more"
    assert len(mail.get_content().splitlines()) == 2


def test_only_what_is_asked_for_is_told(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url, priority=1, assets=("area-1/*",), facts=("AlarmRaised",)))
    told = notifier(source, tmp_path)
    looks(told)
    source.happen(priority=1)
    source.happen(priority=2)
    source.happen(kind="AlarmCleared", priority=1)
    source.happen(asset="area-2/pump-9", priority=1)
    looks(told)
    assert sent(hook) == [["f1"]]


def test_what_happened_before_the_first_start_is_not_told(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url))
    source.happen()
    looks(notifier(source, tmp_path), 2)
    assert hook.got == []


@pytest.mark.parametrize("refusal", [500, 302])
def test_what_is_refused_is_sent_again_in_order(hook, tmp_path, refusal):
    source = Source(Notice("shift", webhook=hook.url))
    told = notifier(source, tmp_path)
    looks(told)
    hook.answers = [refusal, refusal]
    source.happen()
    looks(told, patient=True)
    assert "did not take" in told.problems()[0]["message"]
    source.happen()
    looks(told, 2, patient=True)
    assert sent(hook) == [["f1"], ["f1", "f2"], ["f1", "f2"]]
    assert told.problems() == []


def test_a_failure_is_not_tried_again_at_once(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url))
    told = notifier(source, tmp_path)
    looks(told)
    hook.answers = [500]
    source.happen()
    looks(told, 5)
    assert len(hook.got) == 1


def test_a_restart_goes_on_where_it_stood(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url))
    first = notifier(source, tmp_path)
    looks(first)
    source.happen()
    looks(first)
    source.happen()  # while nothing runs
    looks(notifier(source, tmp_path))
    assert sent(hook) == [["f1"], ["f2"]]


def test_a_flood_is_few_messages(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url))
    told = notifier(source, tmp_path)
    looks(told)
    for _ in range(120):
        source.happen()
    looks(told, 4)
    assert [len(ids) for ids in sent(hook)] == [50, 50, 20]


def test_what_is_older_than_a_day_is_left_out_and_counted(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url))
    told = notifier(source, tmp_path)
    looks(told)
    source.happen(recorded=time.time_ns() - 2 * DAY)
    source.happen()
    looks(told)
    assert sent(hook) == [["f2"]]
    assert told.measures()["notices_left_out_total"] == {"shift": 1.0}


def test_one_target_that_is_away_does_not_hold_up_another(hook, tmp_path):
    source = Source(Notice("dead", webhook="http://127.0.0.1:9/none"), Notice("shift", webhook=hook.url))
    told = notifier(source, tmp_path)
    looks(told)
    source.happen()
    looks(told, 2)
    assert sent(hook) == [["f1"]]
    assert [p["code"] for p in told.problems()] == ["notice-refused"]


def test_a_twin_that_is_not_heard_is_told_once_and_that_it_is_back(hook, tmp_path):
    source = Source(Notice("shift", webhook=hook.url))
    told = notifier(source, tmp_path)
    looks(told)
    source.age_s = 20.0
    looks(told)
    assert hook.got == []  # it may only be starting
    told._began -= 20.0
    looks(told, 3)
    source.age_s = 0.0
    looks(told, 2)
    assert [json.loads(body)["items"][0]["kind"] for _, body in hook.got] == ["TwinAway", "TwinBack"]
