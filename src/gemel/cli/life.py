"""`gemel life`: how long something lives if all goes on, and with more load, another speed or an overhaul."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gemel.errors import GemelError
from gemel.samples.units import after


@click.command(epilog="Example: gemel life PLANT acme/site/pump-1 --change load=+15% --horizon 365d")
@click.argument("plant", type=click.Path(path_type=Path))
@click.argument("asset")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option("--of", default="", help="Which of what wears out [default: all of it].")
@click.option("--change", "changes", multiple=True, metavar="NAME=HOW", help="load=+15%, speed=*1.1, speed=2400 rpm; several together.")
@click.option("--maintain", multiple=True, metavar="ACTION[@WHEN]", help="overhaul (now), overhaul@30d (in 30 days).")
@click.option("--at", help="From what was known at this time (ISO 8601); now, if left out.")
@click.option("--horizon", help="How far ahead, as in 365d [default: the plant file's].")
@click.option("--members", default=2000, show_default=True, help="Of the ensemble.")
@click.option("--seed", default=0, show_default=True, help="Of what is drawn: the same seed gives the same answer.")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
def command(
    plant: Path, asset: str, data: Path | None, of: str, changes: tuple[str, ...], maintain: tuple[str, ...], at: str | None,
    horizon: str | None, members: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Say how long what wears out of an asset will live, how sure that is, and what a change does to it."""
    import gemel
    from gemel.operate.life_law import wearing

    given: dict[str, Any] = dict(c.split("=", 1) for c in changes if "=" in c)
    if len(given) < len(changes):
        raise click.UsageError("write a change as NAME=HOW: load=+15%")
    found: list[dict[str, Any]] = []
    with gemel.open(plant, data=data) as twin:
        names = [one.spec.name for one in wearing(twin.plant, asset, of)]
        for name in names:
            began = time.monotonic()
            try:
                life = twin.remaining_life(asset, name, maintain=maintain, at=at, horizon=horizon, members=members, seed=seed, **given)
            except GemelError as e:
                if len(names) == 1 or e.code not in {"no-drive", "no-action", "no-law"}:
                    raise
                found.append({"of": name, "problem": e.message, "remedy": e.remedy})  # another of them may be driven by it
            else:
                found.append({**life.told, "seconds": round(time.monotonic() - began, 3)})
    if all("problem" in one for one in found):
        raise click.ClickException("; ".join(f"{one['problem']} ({one['remedy']})" for one in found))
    click.echo(json.dumps(found) if as_json else "\n".join(line for one in found for line in lines(one)))


def lines(told: dict[str, Any]) -> Iterator[str]:
    """Say in the lines of a shell how long something will live."""
    if "problem" in told:
        yield f"{told['of']}: {told['problem']}"
        return
    level = told["level"]
    yield (
        f"{told['of']} of {told['asset']} at {told['at']}: {level['value']:.3g} ± {level['sd']:.2g} of {told['threshold']:g}{after(told['unit'])}"
        f", from {told['readings']} readings over {told['span_s'] / 86_400:.1f} d"
    )
    if "state" in told:
        held = f"; held: {', '.join(told['state']['held'])}" if told["state"]["held"] else ""
        yield f"  {told['state']['name']} of {told['state']['model']}, parameters version {told['versions']['parameters']}{held}"
    for future in told["futures"]:
        yield f"  {future['name']:<10} {_life(future, told)}"
    for difference in told["differences"]:
        yield f"  {difference['name']:<10} {_difference(difference)}"
    lost = told["averaging"]["lost"]
    averaged = "" if lost is None else f"; means of {told['averaging']['step_s']:g} s lose {lost:.2%} of the law"
    yield f"  {told['members']} members, seed {told['seed']}, {told['versions']['learner']}, {told['seconds']:.2f} s{averaged}"


def _life(future: dict[str, Any], told: dict[str, Any]) -> str:
    if not future["event"]:
        return f"no estimate: {future['reason']}"
    risk = f"risk {future['risk']['within']:.0%} within {told['within_s'] / 86_400:g} d"
    if future["reason"]:
        return f"no estimate: {future['reason']}; not before {_days(future['event']['q05'])} (5 %), {risk}"
    q = future["event"]
    return f"{_days(q['q50'])} [{_days(q['q05'])} … {_days(q['q95'])}], {risk}"


def _difference(d: dict[str, Any]) -> str:
    sure = "clearly" if d["clear"] else "not clearly"
    if d["median_s"] is None:
        return f"{sure} {'earlier' if d['earlier'] > 0.5 else 'later'} (probability of earlier {d['earlier']:.0%})"
    return (
        f"{d['median_s'] / 86_400:+.1f} d [{d['low_s'] / 86_400:+.1f} … {d['high_s'] / 86_400:+.1f}], {d['ratio'] - 1:+.0%}, {sure}"
        f" {'earlier' if d['earlier'] > 0.5 else 'later'}"
    )


def _days(seconds: float | None) -> str:
    return "beyond the horizon" if seconds is None else f"{seconds / 86_400:.1f} d"
