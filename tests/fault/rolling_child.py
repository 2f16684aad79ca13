"""A writer in a process of its own, to be killed: commits what a seed tells, rolls it up, merges, for ever."""

import sys

from gemel.history import Store
from rollup_model import HOUR, SECOND, START, TERMS, readings

HOURS = 30


def numbered(sequence):
    """The rows of a commit: told by its number alone."""
    return readings(sequence, 300, (0, HOURS))


def main(path):
    with Store.open(path) as store:
        epoch = store.take_over(0)
        sequence = store.progress()[0].sequence
        print("open", flush=True)
        while True:
            sequence += 1
            store.commit(0, epoch, sequence, numbered(sequence), TERMS.retention)
            print(sequence, flush=True)
            store.roll_up(START + (HOURS + 1) * HOUR + 120 * SECOND, 1e9, TERMS)
            if sequence % 3 == 0:
                store.compact(grace_s=0)


if __name__ == "__main__":
    main(sys.argv[1])
