"""Options of commands that read files of the past: which column is which signal, and which one is time."""

from collections.abc import Callable, Sequence
from typing import Any

import click


def mapped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--map`, as `mapping`; `pairs` reads it."""
    return click.option(
        "--map",
        "mapping",
        multiple=True,
        metavar="COLUMN=SIGNAL",
        help="Which column is which signal, where names do not say.",
    )(command)


def timed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--time` and `--time-unit`, as `time_column` and `time_unit`."""
    unit = click.option(
        "--time-unit",
        type=click.Choice(["s", "ms", "us", "ns", "iso"]),
        help="Of the time column [default: found].",
    )
    return click.option("--time", "time_column", help="Name of the time column [default: found].")(unit(command))


def pairs(mapping: Sequence[str]) -> dict[str, str]:
    """Give the signal of each column that `--map` names; click.BadParameter where one is no such pair."""
    found: dict[str, str] = {}
    for pair in mapping:
        column, mark, signal = pair.rpartition("=")
        if not (mark and column and signal):
            raise click.BadParameter(f"{pair!r} is not COLUMN=SIGNAL", param_hint="--map")
        found[column] = signal
    return found
