"""A year of the demo's pump set: 100 futures with leaps; and of two months how far leaps are from the march."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

YEAR_S: Final = 365.25 * 86_400.0
MEMBERS: Final = 50  # of the baseline and of the scenario each
MARCHED: Final = 8  # members that are marched too: a vector of lanes takes as long as one
MARCHED_S: Final = 60 * 86_400.0


def year() -> dict[str, float]:
    """Give seconds of 100 futures of a year, warm, and of 60 days of a few that are marched; how far figures are apart, in errors told."""
    from gemel.scenarios import ask

    model, start, question = pump_year()
    ask(model, start, replace(question, horizon_s=3600.0, members=16))
    ask(model, start, replace(question, horizon_s=30 * 86_400.0, members=16))
    wall, cpu, leapt = _timed(model, start, question)
    few = replace(question, members=MARCHED, horizon_s=MARCHED_S)
    marched_wall, marched_cpu, marched = _timed(model, start, replace(few, leap="never"))
    _, _, beside = _timed(model, start, few)
    return {
        "year_100_futures_s": wall, "year_100_futures_cpu_s": cpu, "year_solved_days": round(leapt.leaps.solved_s / 86_400.0, 1),
        "days60_16_futures_marched_s": marched_wall, "days60_16_futures_marched_cpu_s": marched_cpu,
        "days60_furthest_in_errors_told": round(_furthest(beside, marched), 3),
    }  # fmt: skip


def pump_year() -> tuple[Any, Any, Any]:
    """Give the pump set, worn a little and wearing, and what a year of 15 % more speed is asked for."""
    from gemel.dynamics import compile_model
    from gemel.dynamics.components import PumpSet
    from gemel.scenarios import Change, Kpi, Question, Scenario, Start, Uncertain

    model = compile_model(PumpSet())
    p = model.with_parameters({"wear_rate": 3e-9, "wear": 0.02})
    tariff = ((0.0, 0.1), (21_600.0, 0.3))
    question = Question(
        scenarios=(Scenario("15 % faster", (Change("speed_setpoint", "scale", 1.15),)),), horizon_s=YEAR_S, members=MEMBERS, seed=1,
        uncertain=(Uncertain("wear_rate", 0.3), Uncertain("thrust", 0.05)), watch=("flow", "vibration", "worn", "bearing_temperature"),
        kpis=(
            Kpi("energy", "integral", "electric_power", factor=1 / 3.6e6, unit="kWh"),
            Kpi("cost", "integral", "electric_power", factor=1 / 3.6e6, unit="EUR", price=tariff),
            Kpi("worn", "last", "worn"),
            Kpi("life", "life", "worn", limit=0.3, factor=1 / 86_400.0, unit="d"),
            Kpi("shaken", "time_above", "vibration", limit=2.2e-3, factor=1 / 3600.0, unit="h"),
        ),
    )  # fmt: skip
    return model, Start(model.x0, model.u0, p), question


def _timed(model: Any, start: Any, question: Any) -> tuple[float, float, Any]:
    from gemel.scenarios import ask

    began, used = time.monotonic(), time.process_time()
    answer = ask(model, start, question)
    return round(time.monotonic() - began, 3), round(time.process_time() - used, 3), answer


def _furthest(leapt: Any, marched: Any) -> float:
    """Give how far figures are from the marched ones, as a part of the error that is told of them; more than 1 is wrong."""
    pairs = zip(leapt.futures, marched.futures, strict=True)
    apart = [(abs(a.figures[n].mean - b.figures[n].mean), leapt.leaps.errors[n]) for a, b in pairs for n in a.figures]
    return max(d / e if e else float(d > 0) for d, e in apart)
