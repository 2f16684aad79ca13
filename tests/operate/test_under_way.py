"""What does not come back is told from what takes long because the machine is busy, was halted, or waits for another."""

import pytest

from gemel.operate import under_way
from gemel.operate.under_way import Patience, UnderWay


class Machine:
    """Seconds that pass, and how much of them the process had of the processor."""

    def __init__(self):
        self.now = self.used = 0.0

    def pass_(self, seconds, share):
        self.now, self.used = self.now + seconds, self.used + share * seconds


def looks(share, seconds, *, waits=False, every=1.0, limit=1.0):
    """Look each second at one that goes on and on; give when it is said to hang."""
    machine, under = Machine(), UnderWay()
    patience = Patience(under, limit, lambda: machine.now, lambda: machine.used)
    with under.of("type Pump"):
        while machine.now < seconds:
            if patience.look(waits=waits):
                return machine.now
            machine.pass_(every, share)
    return None


@pytest.mark.parametrize(
    ("share", "told"),
    [(1.0, under_way.HANGS_S), (0.6, under_way.HANGS_S), (0.25, 2 * under_way.HANGS_S), (0.0, under_way.AT_ALL * under_way.HANGS_S)],
)
def test_the_busier_the_machine_the_longer_it_may_take_up_to_a_limit(share, told):
    assert looks(share, 10 * under_way.HANGS_S) == pytest.approx(told, abs=3.0)


def test_what_waits_for_another_does_not_hang_and_a_share_makes_the_limit_longer():
    assert looks(1.0, 10 * under_way.HANGS_S, waits=True) is None
    assert looks(1.0, 10 * under_way.HANGS_S, limit=2.5) == pytest.approx(2.5 * under_way.HANGS_S, abs=3.0)


def test_a_process_that_was_halted_is_not_said_to_hang():
    assert looks(0.0, 40 * under_way.PAUSE_S * under_way.HANGS_S, every=10 * under_way.HANGS_S) is None


def test_one_step_after_another_never_hangs_and_who_failed_is_remembered():
    machine, under = Machine(), UnderWay()
    patience = Patience(under, 1.0, lambda: machine.now, lambda: machine.used)
    for _ in range(3):
        with under.of("type Pump"):
            assert not patience.look()
            machine.pass_(0.9 * under_way.HANGS_S, 1.0)
            assert not patience.look()
    assert under.what is None and under.failed is None
    with pytest.raises(ZeroDivisionError), under.of("type Tank"):
        raise ZeroDivisionError
    assert under.failed == "type Tank"


def test_until_it_comes_on_for_the_first_time_it_may_be_compiling():
    machine, under = Machine(), UnderWay()
    patience, hung = Patience(under, 1.0, lambda: machine.now, lambda: machine.used, first=5.0), []
    for comes_on in (True, False):
        begun = machine.now
        with under.of("type Pump"):
            while not patience.look():
                machine.pass_(1.0, 1.0)
            hung.append(machine.now - begun)
            if comes_on:
                under.on()
    assert hung == pytest.approx([5 * under_way.HANGS_S, under_way.HANGS_S], abs=3.0)
