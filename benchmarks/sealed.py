"""What does it cost to seal the history? The same commits, roll-ups and questions, in the clear and sealed, in turns.

python benchmarks/sealed.py [--commits 6]        processor time, for other work on the machine moves the wall's
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gemel import sealing
from gemel.history import Reader, Store
from gemel.samples import Batch
from gemel.samples.clock import DAY, SECOND

SIGNALS = 10_000
EACH = 100  # readings of a signal in a commit
START = 19_000 * DAY


def batch(commit: int) -> Batch:
    """A commit of quantised walks, 1 s apart, as the history's own bench has them."""
    r = np.random.default_rng(commit)
    steps = r.integers(-8, 9, (SIGNALS, EACH)).cumsum(axis=1) + 2048
    time = START + (commit * EACH + np.tile(np.arange(EACH), SIGNALS)) * SECOND
    return Batch.of(
        signal=np.repeat(np.arange(SIGNALS), EACH), time=time, received=time + 5_000_000, value=steps.ravel() * 0.025,
        status=np.zeros(SIGNALS * EACH),
    )  # fmt: skip


def spent(work: Callable[[], object]) -> float:
    """Give the processor time of some work [s]."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Lay down and ask both, in turns."""
    commits = int(_arguments().commits)
    os.environ["GEMEL_SECRET_REST"] = "of the bench"
    with tempfile.TemporaryDirectory() as clear, tempfile.TemporaryDirectory() as hidden:
        sealing.seal(Path(hidden), "rest")
        folders = {"in the clear": Path(clear) / "lake", "sealed": Path(hidden) / "lake"}
        stores = {name: Store.open(folder) for name, folder in folders.items()}
        epochs = {name: store.take_over(0) for name, store in stores.items()}
        took: dict[str, dict[str, list[float]]] = {}

        def note(what: str, name: str, work: Callable[[], object]) -> None:
            took.setdefault(what, {}).setdefault(name, []).append(spent(work))

        for commit in range(commits):
            rows = batch(commit)
            for name, store in stores.items():
                note("a commit of 1M rows", name, lambda s=store, n=name, c=commit, b=rows: s.commit(0, epochs[n], c + 1, b))  # type: ignore[misc]
        for name, store in stores.items():
            note("merge them", name, lambda s=store: s.compact(600, grace_s=0))  # type: ignore[misc]
            note("roll them up", name, lambda s=store: s.roll_up(START + 2 * DAY, 600))  # type: ignore[misc]
        readers = {name: Reader(folder) for name, folder in folders.items()}
        for signal in range(0, SIGNALS, SIGNALS // 20):
            for name, reader in readers.items():
                end = START + commits * EACH * SECOND
                note("draw one signal", name, lambda r=reader, s=signal, e=end: r.decimated(s, START, e, 2000))  # type: ignore[misc]
                note("raw rows of one signal", name, lambda r=reader, s=signal, e=end: r.raw([s], START, e))  # type: ignore[misc]
        for name, reader in readers.items():
            note("all rows, by DuckDB", name, lambda r=reader: r.rows_count(None, START + 1, START + DAY))  # type: ignore[misc]
            size = sum(f.stat().st_size for f in folders[name].rglob("*.parquet"))
            print(f"{name:14} {size / 1e6:8.2f} MB")
            reader.close()
            stores[name].close()
        for what, by in took.items():
            plain, sealed = (statistics.median(by[n]) * 1000 for n in folders)
            print(f"{what:24} {plain:9.1f} ms {sealed:9.1f} ms   {100 * (sealed / plain - 1):+.0f} %")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", default=6, type=int, help="commits of a million rows")
    return parser.parse_args()


if __name__ == "__main__":
    main()
