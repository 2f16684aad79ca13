"""`gemel bench`: speed on this machine, measured from outside."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gemel.bench.generator import Load


@click.group(epilog="Example: gemel bench ingest --json")
def command() -> None:
    """Measure speed on this machine; the last line with --json is one JSON object."""


@command.command(epilog="Example: gemel bench ingest --full --jitter 5 --json")
@click.option("--signals", default=10_000, show_default=True)
@click.option("--seconds", type=int, help="Readings of each signal [default: 300; with --full 2,000].")
@click.option("--jitter", default=0.0, show_default=True, help="Scatter of the times [± ms].")
@click.option(
    "--resolution", default=1000, show_default=True, help="Of the source's clock where times scatter [µs]."
)
@click.option("--full", is_flag=True, help="As long as it needs: 20 million values.")
@click.option("--json", "as_json", is_flag=True)
def ingest(
    signals: int, seconds: int | None, jitter: float, resolution: int, full: bool, as_json: bool
) -> None:
    """Frames → log → condition → fold → history: speed, latency, size, and every value read back."""
    from gemel.bench.ingest import measure

    load = Load(
        signals=signals,
        seconds=seconds or (2000 if full else 300),
        jitter_ms=jitter,
        resolution_us=resolution,
    )
    report(lambda folder, told: measure(folder, load, told), as_json)


@command.command(epilog="Example: gemel bench mqtt --json")
@click.option("--messages", default=60_000, show_default=True)
@click.option("--rate", default=5_000, show_default=True, help="Messages/s while latency is measured.")
@click.option("--full", is_flag=True, help="A million messages.")
@click.option("--json", "as_json", is_flag=True)
def mqtt(messages: int, rate: int, full: bool, as_json: bool) -> None:
    """Single-value messages through a broker, acknowledged when durable: speed, latency, and every one read back."""
    from gemel.bench.mqtt import measure

    report(lambda folder, told: measure(folder, 1_000_000 if full else messages, rate, told), as_json)


@command.command(epilog="Example: gemel bench soak --full --json")
@click.option("--signals", default=10_000, show_default=True)
@click.option("--rate", default=50_000, show_default=True, help="Values/s.")
@click.option("--full", is_flag=True, help="Ten minutes instead of forty seconds.")
@click.option("--json", "as_json", is_flag=True)
def soak(signals: int, rate: int, full: bool, as_json: bool) -> None:
    """Whether memory grows while values keep coming."""
    from gemel.bench.soak import measure

    minutes = 10.0 if full else 40 / 60
    report(lambda folder, told: measure(folder, signals, rate, minutes, told), as_json)


@command.command(epilog="Example: gemel bench faults --full --json")
@click.option("--kills", type=click.IntRange(1), help="In all [default: 6; with --full 320].")
@click.option("--instances", type=click.IntRange(1), help="Side by side [default: 2; with --full 4].")
@click.option("--rate", default=200.0, show_default=True, help="Readings/s of each instance.")
@click.option("--seed", default=7, show_default=True, help="Of who is killed when.")
@click.option("--minutes", default=60.0, show_default=True, help="After so long no more is killed.")
@click.option("--full", is_flag=True, help="As long as it needs: 320 kills.")
@click.option("--json", "as_json", is_flag=True)
def faults(
    kills: int | None, instances: int | None, rate: float, seed: int, minutes: float, full: bool, as_json: bool
) -> None:
    """Kill processes at random under load: recovery, and every acknowledged reading stored once."""
    from gemel.bench.faults import Campaign, measure

    campaign = Campaign(kills or (320 if full else 6), instances or (4 if full else 2), rate, seed, minutes * 60)
    report(lambda folder, told: measure(folder, campaign, told), as_json)


@command.command(epilog="Example: gemel bench history --json")
@click.option(
    "--shape",
    type=click.Choice(["wide", "long"]),
    help="Many signals for a while, or few for a year [default: both].",
)
@click.option("--full", is_flag=True, help="A billion values in each shape: some hours.")
@click.option("--json", "as_json", is_flag=True)
def history(shape: str | None, full: bool, as_json: bool) -> None:
    """A history laid down through the live path with roll-ups running: speed, size, and how soon a day or a year is drawn."""
    from gemel.bench.history import SHAPES, measure, size

    shapes = (shape,) if shape else SHAPES
    report(lambda folder, told: measure(folder, size(full=full), told, shapes), as_json)


@command.command(epilog="Example: gemel bench backfill --values 5000000 --json")
@click.option("--values", type=int, help="Of the past, of 1,000 signals [default: 2 million; with --full 50 million].")
@click.option("--rate", default=100_000, show_default=True, help="Live values/s beside it.")
@click.option("--straight", is_flag=True, help="Also straight into the log, without regard to what is live.")
@click.option("--full", is_flag=True, help="50 million values.")
@click.option("--json", "as_json", is_flag=True)
def backfill(values: int | None, rate: int, straight: bool, full: bool, as_json: bool) -> None:
    """What live readings wait for while years of the past are filled in, told apart from the old ones."""
    from gemel.bench.backfill import Past, measure

    past = Past(values or (50_000_000 if full else 2_000_000))
    report(lambda folder, told: measure(folder, past, rate, told, straight=straight), as_json)


@command.command(epilog="Example: gemel bench rolling --rate 1000000 --json")
@click.option("--signals", default=2_000, show_default=True)
@click.option("--hours", type=float, help="Of 1 Hz [default: 2; with --full 12].")
@click.option("--rate", default=1_000_000, show_default=True, help="Values/s; 0: as fast as they are taken.")
@click.option("--full", is_flag=True, help="Twelve hours: 86 million values.")
@click.option("--json", "as_json", is_flag=True)
def rolling(signals: int, hours: float | None, rate: float, full: bool, as_json: bool) -> None:
    """Whether roll-ups keep up while values come at a steady rate, so long that hours close."""
    from gemel.bench.rolling import measure
    from gemel.bench.walks import Walks

    walks = Walks(signals, round((hours or (12 if full else 2)) * 3600))
    report(lambda folder, told: measure(folder, walks, rate, told), as_json)


@command.command(epilog="Example: gemel bench twin --full --json")
@click.option("--assets", type=int, help="Of the large plant, five signals each [default: 20,000; with --full 1,000,000].")
@click.option("--seconds", type=int, help="Readings of each of 100,000 signals [default: 15; with --full 200].")
@click.option("--full", is_flag=True, help="A million assets, 20 million values.")
@click.option("--json", "as_json", is_flag=True)
def twin(assets: int | None, seconds: int | None, full: bool, as_json: bool) -> None:
    """The state: ingest until it shows, wire to state, the latest of 100,000 signals, a past state, memory, restart."""
    from gemel.bench.twin import measure

    large, load = assets or (1_000_000 if full else 20_000), seconds or (200 if full else 15)
    report(lambda folder, told: measure(folder, large, load, 3, told), as_json)


@command.command(epilog="Example: gemel bench estimate --json")
@click.option("--assets", default=1_000, show_default=True)
@click.option("--ticks", type=int, help="Seconds of plant time [default: 100; with --full 1,000].")
@click.option("--full", is_flag=True, help="A thousand seconds of plant time.")
@click.option("--json", "as_json", is_flag=True)
def estimate(assets: int, ticks: int | None, full: bool, as_json: bool) -> None:
    """A filter of six numbers for each of 1,000 machines at 1 Hz: processor time of a second, and whether its bands hold."""
    from gemel.bench.estimate import measure
    from gemel.bench.estimate_running import measure_running

    many = ticks or (1000 if full else 100)
    report(lambda _, told: measure(assets, many, told) | measure_running(assets, many if full else min(many, 40), told), as_json)


@command.command(epilog="Example: gemel bench calibrate --json")
@click.option("--day", type=click.IntRange(900), help="Seconds of the long record [default: 86,400].")
@click.option("--full", is_flag=True, help="A week of one reading a second.")
@click.option("--json", "as_json", is_flag=True)
def calibrate(day: int | None, full: bool, as_json: bool) -> None:
    """Eight parameters fitted to 1,024 readings, SciPy beside it, and to a day of one reading a second."""
    from gemel.bench.calibrate import measure

    report(lambda _, told: measure(day or (604_800 if full else 86_400), told), as_json)


@command.command(epilog="Example: gemel bench whatif --json")
@click.option("--full", is_flag=True, help="Also 100,000 futures.")
@click.option("--json", "as_json", is_flag=True)
def whatif(full: bool, as_json: bool) -> None:
    """Futures of a station a second, and how soon the first answer; beside JAX, SciPy, FMPy and ProgPy."""
    from gemel.bench.whatif import measure

    sizes = (100, 1000, 10_000, 100_000) if full else (100, 1000, 10_000)
    report(lambda _folder, told: measure(sizes, told), as_json)


@command.command(epilog="Example: gemel bench judge --days 7 --seeds 2 --json")
@click.option("--days", type=click.FloatRange(2), help="Of each life [default: 7; with --full 30].")
@click.option("--seeds", default=2, show_default=True, type=click.IntRange(1), help="Lives, each of another seed.")
@click.option("--first", type=click.IntRange(200), help="Seed of the first [default: 200; with --attribution 700].")
@click.option("--full", is_flag=True, help="A month each.")
@click.option("--attribution", is_flag=True, help="Ask who is wrong instead, over --cases.")
@click.option("--cases", default=40, show_default=True, type=click.IntRange(2), help="Of --attribution, two of a seed.")
@click.option("--kinds", default="known", show_default=True, type=click.Choice(["known", "tried", "fresh", "unseen"]), help="Of --attribution, what goes wrong.")
@click.option("--json", "as_json", is_flag=True)
def judge(days: float | None, seeds: int, first: int | None, full: bool, attribution: bool, cases: int, kinds: str, as_json: bool) -> None:
    """Whether the twin follows the demo plant, whose equations are not its own: errors, and how often its bands hold."""
    from gemel.bench import attribution as who
    from gemel.bench import month

    lived = days or (30.0 if full else 7.0)
    if attribution:
        report(lambda _folder, told: who.measure(cases, first or 700, told, kinds), as_json)
    else:
        lives = range(first or 200, (first or 200) + seeds)
        report(lambda _folder, told: month.measure(lived, lives, told), as_json)


def report(measure: Callable[[Path, Callable[[str], None]], dict[str, Any]], as_json: bool) -> None:
    """Measure in a folder of its own, print, and exit with 1 where a reading was lost, doubled or changed."""
    folder = Path(tempfile.mkdtemp(prefix="gemel-bench-"))
    try:
        found = measure(folder, lambda words: click.echo(words, err=True))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        click.echo(json.dumps(found))
    else:
        for key, value in found.items():
            click.echo(f"{key:<28}{value:,}" if isinstance(value, (int, float)) else f"{key:<28}{value}")
    bad = ("lost", "duplicated", "wrong", "failed", "not_recovered")
    sys.exit(1 if any(found.get(name) for name in bad) else 0)
