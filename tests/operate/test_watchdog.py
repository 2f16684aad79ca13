"""The twin's own alarms: raised when it falls behind, acknowledged like any other, taken over at a restart."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from fold_kit import Recording, frame, messages, owner

from gemel.errors import ConflictError
from gemel.operate.answers import Answers
from gemel.operate.watchdog import Watchdog, memory_free
from gemel.samples import Fact

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Kept(Recording):
    """A record whose facts can be read again."""

    verdict = None

    def between(self, after, upto):
        return [self.as_fact(n, d) for n, d in enumerate(self.facts, 1) if after < n <= upto]

    @staticmethod
    def as_fact(n, d):
        return Fact(seq=n, recorded=0, **{name: getattr(d, name) for name in ("id", "kind", "at", "actor", "subject", "body", "reason", "cause")})

    async def append(self, draft):
        self.facts.append(draft)
        self.position = len(self.facts)
        return self.as_fact(self.position, draft)


@pytest.fixture
def record():
    return Kept()


@pytest.fixture
def dog(tmp_path, record):
    return Watchdog("acme/river", owner(tmp_path, record), record)


def drafts(dog):
    return [(d.kind, d.body["alarm"].removeprefix("acme/river/gemel/")) for d in dog._owner._outbox.waiting]


def look(dog, second, **values):
    dog.look(values, START + second * SECOND)


def test_it_raises_an_alarm_after_it_has_been_behind_for_ten_seconds_and_clears_it(dog):
    look(dog, 0, behind=0.1)
    look(dog, 1, behind=9.0)
    look(dog, 10, behind=9.0)
    assert drafts(dog) == []
    look(dog, 11, behind=9.0)
    assert drafts(dog) == [("AlarmRaised", "behind#high")]
    look(dog, 12, behind=4.0)  # within the dead band
    assert len(drafts(dog)) == 1
    look(dog, 13, behind=2.0)
    assert drafts(dog)[1:] == [("AlarmCleared", "behind#high")]


def test_a_log_that_fills_raises_the_second_level_too(dog):
    look(dog, 0, log_filled=91.0)
    assert drafts(dog) == [("AlarmRaised", "log_filled#high"), ("AlarmRaised", "log_filled#high_high")]


def test_what_was_not_measured_says_nothing(dog):
    look(dog, 0, memory_free=1.0)
    look(dog, 40)  # ticks alone let the delay pass
    assert {name for _, name in drafts(dog)} == {"memory_free#low", "memory_free#low_low"}


def test_a_connection_that_is_down_for_a_minute_is_an_alarm(dog):
    for second in (0, 61):
        asyncio.run(dog.hear(json.dumps({"process": "ingest", "measures": {"connection_up": {"field": 0, "lab": 1}}}).encode()))
        dog.look(dog.measured(), START + second * SECOND)
    assert ("AlarmRaised", "connections_down#high") in drafts(dog)


def test_restarts_are_counted_from_what_the_supervisor_tells(dog):
    for count in (4, 4, 5, 7):  # four of another time do not count
        asyncio.run(dog.hear(json.dumps({"process": "family", "processes": {"twin": {"restarts": count}}}).encode()))
    assert dog.measured()["restarts"] == 3


def test_room_is_told_against_the_reserve(dog):
    asyncio.run(dog.hear(json.dumps({"process": "ingest", "measures": {"disk_free_bytes": 15, "disk_reserve_bytes": 10}}).encode()))
    assert dog.measured()["disk_margin"] == 50


def test_an_own_alarm_is_listed_and_acknowledged_like_any_other(dog, record):
    gate = SimpleNamespace(**dict.fromkeys(("request", "get", "list", "approve", "reject", "cancel", "versions")))
    answers = Answers(dog._owner, record, gate, SimpleNamespace(now=lambda: START), dog)
    look(dog, 0, commit_age=70.0)

    async def body():
        [listed] = json.loads(await answers.answer({"do": "alarms"}))
        assert (listed["id"], listed["state"], listed["value"]) == ("acme/river/gemel/commit_age#high", "unacknowledged", 70.0)
        await answers.answer({"do": "acknowledge", "alarm": listed["id"], "user": "ada", "comment": "seen"})
        dog.alarms.on_fact(record.between(0, 9)[-1])
        [listed] = json.loads(await answers.answer({"do": "alarms"}))
        assert (listed["state"], listed["acknowledged_by"]) == ("acknowledged", "ada")
        with pytest.raises(ConflictError):
            await answers.answer({"do": "acknowledge", "alarm": listed["id"], "user": "bob", "comment": ""})

    asyncio.run(body())


def test_a_restart_takes_over_what_stood(tmp_path, dog, record):
    look(dog, 0, commit_age=70.0)
    asyncio.run(dog._owner._outbox.flush())
    again = Watchdog("acme/river", owner(tmp_path, record), record)
    again.start()
    assert [a["id"] for a in again.alarms.view()] == ["acme/river/gemel/commit_age#high"]
    look(again, 5, commit_age=70.0)
    assert drafts(again) == []  # it is the same alarm, not a second one


def test_the_fold_tells_what_it_measures(tmp_path, record):
    fold = owner(tmp_path, record, store=SimpleNamespace(holes=()))
    fold._digest(messages(frame(1)))
    told = Watchdog("a/b", fold, record).told()
    assert (told["fold_position"], told["tail_rows"], told["log_limit_bytes"]) == (1, 1, 1 << 20)
    assert told["readings_total"]["late"] == 0


def test_memory_is_read_as_the_kernel_tells_it(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\n")
    assert memory_free(tmp_path / "meminfo") == 25
    assert memory_free(tmp_path / "nothing") is None
