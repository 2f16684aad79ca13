"""`gemel calibrate`: the parameters of a machine's model, from files of the past or from its history."""

import json as jsonlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from gemel.assets import Plant, load
from gemel.assets.spec import Calibrating
from gemel.cli import calibrate_release
from gemel.cli.columns import mapped, pairs, timed
from gemel.config import data_dir
from gemel.connect.files import FileOptions
from gemel.errors import ConfigError, ModelError
from gemel.operate.following import proposed, terms_of
from gemel.operate.machine import chosen, machine_of, modelled, parameters_to
from gemel.samples.units import after

LEAD = 10  # readings
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="Example: gemel calibrate examples/cascaded-tanks --data estimation.csv --validate validation.csv"
)
@click.argument("plant", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("asset", required=False)
@click.option(
    "--data",
    "given",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="CSV or Parquet file to fit to; or the data directory of the twin, whose history is taken where no file is given.",
)
@click.option("--start", help="Of the history (ISO 8601) [default: an hour before its end].")
@click.option("--end", help="Of the history [default: now].")
@click.option(
    "--validate", "unseen", multiple=True, type=FILE, help="File to run free over: nothing of it is fitted."
)
@click.option(
    "--first",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Fit to this part of --data, such as 0.6, and run free over the rest.",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME",
    help="Fit this one [default: those marked calibrate].",
)
@mapped
@timed
@click.option(
    "--step",
    type=click.FloatRange(0, min_open=True),
    help="Of the fit, in seconds [default: as the rows of a file are; of the history as the plant file says].",
)
@click.option(
    "--lead",
    type=click.IntRange(1),
    help="Readings that a free run finds its initial state on; they do not count [default: as the plant file says, else 10].",
)
@click.option(
    "--starts",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Starts that are followed to their end.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the candidates to start from.")
@click.option(
    "--release",
    "doing",
    is_flag=True,
    help="Put it in force in the running twin, if the gate lets it through.",
)
@click.option(
    "--despite-gate", is_flag=True, help="With --release: whatever the gate says; the record tells so."
)
@click.option("--roll-back", "undoing", is_flag=True, help="Take back what is in force; nothing is fitted.")
@click.option("--hybrid", is_flag=True, help="Learn what the fit leaves over, too; judged on the data that it has not seen.")
@click.option("--job", "queued", is_flag=True, help="Have the running twin work on its history, as a job that it remembers.")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the output.")
def command(
    plant: Path, asset: str | None, given: tuple[Path, ...], start: str | None, end: str | None, unseen: tuple[Path, ...], first: float | None,
    parameters: tuple[str, ...], mapping: tuple[str, ...], time_column: str | None, time_unit: str | None,
    step: float | None, lead: int | None, starts: int, seed: int, doing: bool, despite_gate: bool, undoing: bool, hybrid: bool, queued: bool, reason: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Fit the parameters that PLANT marks `calibrate` to files, and say how sure they are and how the model runs free.

    ASSET is a path, or a name that only one has; it may be left out where only one has a model. Exit code 1: the
    search did not end well, or the gate refuses the release.
    """
    files, folder = (
        [g for g in given if g.is_file()],
        data_dir(plant, next((g for g in given if g.is_dir()), None)),
    )
    if undoing:
        described = load(plant)
        _show_release(calibrate_release.roll_back(folder, _asset(described, asset), reason), as_json)
        return
    _needs_reason()
    from gemel.cli.calibrate_asked import by_twin as _by_twin
    from gemel.estimate.calibrate import Settings
    from gemel.operate.calibrate_job import Wish, attributed
    from gemel.operate.calibrating import calibrate, released_body, with_hybrid
    from gemel.operate.hybrid_alone import alone
    from gemel.operate.recorded import from_file
    from gemel.operate.view_calibrations import in_force

    described = load(plant)
    machine = machine_of(described, _asset(described, asset))
    free = chosen(machine, parameters)
    champion = calibrate_release.in_force(folder, machine.asset)
    standing = in_force((champion or {}).get("items", ()))
    if champion:
        machine = replace(machine, p=parameters_to(machine, champion["values"]))
    terms = terms_of(described, machine.asset) or Calibrating()
    if queued:
        wish = _wish(files or unseen, parameters=parameters, step_s=step, unseen=None if first is None else 1 - first,
                     lead=lead, starts=starts, seed=seed, hybrid=hybrid or None)  # fmt: skip
        told = _by_twin(folder, described, machine.asset, (start, end), wish, standing)
        _end(told, folder, doing, despite_gate, reason, as_json)
    options, named = FileOptions(time_column, time_unit), pairs(mapping)
    records, others = (
        [r for f in some for r in from_file(described, machine, f, options, named, step)]
        for some in (files, unseen)
    )
    if not files:
        records = calibrate_release.from_history(folder, machine, start, end, step or terms.step_s)
    if not records:
        raise ModelError(
            "there is no span in which all inputs are known",
            code="record",
            remedy="see its columns and times",
        )
    if first is not None:
        seen = [round(len(r) * first) for r in records]
        others = [*others, *(r.part(n) for r, n in zip(records, seen, strict=True))]
        records = [r.part(0, n) for r, n in zip(records, seen, strict=True)]
    began = time.perf_counter()
    found = replace(
        calibrate(machine, free, records, others, settings=Settings(starts=starts, seed=seed, substeps=0),
                  lead=lead or _lead(terms, records[0].dt)),
        stands=(standing or {}).get("hybrid") or {},
    )
    if hybrid:
        if not others:
            raise ConfigError("--hybrid is judged on data that it has not seen", code="hybrid-unseen", remedy="give --validate or --first")
        found = with_hybrid(found)
    found, who, unsure = attributed(found, Wish(blame=doing and not despite_gate), ((), records), lambda: None)
    told = found.told() | {
        "seconds": round(time.perf_counter() - began, 3),
        "champion": champion["version"] if champion else 0,
        "attribution": who, "unconfirmed": unsure,
    }  # fmt: skip
    told["release"] = released_body(found, [f.name for f in files]) | {"champion": told["champion"], "unconfirmed": unsure}
    if hybrid and not found.verdict.passed and not (found.blamed or found.changed):
        told["alone"] = alone(found, standing, [f.name for f in files])
    _end(told, folder, doing, despite_gate, reason, as_json)


def _end(told: dict[str, Any], folder: Path, doing: bool, despite_gate: bool, reason: str, as_json: bool) -> NoReturn:
    """Release where that is asked for and allowed, say what was found, and end."""
    told = proposed(told)
    body = told.pop("release")
    refused = doing and not told["gate"]["passed"] and not despite_gate
    if doing and not refused:
        body |= {"calibration": told["calibration"]} if "calibration" in told else {}
        told["released"] = calibrate_release.release(folder, told["asset"], body, reason=reason, despite_gate=despite_gate)
    click.echo(jsonlib.dumps(told) if as_json else "\n".join(_words(told)))
    sys.exit(0 if told["converged"] and not refused else 1)


def _lead(terms: Calibrating, dt: float) -> int:
    return LEAD if terms.lead_s is None else max(round(terms.lead_s / dt), 1)


def _wish(files: Sequence[Path], **given: Any) -> dict[str, Any]:
    if files:
        raise ConfigError(
            "--job works on the twin's own history", code="calibrate-files", remedy="leave --job away to fit to files"
        )
    return {name: value for name, value in given.items() if value is not None}


def _show_release(told: Mapping[str, Any], as_json: bool) -> None:
    click.echo(jsonlib.dumps(told) if as_json else f"{told['asset']}: {calibrate_release.words(told)}")


def _needs_reason() -> None:
    try:
        import jax  # noqa: F401 - only whether it is there
        import scipy  # noqa: F401 - only whether it is there
    except ImportError as e:
        raise ConfigError(
            f"calibration needs {e.name}", code="no-reason", remedy="pip install 'gemel[reason]'"
        ) from None


def _asset(plant: Plant, asked: str | None) -> str:
    known = modelled(plant)
    fits = known if asked is None else [p for p in known if p == asked or p.endswith("/" + asked)]
    if len(fits) == 1:
        return fits[0]
    if asked is not None and asked in plant.assets.paths:
        return asked
    raise ConfigError(
        f"{len(fits)} assets with a model" + (f" are called {asked!r}" if asked else ""), code="which-asset",
        remedy=f"name one: {', '.join(known[:10]) or 'give a type a key `dynamics`'}",
    )  # fmt: skip


def _words(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['asset']}: {told['readings']} readings over {told['span_s']:.6g} s, {told['dynamics']}"
    width = max(len(name) for name in told["parameters"])
    for name, e in told["parameters"].items():
        marks = [
            word
            for word, so in (("at the end of its range", e["at_bound"]), ("tied to others", not e["told"]))
            if so
        ]
        yield f"  {name:{width}}  {e['value']:12.6g} {e['unit']:6} 95 %: {e['low']:.4g} … {e['high']:.4g}  {', '.join(marks)}".rstrip()
    how = "converged" if told["converged"] else f"NOT CONVERGED: {told['why']}"
    yield f"fit       {_rmse(told['rmse'])}; {how}, {told['linearisations']} linearisations, {told['starts_agreeing']} of {told['starts']} starts agree, {told['seconds']:.3g} s"
    yield from _list("model", told.get("words", ()))
    yield from _list("data", told["identifiability"]["words"])
    yield from _list("residuals", [s for d in told["residuals"] for s in d["words"]])
    if told["interval_widening"] > 1.05:
        yield f"          intervals are {told['interval_widening']:.1f} times as wide as for white residuals"
    seen = told["validation"]
    if seen:
        explained = ", ".join(f"{100 * v:.1f} %" for v in seen["explained"].values()) or "–"
        yield f"free run  {_rmse(seen['rmse'])} ({explained} explained) on {seen['readings']} readings not seen; with the parameters before: {_rmse(seen['rmse_before'])}"
        yield from _hybrid(told.get("hybrid") or {})
        if "refused" in told:
            yield from _hybrid(told["alone"]["hybrid"])
        yield from _list("gate", [f"unconfirmed: {words}" for words in told.get("unconfirmed", ())])
        yield from _gate(told["gate"], told.get("released"), told.get("refused", {}).get("against", ()))


def _hybrid(hybrid: Mapping[str, Any]) -> Iterator[str]:
    for name, h in hybrid.items():
        if not h["helps"]:
            yield f"hybrid    {name}: what was left over cannot be learned; the answer is physics"
        else:
            yield (f"hybrid    RMSE {name} {h['hybrid_rmse']:.4g}{after(h['unit'])} (physics alone {h['physics_rmse']:.4g}); {100 * h['physics_share']:.0f} % of the "
                   f"answer's variation is physics; {100 * h['known']:.0f} % within what it was trained on")  # fmt: skip


def _gate(gate: Mapping[str, Any], released: Mapping[str, Any] | None, stays: Sequence[str]) -> Iterator[str]:
    if released:
        yield f"released  {calibrate_release.words(released)}"
    elif gate["passed"]:
        yield from _list("gate", [f"the parameters stay: {words}" for words in stays])
        yield "gate      nothing speaks against it; --release puts it in force"
    yield from _list("gate", [f"no: {words}" for words in gate["against"]])


def _list(head: str, said: Sequence[str]) -> Iterator[str]:
    for at, sentence in enumerate(said):
        yield f"{head if not at else '':9} {sentence}"


def _rmse(by_output: Mapping[str, Any]) -> str:
    return "RMSE " + ", ".join(
        f"{name} blows up" if e["value"] is None else f"{name} {e['value']:.4g}{after(e['unit'])}" for name, e in by_output.items()
    )
