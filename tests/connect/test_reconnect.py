"""Reconnecting is decided by a pure state machine: stimuli in, instructions out."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gemel.connect.reconnect import Backoff, Dial, HangUp, Line, Wait, step


def run(*events, random=None):
    line, said = Line(), []
    for event in events:
        line, instructions = step(line, event, random or Random(1))
        said.extend(instructions)
    return line, said


def test_dials_and_stands():
    line, said = run("opened", "connected")
    assert line == Line("connected", 0, 1)
    assert said == [Dial()]


def test_waits_longer_with_every_failure_and_forgets_them_once_it_stands():
    line, said = run("opened", *["failed", "waited"] * 20)
    waits = [i.seconds for i in said if isinstance(i, Wait)]
    assert len(waits) == 20
    assert max(waits) <= Backoff().most
    assert max(waits[:2]) < 0.5 < max(waits[6:])
    line, _ = step(line, "connected", Random(1))
    assert line.failures == 0


def test_a_cut_line_is_dialled_again_and_counted():
    line, said = run("opened", "connected", "lost", "waited", "connected")
    assert line.connections == 2
    assert [type(i) for i in said] == [Dial, Wait, Dial]


def test_twins_do_not_dial_in_step():
    waits = {step(Line("connecting", 5), "failed", Random(seed))[1][0].seconds for seed in range(100)}
    assert len(waits) > 90


@given(st.lists(st.sampled_from(["opened", "connected", "failed", "lost", "waited"])), st.integers())
def test_closed_hangs_up_from_anywhere_and_stays_closed(events, seed):
    line, _ = run("opened", *events, random=Random(seed))
    line, said = step(line, "closed", Random(seed))
    assert said == (HangUp(),)
    for event in ("connected", "failed", "lost", "waited", "closed"):
        assert step(line, event, Random(seed)) == (line, ())


@given(st.lists(st.sampled_from(["opened", "connected", "failed", "lost", "waited", "closed"])), st.integers())
def test_never_dials_while_it_dials_or_stands(events, seed):
    """Two lines at once would fight for one session."""
    line, random = Line(), Random(seed)
    for event in events:
        before = line.state
        line, said = step(line, event, random)
        if Dial() in said:
            assert before in ("closed", "waiting")
            assert line.state == "connecting"
