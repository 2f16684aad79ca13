"""`gemel user`: who may log in."""

import json as jsonlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gemel.config.settings import data_dir, data_home
from gemel.serve.users import ROLES, Role, Users

FC = TypeVar("FC", bound=Callable[..., Any])


def _users(plant: Path | None, data: Path | None) -> Users:
    if plant is not None or data is not None:
        return Users(data_dir(plant or Path(), data) / "users.json")
    home = data_home()
    found = sorted(d for d in home.iterdir() if d.is_dir()) if home.is_dir() else []
    if len(found) != 1:
        several = ": " + ", ".join(str(d) for d in found) if found else ""
        raise click.UsageError(
            f"say of which twin: --plant PLANT, or --data DIR as gemel run prints it{several}"
        )
    return Users(found[0] / "users.json")


def _of_twin(function: FC) -> FC:
    plant = click.option(
        "--plant", type=click.Path(path_type=Path), help="Plant file, to find its data directory."
    )
    data = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        help="Data directory [default: the only one there is].",
    )
    return plant(data(function))


@click.group(epilog="Example: gemel user add anna --role operator --data DIR")
def command() -> None:
    """Add, list and remove people; a running twin takes it at once."""


@command.command(epilog="Example: gemel user add anna --role operator --data DIR")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    required=True,
    help="A viewer looks, an operator also commands, an engineer also approves.",
)
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
@_of_twin
def add(name: str, role: Role, password_stdin: bool, plant: Path | None, data: Path | None) -> None:
    """Add NAME, or give them another role and password."""
    users = _users(plant, data)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    users.add(name, role, password)
    click.echo(f"{name} is {role}")


@command.command(name="list", epilog="Example: gemel user list --data DIR")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@_of_twin
def list_(as_json: bool, plant: Path | None, data: Path | None) -> None:
    """List the people."""
    people = [{"name": u.name, "role": u.role} for u in _users(plant, data).all().values()]
    if as_json:
        click.echo(jsonlib.dumps(people))
        return
    for person in people:
        click.echo(f"{person['name']}\t{person['role']}")
    if not people:
        click.echo("nobody yet: gemel user add NAME --role engineer", err=True)


@command.command(epilog="Example: gemel user remove anna --data DIR")
@click.argument("name")
@_of_twin
def remove(name: str, plant: Path | None, data: Path | None) -> None:
    """Remove NAME; their sessions end."""
    _users(plant, data).remove(name)
    click.echo(f"{name} is removed")
