"""`gemel whatif`: what would come of a change, from a state of now or of a past time; nothing reaches the plant."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from gemel.errors import ConfigError, GemelError
from gemel.samples.units import after


@click.command(epilog="Example: gemel whatif PLANT --asset acme/site/pump-1 --set load=+15% --horizon 24h --scenarios 1000 --seed 1")
@click.argument("plant", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option("--asset", required=True, help="Path of an asset with a dynamic model; several divided by +; an area.")
@click.option("--set", "changes", multiple=True, metavar="NAME=HOW", help="load=+15%, load=*1.1, load=+3, load=12 kW, wear=0.4 @ 6h; several make one scenario.")
@click.option("--schedule", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A table (CSV) of what will be when, or of orders; with --set one scenario.")
@click.option("--against", multiple=True, metavar="NAME=HOW", help="Another scenario, each of one change; at most four.")
@click.option("--at", help="From the state of this time (ISO 8601); of now, if left out.")
@click.option("--fork", help="From the state that is kept under this name.")
@click.option("--indices", is_flag=True, help="Also Sobol indices: how much of each figure's variance is whose.")
@click.option("--horizon", default="24h", show_default=True, help="How far ahead, as in 24h, 30 d, '1 year'.")
@click.option("--leap", type=click.Choice(["auto", "never"]), default="auto", show_default=True, help="Over a year of days that are alike, or each step.")
@click.option("--engine", type=click.Choice(["auto", "jax"]), default="auto", show_default=True, help="The fastest there is, or JAX on the device that it finds.")
@click.option("--step", default=10.0, show_default=True, help="Of the solver, at most [s].")
@click.option("--scenarios", "members", type=int, help="Members of the ensemble [default: 1000; of an FMU 100, and 10,000 at most].")
@click.option("--seed", default=0, show_default=True, help="Of what is drawn: the same seed gives the same answer.")
@click.option("--uncertain", multiple=True, metavar="NAME=SHARE", help="What is not known exactly: wear=10%, or none [default: as sure as states and parameters are].")
@click.option("--kpi", "kpis", multiple=True, metavar="NAME or NAME={max: power}", help="A figure to tell, by its name or in the words of a plant file [default: what the types declare].")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
def command(
    plant: Path, data: Path | None, asset: str, changes: tuple[str, ...], schedule: Path | None, against: tuple[str, ...],
    at: str | None, fork: str | None, indices: bool, horizon: str, leap: str, engine: str,
    step: float, members: int | None, seed: int, uncertain: tuple[str, ...], kpis: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Say what would come of a change, with how sure that is, against what would happen anyway."""
    import gemel

    _needs_jax()
    if not changes and not against and not schedule:
        raise click.UsageError("say what changes: --set NAME=HOW, or --schedule FILE")
    own = [*changes, *([schedule] if schedule else [])]
    scenarios: dict[str, Any] = {", ".join([*changes, *([schedule.stem] if schedule else [])]): own} if own else {}
    scenarios |= {one: [one] for one in against}
    began = time.monotonic()
    with gemel.open(plant, data=data) as twin:
        found = twin.whatif(
            asset, scenarios, at=at, fork=fork, indices=indices, horizon=horizon, members=members, seed=seed, told=_progress(quiet=as_json), step_s=step, leap=leap, engine=engine,
            uncertain=[] if uncertain == ("none",) else [_uncertain(u) for u in uncertain] or None, kpis=list(kpis) or None,
        )  # fmt: skip
    told = {**found.told, "seconds": round(time.monotonic() - began, 3)}
    click.echo(json.dumps(told) if as_json else "\n".join(_words(told, found.figures())))
    sys.exit(0 if told["converged"] and not any(f["failed"] or f["unsolved"] for f in told["futures"]) else 1)


