"""The background keeps to its budget: no turn begins more than it may, and it rests in proportion to what it took."""

import asyncio
import os
import threading
import time

import numpy as np
import pytest

from gemel.history import Compacted, Terms
from gemel.history.rollups import RolledUp
from gemel.operate.tidy import EAGER, IDLE_S, NICE, SHARE, TURN_S, Keep, Tidy

KEEP = Keep(Terms(np.zeros(1, np.int64), np.array(["default"])), {"default": 1.0}, {})


class Store:
    """A history that has work left, or has none; it notes what it was allowed."""

    def __init__(self, *, behind):
        self.behind, self.budgets, self.patrols, self.nice = behind, [], 0, None

    def compact(self, budget_s):
        self.budgets.append(budget_s)
        self.nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        time.sleep(0.05)
        return Compacted(0, 0, 0, behind=self.behind)

    def roll_up(self, now, budget_s, terms):
        self.budgets.append(budget_s)
        return RolledUp(0, 0, behind=self.behind)

    def retain(self, now, classes, rollups):
        return 0

    def patrol(self):
        self.patrols += 1


def turn(store, share):
    began = time.monotonic()
    rest = asyncio.run(Tidy(store).turn(0, KEEP, share))
    return time.monotonic() - began, rest


@pytest.mark.parametrize("share", [SHARE, EAGER])
def test_while_something_is_left_it_takes_no_more_than_its_share_of_a_core(share):
    store = Store(behind=True)
    took, rest = turn(store, share)
    assert store.budgets == [TURN_S, TURN_S] and store.patrols == 0
    assert 0 < rest <= took * (1 / share - 1)
    assert rest >= 0.05 * (1 / share - 1), "it worked for 50 ms at least, and rests for it"


def test_with_nothing_left_it_rests_long_and_looks_at_one_file():
    store = Store(behind=False)
    assert turn(store, EAGER)[1] == IDLE_S
    assert store.patrols == 1


def test_every_other_thread_goes_first():
    store = Store(behind=False)
    turn(store, SHARE)
    assert store.nice >= NICE
