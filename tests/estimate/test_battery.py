"""Cells that NASA aged to their end: the fade learned on B0005, the end of B0006 foretold from half, two thirds, four fifths.

Data: Saha, B., Goebel, K. (2007), Battery Data Set, NASA Ames Prognostics Data Repository.
"""

import csv
import io
import subprocess
import sys
import tarfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from gemel.estimate.cell_life import Discharges, learn_cell
from gemel.estimate.degradation import follow
from gemel.estimate.life import project

DATA = Path(__file__).parents[3] / "shared/data/nasa_battery"
EXAMPLE = Path(__file__).parents[2] / "examples/cells"
END_AH = 1.4
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the NASA battery data are not here")


def discharges(cell):
    """Capacity [Ah] of each discharge and hours since the one before."""
    with tarfile.open(DATA / f"{cell}_discharge.tar.gz") as tar:
        text = io.TextIOWrapper(tar.extractfile(tar.getmembers()[0]), "utf-8")
        first = {}
        for row in csv.DictReader(text):
            first.setdefault(int(row["cycle_num"]), (row["cycle_time_start"], float(row["Capacity"])))
    times = [datetime.fromisoformat(t) for t, _ in first.values()]
    hours = [0.0, *((b - a).total_seconds() / 3600 for a, b in zip(times, times[1:], strict=False))]
    return np.array([c for _, c in first.values()]), np.array(hours)


def test_the_example_foretells_what_its_page_says():
    """By the command that the page tells, in a process of its own."""
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    cells = [DATA / f"{cell}_discharge.tar.gz" for cell in ("B0005", "B0006")]
    ran = subprocess.run([sys.executable, EXAMPLE / "foretell.py", *cells, "--end", "1.4", "50", "70", "90"], capture_output=True, text=True, encoding="utf-8")
    assert (ran.returncode, ran.stdout) == (0, page), ran.stderr


def exponential(capacity, start, members=400):
    """What the usual fit a exp(b n) foretells: median and 90 % interval by residual bootstrap."""
    from scipy.optimize import curve_fit

    n, rng, ends = np.arange(1, start + 1), np.random.default_rng(0), []
    curve = lambda n, a, b: a * np.exp(b * n)  # noqa: E731
    best, _ = curve_fit(curve, n, capacity[:start], [2.0, -0.003])
    left = capacity[:start] - curve(n, *best)
    for _ in range(members):
        (a, b), _ = curve_fit(curve, n, curve(n, *best) + rng.choice(left, start), best)
        ends.append(np.log(END_AH / a) / b)
    return np.log(END_AH / best[0]) / best[1], np.quantile(ends, [0.05, 0.95])


def test_the_end_of_a_cell_is_foretold_by_what_another_taught():
    reference, other = discharges("B0005"), discharges("B0006")
    ends = [int(np.argmax(capacity < END_AH)) + 1 for capacity, _ in (reference, other)]
    assert ends == [125, 109]  # as the data's own note says
    kind = learn_cell(reference[0][: ends[0]], reference[1][: ends[0]])
    errors, plain, inside, inside_plain = {}, {}, [], []
    for start in range(40, 106, 5):
        followed = follow(kind.law, kind.record(*other).first(start))
        found = project(followed, Discharges(kind, other[1][1:start]), END_AH, np.random.default_rng(1))
        low, high = found.interval(0.9)
        errors[start] = start + found.median - ends[1]
        inside.append(start + low <= ends[1] <= start + high)
        usual, (below, above) = exponential(other[0], start)
        plain[start] = usual - ends[1]
        inside_plain.append(below <= ends[1] <= above)
        print(f"{start:3d}: {errors[start]:+5.0f} [{start + low:.0f}, {start + high:.0f}]   exponential {plain[start]:+6.1f} [{below:.0f}, {above:.0f}]")
    asked = (50, 70, 90)
    assert np.mean([abs(errors[s]) for s in asked]) <= np.mean([abs(plain[s]) for s in asked])
    assert max(abs(errors[s]) for s in asked) <= 20
    assert np.mean(inside) >= 0.85
    assert np.mean(inside) > np.mean(inside_plain)
