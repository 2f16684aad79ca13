"""Whom a command asks: a running twin by its address, or a plant's data, whether its twin runs or not."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gemel.config import data_dir
from gemel.errors import ConfigError

FC = TypeVar("FC", bound=Callable[..., Any])


def asking(function: FC) -> FC:
    """Give a command the argument PLANT and the options that say whom it asks; they come as one mapping, `source`."""
    for option in (
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            help="Data directory of the twin [default: the plant's].",
        ),
        click.option("--user", help="Who asks a twin by its address; the password is asked for."),
        click.option(
            "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
        ),
        click.option(
            "--ca",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="PEM file that the certificate at an address must come from.",
        ),
        click.argument("plant", metavar="PLANT|URL"),
    ):
        function = option(function)
    return function


def opened(plant: str, data: Path | None, user: str | None, password_stdin: bool, ca: Path | None) -> Any:
    """Open the twin that a command was told of; raises ConfigError where there are no data."""
    from gemel.face import open as open_twin

    if plant.startswith(("http://", "https://")):
        return open_twin(plant, user=user, password=_password(user, password_stdin), ca=ca)
    if user is not None or ca is not None:
        raise click.UsageError(
            "--user and --ca go with an address; who can read the data directory needs none"
        )
    folder = data_dir(Path(plant), data)
    if not (folder / "registry.arrow").exists():
        raise ConfigError(
            f"no data of a twin in {folder}",
            remedy="start it once with gemel run, or name its directory with --data",
        )
    return open_twin(folder)


def _password(user: str | None, stdin: bool) -> str:
    if user is None:
        return ""
    return (
        sys.stdin.readline().rstrip("\n")
        if stdin
        else str(click.prompt("password", hide_input=True, err=True))
    )
