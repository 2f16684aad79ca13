"""What a limit of time means on the machine that runs the tests."""

import os
import time

QUIET_S = 0.04  # what `_work` takes where the limits were set: two cores, nothing else running


def allowed(limit):
    """Give a limit of time as this machine can be held to it.

    The checks' numbers hold for a machine that has two cores to itself. Where more wants to run than there are cores
    (other tests, other builds), or the cores are slower, everything takes longer by that much, what is tested or not.
    """
    return limit * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1), _work() / QUIET_S)


def _work():
    began = time.perf_counter()
    for _ in range(15):
        sum(i * i for i in range(100_000))
    return time.perf_counter() - began
