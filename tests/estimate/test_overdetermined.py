"""The sets of equations that residuals are made of are the ones that trying every set finds, also where that would take years."""

import time
from itertools import combinations

import numpy as np

from gemel.estimate.overdetermined import minimal_sets

MOST = 64


def tried(holds):
    """Every set of equations, from the smallest up: those that hold fewer unknowns than they are, and no smaller such set."""
    found = []
    for size in range(1, holds.shape[1] + 2):
        for chosen in combinations(range(len(holds)), size):
            if not any(set(one) <= set(chosen) for one in found) and rank(holds[list(chosen)]) < size:
                found.append(chosen)
    return found


def rank(holds):
    """Most equations that can each be given an unknown of its own: the rank of numbers drawn at random where something stands."""
    return np.linalg.matrix_rank(holds * np.random.default_rng(1).uniform(1, 2, holds.shape))


def drawn(seed, unknowns, sensors, share):
    rng = np.random.default_rng(seed)
    holds = rng.random((unknowns + sensors, unknowns)) < share
    holds[:unknowns] |= np.eye(unknowns, dtype=bool)
    return holds


def test_they_are_those_that_trying_every_set_finds():
    for seed in range(60):
        unknowns, sensors = 1 + seed % 5, 1 + seed % 4
        holds = drawn(seed, unknowns, sensors, (0.15, 0.4, 0.8)[seed % 3])
        assert minimal_sets(holds, MOST) == tried(holds)[:MOST], seed


def test_a_chain_of_many_balances_with_few_sensors_is_done_in_no_time():
    holds = np.zeros((44, 40), bool)
    holds[:40] = np.eye(40, dtype=bool) | np.eye(40, k=-1, dtype=bool)
    for sensor, state in enumerate((0, 12, 25, 39)):
        holds[40 + sensor, state] = True
    begun = time.process_time()
    found = minimal_sets(holds, MOST)
    assert time.process_time() - begun < 5
    assert (0, 40) in found, "the sensor at the head of the chain, and its balance"
    assert [one for one in found if {40, 41} <= set(one)][0] == (*range(1, 13), 40, 41), "two sensors, and what lies between them"
