"""A log's server that has much to do is let work; one that is stuck is started again."""

import os
from pathlib import Path

import pytest

from gemel.operate.stuck import MUTE_S, SLOW_S, SPACING_S, Silence


class Now:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def block(tmp_path: Path) -> Path:
    block = tmp_path / "jetstream/$G/streams/SAMPLES_0/msgs/1.blk"
    block.parent.mkdir(parents=True)
    block.touch()
    return block


@pytest.fixture
def silence(tmp_path: Path, block: Path, now: Now) -> Silence:
    return Silence(tmp_path, now)


def muted(silence: Silence, now: Now, seconds: float, written: Path | None = None) -> list[float]:
    """Let a process wait for its appends, the server writing to a block or not; give when it was taken for stuck."""
    found, since = [], now.s
    while now.s - since < seconds:
        now.s += 0.5
        if written:
            os.utime(written, ns=(0, int(now.s * 1e9)))
        silence.told("twin", now.s - since)
        if silence.stuck():
            found.append(now.s - since)
    return found


def test_a_server_that_answers_no_append_and_writes_nothing_is_stuck(silence: Silence, now: Now) -> None:
    assert muted(silence, now, 10)[0] == pytest.approx(MUTE_S, abs=1)


def test_a_server_that_still_writes_is_let_work(silence: Silence, now: Now, block: Path) -> None:
    assert not muted(silence, now, SLOW_S - 1, block)


def test_a_stream_that_stays_unanswered_while_another_is_written_is_stuck_in_the_end(
    silence: Silence, now: Now, block: Path
) -> None:
    assert muted(silence, now, SLOW_S + 5, block)[0] == pytest.approx(SLOW_S, abs=1)


def test_one_that_ceases_to_write_is_stuck_from_then_on(silence: Silence, now: Now, block: Path) -> None:
    assert not muted(silence, now, 10, block)
    since = now.s
    while not silence.stuck():
        now.s += 0.5
        silence.told("twin", 10 + now.s - since)
    assert now.s - since == pytest.approx(MUTE_S, abs=1)


def test_who_is_answered_again_has_nothing_against_it(silence: Silence, now: Now) -> None:
    assert muted(silence, now, 10)
    silence.told("twin", 0.0)
    assert not silence.stuck()


def test_it_is_not_started_again_all_the_time(silence: Silence, now: Now) -> None:
    silence.started()
    assert muted(silence, now, 60)[0] == pytest.approx(SPACING_S, abs=1)


def test_without_room_it_is_left_as_it_is(silence: Silence, now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gemel.operate.stuck.ROOM", 1 << 62)
    assert not muted(silence, now, 60)