def _words(told: dict[str, Any], figures: Any) -> Iterator[str]:
    yield f"{told['asset']} from {told['at']}, {told['members']} members, seed {told['seed']} (a what-if: nothing was changed)"
    met = {k["name"] for k in told["kpis"] if k["statistic"] == "met"}
    for row in figures:
        if row["kpi"] in met:
            yield f"  {row['scenario']:<24} {row['kpi']:<28} met in {_percent(row['mean'])}{_points(row)}"
            continue
        span = f"{_figure(row['median'])} [{_figure(row['low'])} … {_figure(row['high'])}]{after(row['unit'])}"
        yield f"  {row['scenario']:<24} {row['kpi']:<28} {span}{_difference(row)}"
    for future in told["futures"]:
        for kpi, shares in future.get("indices", {}).items():
            said = ", ".join(f"{name} {first:.0%} alone, {total:.0%} in all" for name, (first, total) in shares.items())
            yield f"  {future['name']:<24} {kpi:<28} varies by {said}"
        if future["failed"]:
            yield f"  {future['name']}: {future['failed']} members did not stay finite; they are in no figure"
        if future["unsolved"]:
            yield f"  {future['name']}: the loops of the system are not solved in {future['unsolved']} members: do not trust it"
    if not told["converged"]:
        yield f"  halving the step down to {told['step_s']:g} s still changed the result: do not trust it"
    yield from (f"  {said}" for said in told["words"])
    yield from _hybrids(told["hybrids"])
    yield from _leaps(told["leaps"])
    yield f"  {told['engine']}, step {told['step_s']:g} s, {told['seconds']:.2f} s"


def _figure(value: float | None) -> str:
    return "never" if value is None else f"{value:.5g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} % of the members"


def _points(row: dict[str, Any]) -> str:
    """Say in how many more members an order is met, of a hundred."""
    if not row["difference"]:
        return "" if row["difference"] is None else "   no difference"
    return f"   {100 * row['difference']:+.3g} [{100 * row['difference_low']:+.3g} … {100 * row['difference_high']:+.3g}] of 100 members"


def _difference(row: dict[str, Any]) -> str:
    clear = "clearly" if row["clear"] else "not clear"
    if row["only_scenario"] or row["only_baseline"]:
        only = (f"{row[of]:.0%} of the members {where}" for of, where in (("only_scenario", "with it"), ("only_baseline", "without it")) if row[of])
        return f"   comes in {' and in '.join(only)} only, so there is no mean of the difference ({clear})"
    if row["difference"] == row["difference_low"] == row["difference_high"] == 0.0:
        return "   no difference"
    judged = {True: ", better", False: ", worse", None: ""}[row["better"]]
    if row["difference"] is None:
        return ""
    interval = "" if row["difference_low"] is None else f" [{row['difference_low']:+.4g} … {row['difference_high']:+.4g}]"
    return f"   {row['difference']:+.4g}{interval} {clear}{judged}"


def _hybrids(hybrids: list[dict[str, Any]]) -> Iterator[str]:
    for hybrid in hybrids:
        if not hybrid["used"]:
            yield f"  {hybrid['output']}: what was learned of it does not fit its model any more; the answer is physics"
        for name, future in hybrid["futures"].items():
            where = "; asked outside of what it was trained on, where the answer is physics" if future["outside"] else ""
            yield f"  {name:<24} {hybrid['output']}: {future['physics_share']:.0%} physics, the rest learned{where}"


def _leaps(leaps: dict[str, Any] | None) -> Iterator[str]:
    if leaps is None:
        return
    if leaps["reason"]:
        yield f"  each step was taken: {leaps['reason']}"
        return
    days = [leaps[name] / 86_400 for name in ("solved_s", "longest_s")]
    bounds = {name: "beyond all bounds" if error is None else f"{error:.2g}" for name, error in leaps["errors"].items()}
    worst = ", ".join(f"{name} {bound}" for name, bound in bounds.items())
    yield f"  {days[0]:.4g} days were solved step by step, the others leapt over by their mean, up to {days[1]:.4g} at once; that is good to {worst}"


def _uncertain(text: str) -> dict[str, Any]:
    name, _, share = text.partition("=")
    try:
        spread = float(share.strip().removesuffix("%")) / (100 if share.strip().endswith("%") else 1)
    except ValueError:
        raise click.UsageError(f"{text!r}: write NAME=10% or NAME=0.1") from None
    return {"of": name.strip(), "spread": spread, "relative": share.strip().endswith("%")}


def _progress(*, quiet: bool) -> Callable[[float], bool]:
    shown = sys.stderr.isatty() and not quiet

    def told(done: float) -> bool:
        if shown:
            click.echo(f"\r  {100 * done:3.0f} %", nl=done >= 1, err=True)
        return True

    return told


def _needs_jax() -> None:
    from importlib.util import find_spec

    if find_spec("jax") is None or find_spec("scipy") is None:
        raise _missing()


def _missing() -> GemelError:
    return ConfigError(
        "what this computes with is not installed", code="reason-missing", remedy="pip install 'gemel[reason]'"
    )
