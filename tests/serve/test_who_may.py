"""Who may do what: looking is free on a loopback address, doing needs a person, and each write its token."""

import ssl
import time

import httpx
import pytest
from certificate_kit import self_signed
from gemel.errors import ConfigError, StorageError
from gemel.serve import ServeSettings, access, check
from serve_fake import PUMP

COMMAND = {"asset": PUMP, "command": "set_speed", "value": 1500, "reason": "more water"}


def log_in(client, user, password="correct horse"):
    return client.post("/session", json={"user": user, "password": password})


def test_on_loopback_anybody_looks_as_a_viewer(anybody):
    assert anybody.get("/session").json() == {"user": None, "role": "viewer", "csrf": None}
    assert anybody.get("/signals").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [("/commands", COMMAND), ("/commands/c1/approve", {}), ("/commands/c1/reject", {}), ("/commands/c1/cancel", {}),
     ("/alarms/acknowledge", {"ids": ["x"]}), (f"/alarms/{PUMP}%2Fflow%23high/acknowledge", {}),
     (f"/alarms/{PUMP}%2Fflow%23high/shelve", {"reason": "r", "seconds": 1}), ("/telemetry", [])],
)  # fmt: skip
def test_a_viewer_may_do_nothing(server, path, body):
    with server.client() as nobody, server.client("vera") as viewer:
        assert nobody.post(path, json=body).status_code == 403
        assert nobody.post(path, json=body).json()["code"] == "person-needed"
        assert viewer.post(path, json=body).status_code == 403
        assert viewer.post(path, json=body).json()["code"] == "role-too-low"


def test_a_log_in_gives_a_cookie_that_no_script_sees(server):
    with server.client() as client:
        got = log_in(client, "otto")
        assert got.json()["role"] == "operator"
        cookie = got.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "correct" not in cookie
        assert client.get("/session").json() == got.json()


def test_a_write_with_the_cookie_needs_the_token_too(server):
    with server.client() as client:
        token = log_in(client, "otto").json()["csrf"]
        assert client.post("/commands", json=COMMAND).json()["code"] == "csrf"
        assert client.post("/commands", json=COMMAND, headers={"X-CSRF-Token": "x"}).status_code == 403
        assert client.post("/commands", json=COMMAND, headers={"X-CSRF-Token": token}).status_code == 201


def test_logging_out_ends_the_session_on_the_server(server):
    with server.client() as client:
        token = log_in(client, "otto").json()["csrf"]
        cookies = dict(client.cookies)
        assert client.delete("/session", headers={"X-CSRF-Token": token}).status_code == 204
        again = httpx.get(f"{server.url}/api/v1/session", cookies=cookies, trust_env=False)
        assert again.json()["user"] is None


def test_log_ins_and_refused_ones_are_facts(server, twin):
    with server.client() as client:
        log_in(client, "otto")
        assert log_in(client, "otto", "wrong horse").status_code == 401
    assert [(f.kind, f.actor) for f in twin.record] == [("LoggedIn", "otto"), ("LogInRefused", "otto")]
    assert "horse" not in str(twin.record)


def test_a_log_in_while_the_twin_is_away_is_recorded_when_it_is_back(server, twin, monkeypatch):
    monkeypatch.setattr(access, "RETRY_S", 0.05)
    real = twin.note

    async def away(*_):
        raise StorageError("the twin does not answer")

    monkeypatch.setattr(twin, "note", away)
    with server.client() as client:
        assert log_in(client, "otto").status_code == 200
        assert twin.record == []
        monkeypatch.setattr(twin, "note", real)
        end = time.monotonic() + 5
        while not twin.record and time.monotonic() < end:
            client.get("/health")
    assert [f.kind for f in twin.record] == ["LoggedIn"]


def test_guessing_is_slowed_down(server):
    with server.client() as client:
        answers = [log_in(client, "otto", "wrong horse").status_code for _ in range(6)]
        assert answers == [401] * 5 + [429]
        throttled = log_in(client, "otto")
        assert throttled.status_code == 429
        assert int(throttled.headers["retry-after"]) >= 1


def test_scripts_use_basic_without_hashing_each_time(server, monkeypatch):
    from gemel.serve import users

    hashed = []
    real = users._scrypt
    monkeypatch.setattr(users, "_scrypt", lambda *a: hashed.append(1) or real(*a))
    with server.client("otto") as script:
        for _ in range(5):
            assert script.get("/session").json()["user"] == "otto"
    assert len(hashed) == 1


def test_a_script_with_a_wrong_password_is_told_how(server):
    with server.client("otto", "wrong horse") as script:
        got = script.get("/signals")
        assert got.status_code == 401
        assert got.headers["www-authenticate"].startswith("Basic")


def test_a_browser_is_not_asked_by_a_window_of_its_own(server):
    with server.client("otto", "wrong horse", headers={"Sec-Fetch-Mode": "cors"}) as browser:
        assert not browser.get("/signals").headers["www-authenticate"].startswith("Basic")


