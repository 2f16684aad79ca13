"""`gemel bench whatif`: how many futures of a station a second, and how soon the first answer; beside SciPy, FMPy, ProgPy.

A station of two pumps with motors, bearings and pipes, and a tank: 20 states, 24 h at steps of 10 s, six figures and
the bands of four quantities. Half of the futures are the baseline's, half the scenario's, over the same draws; bands,
figures, differences and sensitivities are in the time.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from gemel.bench.ingest import machine
from gemel.operate.family import python

DAY_S: Final = 86_400.0
FIRST_MEMBERS: Final = 50
CLOSE: Final = 1e-3  # of a quantity's magnitude: how far the fast engine may be from JAX in float64


def measure(sizes: tuple[int, ...], told: Callable[[str], None]) -> dict[str, Any]:
    """Run the whole measurement; give what was measured, with the unit in each key.

    Args:
        sizes: futures in one answer, each measured warm.
        told: takes words on how far it is.
    """
    from gemel.bench.whatif_peers import fmpy, progpy, scipy
    from gemel.bench.whatif_year import year

    told("the first answer of a fresh process")
    found: dict[str, Any] = {"bench": "whatif", "states": 20, "horizon_h": 24, "step_s": 10.0, **_first()}
    model, start, question = station()
    for precision in ("float32", "float64"):
        for size in sizes if precision == "float32" else sizes[-1:]:
            told(f"{size:,} futures in {precision}")
            wall, cpu = _warm(model, start, replace(question, members=size // 2, precision=precision))
            name = f"{size}_{precision}"
            found |= {f"s_for_{name}": wall, f"cpu_s_for_{name}": cpu, f"futures_per_s_{name}": round(size / wall)}
    told("JAX in float64, and how far the fast engine is from it")
    found |= _jax(model, start, question)
    told("a year, by leaps and step by step")
    found |= year()
    for name, peer in (("scipy", scipy), ("fmpy", fmpy), ("progpy", progpy)):
        told(name)
        found |= peer(model, start, question)
    return {**found, "wrong": int(found["furthest_from_jax"] > CLOSE) + int(found["days60_furthest_in_errors_told"] > 1), **machine()}


def station() -> tuple[Any, Any, Any]:
    """Give the station, where it begins, and what is asked of it."""
    from gemel.bench.station import Station
    from gemel.dynamics import compile_model
    from gemel.scenarios import Change, Kpi, Question, Scenario, Start, Uncertain

    model = compile_model(Station())
    day = tuple((3600.0 * h, 0.075 + 0.02 * np.sin(2 * np.pi * h / 24)) for h in range(24))
    names = ("best_efficiency", "friction", "abrasion", "load", "demand", "wear_a", "wear_b", "cooling")
    question = Question(
        scenarios=(Scenario("15 % more", (Change("demand", "scale", 1.15),)),), horizon_s=DAY_S, step_s=10.0, seed=1,
        uncertain=tuple(Uncertain(n, 0.05) for n in names), watch=("level", "power", "hottest", "life_used"),
        kpis=(
            Kpi("energy", "integral", "power", factor=1 / 3.6e6, unit="kWh"),
            Kpi("cost", "integral", "power", factor=1 / 3.6e6, unit="EUR", price=((0.0, 0.1), (21_600.0, 0.3))),
            Kpi("pumped", "integral", "inflow", unit="m3"),
            Kpi("life", "life", "life_used", limit=1.0, factor=1 / DAY_S, unit="d"),
            Kpi("overflow", "time_above", "level", limit=5.0, unit="s"),
            Kpi("low", "time_below", "level", limit=1.0, unit="s"),
        ),
    )  # fmt: skip
    return model, Start(model.x0, model.u0, model.p0, None, {"demand": day}), question


def first() -> None:
    """Answer a first question in this process: what `measure` times from outside, from the start of Python on."""
    from gemel.scenarios import ask

    model, start, question = station()
    ask(model, start, replace(question, members=FIRST_MEMBERS))


def _first() -> dict[str, float]:
    """Time a fresh process from its start to its first answer, and what of the processor that takes."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*python("gemel")[:1], "-c", "from gemel.bench.whatif import first; first()"], check=True)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"first_answer_s": round(wall, 2), "first_answer_cpu_s": round(used, 2)}


def _warm(model: Any, start: Any, question: Any) -> tuple[float, float]:
    """Give seconds and processor seconds of an answer, the best of three; the machine code is there already."""
    from gemel.scenarios import ask

    ask(model, start, replace(question, members=16))
    best = (float("inf"), 0.0)
    for _ in range(3):
        began, used = time.monotonic(), time.process_time()
        ask(model, start, question)
        best = min(best, (time.monotonic() - began, time.process_time() - used))
    return round(best[0], 4), round(best[1], 4)


def _jax(model: Any, start: Any, question: Any) -> dict[str, Any]:
    from gemel.scenarios.batched import BATCH, BatchedEngine
    from gemel.scenarios.draw import columns_of, drawn, points
    from gemel.scenarios.ready import prepare

    asked = replace(question, members=BATCH)
    ready = prepare(model, start, asked)
    names = columns_of(model, start, asked.uncertain)
    members = ready.members(asked.scenarios[0], drawn(model, start, asked.uncertain, points(BATCH, len(names), 1)))
    fast = ready.engine.run(members, lambda _done: True)
    slow = BatchedEngine(ready.plan)
    slow.run(members)
    began = time.monotonic()
    true = slow.run(members)
    wall = time.monotonic() - began
    scale = np.abs(true.kept).max((0, 2), keepdims=True)
    away = float(np.abs((fast.kept - true.kept) / scale).max())
    return {"jax_float64_futures_per_s": round(BATCH / wall, 1), "furthest_from_jax": away}


if __name__ == "__main__":
    sys.exit("run: gemel bench whatif")
