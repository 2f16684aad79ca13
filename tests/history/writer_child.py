"""A writer in a process of its own, to be killed: commits numbered batches, merges now and then, for ever."""

import sys

import numpy as np

from gemel.history import Store
from gemel.samples import Batch

ROWS = 600
SECOND = 1_000_000_000


def numbered(sequence):
    """The rows of a commit: told by its number alone."""
    time = np.int64(sequence) * ROWS * SECOND + np.repeat(np.arange(ROWS // 3), 3) * SECOND
    return Batch.of(
        signal=np.tile(np.arange(3), ROWS // 3), time=time, received=time + sequence, value=np.full(ROWS, float(sequence)),
        status=np.zeros(ROWS),
    )  # fmt: skip


def main(path, merge_every):
    with Store.open(path) as store:
        epoch = store.take_over(0)
        print("open", flush=True)
        sequence = store.progress()[0].sequence
        while True:
            sequence += 1
            store.commit(0, epoch, sequence, numbered(sequence))
            print(sequence, flush=True)
            if merge_every and sequence % merge_every == 0:
                store.compact(grace_s=0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
