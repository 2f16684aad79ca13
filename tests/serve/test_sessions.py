"""Sessions outlive a restart, and end with their time, their password or their person."""

import stat

import pytest
from gemel.serve.problems import ThrottledError
from gemel.serve.sessions import LIFE_S, MOST_OF_ONE, Sessions
from gemel.serve.throttle import FREE_TRIES, FREE_TRIES_OF_ADDRESS, Throttle
from gemel.serve.users import Users


class Clock:
    def __init__(self, now=1e10):  # far beyond any password's date
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def users(tmp_path):
    users = Users(tmp_path / "users.json")
    users.add("anna", "operator", "correct horse")
    return users


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(tmp_path, users, clock):
    return Sessions(tmp_path / "sessions.json", users, clock)


def test_a_session_is_found_by_its_token_only(sessions, users):
    token, session = sessions.open(users.get("anna"))
    assert sessions.find(token) == (users.get("anna"), session)
    assert sessions.find(token + "x") is None
    assert sessions.find("") is None


def test_the_file_holds_no_token_and_is_its_owners(sessions, users, tmp_path):
    token, _ = sessions.open(users.get("anna"))
    file = tmp_path / "sessions.json"
    assert token.encode() not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_restart_logs_nobody_out(sessions, users, clock, tmp_path):
    token, _ = sessions.open(users.get("anna"))
    assert Sessions(tmp_path / "sessions.json", users, clock).find(token)


def test_a_session_ends_after_a_shift(sessions, users, clock):
    token, _ = sessions.open(users.get("anna"))
    clock.now += LIFE_S - 1
    assert sessions.find(token)
    clock.now += 2
    assert sessions.find(token) is None


def test_a_closed_session_is_gone(sessions, users, clock, tmp_path):
    token, _ = sessions.open(users.get("anna"))
    sessions.close(token)
    assert sessions.find(token) is None
    assert Sessions(tmp_path / "sessions.json", users, clock).find(token) is None


def test_a_session_ends_with_its_person_and_with_a_new_password(users, tmp_path):
    sessions = Sessions(tmp_path / "sessions.json", users)
    token, _ = sessions.open(users.get("anna"))
    assert sessions.find(token)
    users.add("anna", "operator", "another horse")
    assert sessions.find(token) is None
    token, _ = sessions.open(users.get("anna"))
    users.remove("anna")
    assert sessions.find(token) is None


def test_one_person_cannot_fill_the_file(sessions, users):
    tokens = [sessions.open(users.get("anna"))[0] for _ in range(MOST_OF_ONE + 5)]
    assert [bool(sessions.find(t)) for t in tokens] == [False] * 5 + [True] * MOST_OF_ONE


def test_a_torn_file_logs_people_out_and_nothing_worse(sessions, users, tmp_path):
    token, _ = sessions.open(users.get("anna"))
    (tmp_path / "sessions.json").write_text("{")
    assert Sessions(tmp_path / "sessions.json", users).find(token) is None


def wait_of(throttle, name="anna", address="10.0.0.1"):
    try:
        throttle.check(name, address)
    except ThrottledError as e:
        return e.context["retry_after_s"]
    return 0


def test_guessing_waits_twice_as_long_each_time():
    clock = Clock(0.0)
    throttle = Throttle(clock)
    for _ in range(FREE_TRIES - 1):
        throttle.wrong("anna", "10.0.0.1")
    assert wait_of(throttle) == 0
    waits = []
    for _ in range(4):
        throttle.wrong("anna", "10.0.0.1")
        waits.append(wait_of(throttle))
        clock.now += waits[-1]
        assert wait_of(throttle) == 0
    assert waits == [2, 3, 5, 9]  # 1, 2, 4, 8 s, and one to be sure


def test_who_guesses_from_elsewhere_locks_nobody_out():
    throttle = Throttle(Clock(0.0))
    for _ in range(FREE_TRIES):
        throttle.wrong("anna", "10.0.0.66")
    assert wait_of(throttle, address="10.0.0.66")
    assert not wait_of(throttle, address="10.0.0.1")


def test_guessing_many_names_from_one_address_waits_too():
    throttle = Throttle(Clock(0.0))
    for i in range(FREE_TRIES_OF_ADDRESS):
        throttle.wrong(f"user{i}", "10.0.0.66")
    assert wait_of(throttle, name="anna", address="10.0.0.66")


def test_the_right_password_forgives():
    throttle = Throttle(Clock(0.0))
    for _ in range(FREE_TRIES):
        throttle.wrong("anna", "10.0.0.1")
    throttle.right("anna", "10.0.0.1")
    assert not wait_of(throttle)


def test_memory_is_bounded():
    throttle = Throttle(Clock(0.0))
    for i in range(12_000):
        throttle.wrong("anna", str(i))
    assert len(throttle._wrong) <= 10_000
