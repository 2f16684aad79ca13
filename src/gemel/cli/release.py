"""`gemel release`: what a calibration by itself proposes, put in force by a person."""

import json as jsonlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from gemel.assets import load
from gemel.cli import calibrate_release
from gemel.config import data_dir
from gemel.errors import ConfigError
from gemel.samples.units import after

_HOW: Final = "to put one in force: gemel release PLANT ASSET --reason …; to take it back: gemel calibrate PLANT ASSET --roll-back --reason …"


@click.command(epilog="Example: gemel release PLANT pump-1 --reason 'the gauge was checked'")
@click.argument("plant", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("asset", required=False)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory of the twin.")
@click.option("--reason", default="", help="Why it is right; needed to release.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the output.")
def command(plant: Path, asset: str | None, data: Path | None, reason: str, as_json: bool) -> None:
    """List what waits for a person's word; with ASSET (a path, or the end of one) put that in force.

    A calibration proposes what nothing but one sensor speaks for: see that the sensor is right first.
    """
    folder = data_dir(plant, data)
    proposed = calibrate_release.proposed(folder, [p for p in load(plant).assets.paths if asset is None or p == asset or p.endswith("/" + asset)])
    if asset is None:
        said = [*map(_words, proposed), *([_HOW] if proposed else [])]
        click.echo(jsonlib.dumps(proposed) if as_json else "\n".join(said) or "nothing is proposed")
        return
    if len(proposed) != 1:
        raise ConfigError(
            f"{len(proposed)} proposals for {asset!r}", code="release-none-proposed", remedy="see gemel release PLANT, and GET /api/v1/fidelity"
        )
    if not reason.strip():
        raise ConfigError("a release needs a reason", code="release-no-reason", remedy="say with --reason why it is right")
    (one,) = proposed
    told = calibrate_release.release(folder, one["asset"], one["release"], reason=reason, despite_gate=False)
    click.echo(jsonlib.dumps(told) if as_json else f"{told['asset']}: {calibrate_release.words(told)}")


def _words(one: Mapping[str, Any]) -> str:
    release = one["release"]
    values = ", ".join(_value(release, name, value) for name, value in release.get("values", {}).items()) or f"a {release.get('kind')}"
    explained = ", ".join(f"{name} {100 * share:.1f} %" for name, share in (release.get("fidelity") or {}).items())
    why = "; ".join(release.get("unconfirmed") or ["runs beside"])
    return "\n  ".join([f"{one['asset']}: {values}", *([f"explains, of readings that it had not seen: {explained}"] if explained else []), why])


def _value(release: Mapping[str, Any], name: str, value: float) -> str:
    unit, interval = release.get("units", {}).get(name, ""), release.get("intervals", {}).get(name)
    return f"{name} {value:.6g}{after(unit)}" + (f" (95 %: {interval[0]:.4g} … {interval[1]:.4g})" if interval and None not in interval else "")
