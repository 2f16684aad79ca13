"""When will a cell have failed, said from the middle of its life by what another cell of its kind taught?

    python examples/cells/foretell.py B0005_discharge.tar.gz B0006_discharge.tar.gz --end 1.4 50 70 90

A file has a row for each sample of a discharge, with the columns cycle_num, cycle_time_start and Capacity [Ah] (CSV, also
as the one file of a .tar.gz); a row for each discharge is enough.
"""

import argparse
import csv
import io
import tarfile
from datetime import datetime
from pathlib import Path

import numpy as np

from gemel.estimate.cell_life import Discharges, learn_cell
from gemel.estimate.degradation import follow
from gemel.estimate.life import project


def discharges(file):
    """Give the capacity [Ah] of each discharge, and the hours since the one before."""
    opened = tarfile.open(file) if file.name.endswith(".tar.gz") else None
    text = io.TextIOWrapper(opened.extractfile(opened.getmembers()[0]), "utf-8") if opened else file.open(encoding="utf-8")
    with text:
        rows = {int(row["cycle_num"]): row for row in csv.DictReader(text)}
    times = [datetime.fromisoformat(row["cycle_time_start"]) for row in rows.values()]
    hours = [0.0, *((b - a).total_seconds() / 3600 for a, b in zip(times, times[1:], strict=False))]
    return np.array([float(row["Capacity"]) for row in rows.values()]), np.array(hours)


def ended(capacity, end):
    """Give the number of the first discharge below the end, from 1; None where there is none."""
    return int(np.argmax(capacity < end)) + 1 if (capacity < end).any() else None


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("taught", type=Path, help="cell that lived to its end")
    asked.add_argument("cell", type=Path, help="cell that is asked about")
    asked.add_argument("since", type=int, nargs="+", help="discharges up to which it is known")
    asked.add_argument("--end", type=float, default=1.4, help="capacity at which a cell has failed [Ah]")
    given = asked.parse_args()
    capacity, hours = discharges(given.taught)
    if (last := ended(capacity, given.end)) is None:
        asked.error(f"{given.taught} never comes below {given.end:g} Ah: it teaches no end")
    kind = learn_cell(capacity[:last], hours[:last])
    other = discharges(given.cell)
    true = ended(other[0], given.end)
    for since in given.since:
        followed = follow(kind.law, kind.record(*other).first(since))
        found = project(followed, Discharges(kind, other[1][1:since]), given.end, np.random.default_rng(1))
        low, high = found.interval(0.9)
        came = "" if true is None else f", came at {true}"
        print(f"known to discharge {since}: end at discharge {since + found.median:.0f}, 90 % [{since + low:.0f} … {since + high:.0f}]{came}")


if __name__ == "__main__":
    main()
