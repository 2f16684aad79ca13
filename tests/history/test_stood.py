"""What stood at a time is found in the lake and in the tail together, also far back and after corrections."""

import numpy as np
from gemel.history import Reader, Store
from gemel.samples import Batch
from history_kit import DAY, SECOND, START

BAD = 0x80000000


def row(signal, time, value, status=0, received=None):
    return Batch.of(signal=[signal], time=[time], received=[time if received is None else received], value=[value], status=[status])


def told(batch):
    return list(zip(batch.signal.tolist(), batch.time.tolist(), batch.value.tolist(), batch.status.tolist(), strict=True))


def test_the_usable_reading_is_found_however_far_back_it_lies(tmp_path):
    with Store.open(tmp_path / "lake") as store:
        epoch = store.take_over(0)
        classes = np.array(["default"] * 2)
        bad = Batch.concat(row(0, START + 90 * DAY + i * SECOND, 9.0, BAD) for i in range(3))
        store.commit(0, epoch, 1, Batch.concat([row(0, START, 1.0), row(1, START + 89 * DAY, 2.0), bad]), classes)
        tail = row(0, START + 90 * DAY + 9 * SECOND, 8.0, BAD)
        with Reader(tmp_path / "lake") as reader:
            stood = reader.stood([0, 1, 7], START + 91 * DAY, tail=tail)
            assert (0, START, 1.0, 0) in told(stood)
            ends = {line[0]: line for line in told(stood)}  # the last word on each
            assert ends == {0: (0, START + 90 * DAY + 9 * SECOND, 8.0, BAD), 1: (1, START + 89 * DAY, 2.0, 0)}
            assert reader.stood([0], START - 1).signal.tolist() == []


def test_what_is_taken_back_is_not_usable_and_the_one_before_counts(tmp_path):
    with Store.open(tmp_path / "lake") as store:
        epoch = store.take_over(0)
        rows = [row(0, START + i * SECOND, float(i)) for i in range(5)]
        again = [row(0, START + i * SECOND, float(i), BAD, received=START + 60 * SECOND) for i in (3, 4)]
        store.commit(0, epoch, 1, Batch.concat(rows + again), np.array(["default"]))
        with Reader(tmp_path / "lake") as reader:
            late = reader.stood([0], START + 60 * SECOND)
            assert told(late)[0] == (0, START + 2 * SECOND, 2.0, 0)
            assert told(late)[-1] == (0, START + 4 * SECOND, 4.0, BAD)
            then = reader.stood([0], START + 60 * SECOND, known=START + 59 * SECOND)
            assert told(then)[-1] == (0, START + 4 * SECOND, 4.0, 0)
