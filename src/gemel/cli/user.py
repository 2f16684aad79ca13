"""`gemel user`: who may log in."""

import json as jsonlib
import os
import sys
from pathlib import Path

import click

from gemel.serve.users import ROLES, Role, Users


def _data(given: Path | None) -> Path:
    if given is not None:
        return given
    if home := os.environ.get("GEMEL_DATA"):
        return Path(home)
    raise click.UsageError("say whose people: --data DIR, the data directory that `gemel run` prints")


_data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the twin."
)


@click.group(epilog="Example: gemel user add anna --role operator --data DIR")
def command() -> None:
    """Add, list and remove people; a running twin takes it at once."""


@command.command(epilog="Example: gemel user add anna --role operator --data DIR")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What they may do: look; command; approve."
)
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
@_data_option
def add(name: str, role: Role, password_stdin: bool, data: Path | None) -> None:
    """Add NAME, or give them another role and password."""
    users = Users(_data(data) / "users.json")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    users.add(name, role, password)
    click.echo(f"{name} is {role}")


@command.command(name="list", epilog="Example: gemel user list --data DIR")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@_data_option
def list_(as_json: bool, data: Path | None) -> None:
    """List the people."""
    people = [{"name": u.name, "role": u.role} for u in Users(_data(data) / "users.json").all().values()]
    if as_json:
        click.echo(jsonlib.dumps(people))
        return
    for person in people:
        click.echo(f"{person['name']}\t{person['role']}")
    if not people:
        click.echo("nobody yet: gemel user add NAME --role engineer", err=True)


@command.command(epilog="Example: gemel user remove anna --data DIR")
@click.argument("name")
@_data_option
def remove(name: str, data: Path | None) -> None:
    """Remove NAME; their sessions end."""
    Users(_data(data) / "users.json").remove(name)
    click.echo(f"{name} is removed")