def test_a_command_is_approved_by_another_person_once(server):
    with server.client("otto") as otto, server.client("olga") as olga, server.client("emil") as emil:
        made = otto.post("/commands", json=COMMAND)
        assert made.status_code == 201
        assert made.json()["state"] == "awaiting_approval"
        assert made.headers["location"] == f"/api/v1/commands/{made.json()['id']}"
        approve = f"/commands/{made.json()['id']}/approve"
        assert otto.post(approve, json={}).status_code == 403
        assert olga.post(approve, json={}).status_code == 403
        done = emil.post(approve, json={"reason": "fine"})
        assert (done.json()["state"], done.json()["approved_by"]) == ("approved", "emil")
        assert [s["by"] for s in done.json()["steps"]] == ["otto", "emil"]
        again = emil.post(approve, json={})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert emil.get("/commands", params={"asset": PUMP}).json()["items"][0]["state"] == "approved"


def test_an_engineer_may_not_approve_their_own(engineer):
    made = engineer.post("/commands", json=COMMAND).json()
    assert engineer.post(f"/commands/{made['id']}/approve", json={}).status_code == 403


def test_a_refusal_of_the_gate_says_why(operator):
    got = operator.post("/commands", json={**COMMAND, "value": 9000})
    assert (got.status_code, got.json()["code"]) == (403, "out-of-limits")
    assert got.json()["remedy"] == "ask for less"


def test_alarms_are_acknowledged_with_a_comment_and_shelved_for_a_time(server, twin):
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    with server.client("otto") as otto:
        alarm = otto.get("/alarms").json()["items"][0]["id"]
        path = alarm.replace("/", "%2F").replace("#", "%23")
        assert otto.post(f"/alarms/{path}/acknowledge", json={"comment": "seen"}).json()["acknowledged"] == [alarm]
        listed = otto.get("/alarms").json()
        assert (listed["items"][0]["acknowledged_by"], listed["items"][0]["comment"]) == ("otto", "seen")
        assert listed["counts"]["acknowledged"] == 1
        assert otto.post(f"/alarms/{path}/acknowledge", json={}).status_code == 409
        both = otto.post("/alarms/acknowledge", json={"ids": [alarm, "none#high"]}).json()
        assert [r["code"] for r in both["refused"]] == ["conflict", "not-found"]
        assert otto.post(f"/alarms/{path}/shelve", json={"reason": " ", "seconds": 60}).status_code == 422
        assert otto.post(f"/alarms/{path}/shelve", json={"reason": "noisy", "seconds": 60}).status_code == 200
        assert otto.get("/alarms").json()["items"][0]["shelved_until"] == "2023-11-14T22:14:20.000000000Z"


def test_where_looking_is_not_free_nobody_looks_without_logging_in(serve):
    server = serve(loopback_viewer=False)
    with server.client() as nobody, server.client("vera") as viewer:
        for path in ("/signals", "/tree", "/history?signal=x", "/facts", "/alarms", "/metrics", "/quality", "/session"):
            assert nobody.get(path).status_code == 401, path
        health = nobody.get("/health").json()
        assert (health["status"], health["plant"], health["processes"]) == ("ok", "", {})
        assert viewer.get("/signals").status_code == 200
        assert viewer.get("/health").json()["plant"] == "acme/riverside"


def test_elsewhere_it_does_not_start_while_nobody_has_a_password(tmp_path):
    check(ServeSettings(data=tmp_path))
    with pytest.raises(ConfigError, match="no user") as refused:
        check(ServeSettings(data=tmp_path, host="0.0.0.0"))
    assert "gemel user add NAME --role engineer" in refused.value.remedy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_name_that_was_made_to_point_here_is_refused(server, host):
    with server.client() as client:
        got = client.get("/signals", headers={"Host": host})
        assert (got.status_code, got.json()["code"]) == (421, "wrong-host")


def test_a_write_from_another_sites_page_is_refused(server):
    with server.client("otto") as otto:
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "cross-site"}):
            got = otto.post("/commands", json=COMMAND, headers=headers)
            assert (got.status_code, got.json()["code"]) == (403, "wrong-origin"), headers
        assert otto.post("/commands", json=COMMAND, headers={"Origin": server.url}).status_code == 201


def test_a_large_body_is_refused_before_it_is_read(server):
    with server.client("otto") as otto:
        got = otto.post("/commands", content=b" " * (2 << 20), headers={"Content-Type": "application/json"})
        assert got.status_code == 413
        assert got.headers["content-type"] == "application/problem+json"
        assert got.json()["code"] == "content-too-large"


def test_a_large_body_that_does_not_say_its_size_is_refused_too(server):
    with server.client("otto") as otto:
        pieces = (b" " * 65_536 for _ in range(64))
        got = otto.post("/commands", content=pieces, headers={"Content-Type": "application/json"})
        assert (got.status_code, got.headers["content-type"]) == (413, "application/problem+json")


def test_over_tls_the_cookie_never_leaves_it(serve, tmp_path):
    certificate = self_signed(tmp_path)
    server = serve(tls_certificate=str(certificate[0]), tls_key=str(certificate[1]))
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    with httpx.Client(base_url=f"https://localhost:{server.port}/api/v1", verify=trusting, trust_env=False) as client:
        cookie = log_in(client, "otto").headers["set-cookie"]
        assert cookie.startswith("__Host-gemel")
        assert "Secure" in cookie
        assert client.get("/session").json()["user"] == "otto"
