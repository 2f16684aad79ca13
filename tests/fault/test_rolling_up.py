"""A twin killed while it rolls up or merges: roll-ups stay what the readings say, before they are made again and after."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import rolling_child
import rollup_model
from rollup_model import HOUR, SECOND, START, Model

from gemel.samples import Batch

CHILD = Path(rolling_child.__file__)
PATHS = os.pathsep.join([str(CHILD.parent), str(Path(rollup_model.__file__).parent), os.environ.get("PYTHONPATH", "")])


def killed_within(path, commits, seconds):
    """Run a writer and kill it so long after some commits; give the last one that it told of."""
    child = subprocess.Popen([sys.executable, CHILD, path], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PATHS})
    told, killer = 0, threading.Timer(seconds, child.kill)
    for count, line in enumerate(child.stdout):  # "open" is the first
        if count:
            told = int(line)
        if count == commits:
            killer.start()
    killer.join()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    return told


def agrees(model):
    """Every signal, out of roll-ups wherever there are some, is what its readings say."""
    for number in range(3):
        model.check_aggregates(number, START, START + 31 * HOUR, HOUR)
        model.check_aggregates(number, START - HOUR, START + 32 * HOUR + 17 * SECOND, 24 * HOUR)


def test_a_writer_killed_while_it_rolls_up_or_merges_leaves_roll_ups_that_are_the_readings(tmp_path):
    chance = random.Random(1)
    last = 0
    for _ in range(3):
        told = killed_within(tmp_path, 2, chance.uniform(0.0, 1.2))
        model = Model(tmp_path)
        try:
            now = model.store.progress()[0].sequence
            assert now >= last and now in (told, told + 1) or not told
            last = model.sequence = now
            model.all = Batch.concat([rolling_child.numbered(k) for k in range(1, now + 1)])
            assert model.reader.rows_count() == len(model.all)
            agrees(model)
            model.roll(rolling_child.HOURS + 1)
            agrees(model)
        finally:
            model.close()
    assert last > 3, "there was work to interrupt"
