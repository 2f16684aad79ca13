"""Thin commands: each in a file of its own, loaded when it is called."""

import importlib
import sys
from typing import Final

import click

from gemel import __version__
from gemel.errors import GemelError

COMMANDS: Final = {
    "backup": "Back up a twin's data while it runs.",
    "bench": "Measure speed on this machine.",
    "calibrate": "Fit the parameters of a machine's model to its past.",
    "check": "Read a plant file and report everything that is wrong in it.",
    "demo": "Start a pumping station and its twin.",
    "doctor": "Say what is running, how far behind it is, what is wrong and what to do.",
    "find": "Find assets by type, place, relation and value.",
    "history": "Ask the history, or export it.",
    "init": "Look at a broker or at files, and write a first plant file.",
    "plan": "Say what a changed plant file would do and lose; apply it to a running twin.",
    "release": "Say what calibrations propose, and put it in force.",
    "replay": "Send files through a broker into a running twin.",
    "life": "Say how long something will live, and what more load or an overhaul does to that.",
    "restore": "Restore a back-up into a new data directory.",
    "run": "Run the twin of a plant.",
    "seal": "Seal data at rest under a secret, or have another secret open them.",
    "state": "Give an asset now or at a past time; check that replay equals live.",
    "whatif": "Try out what would come of a change, beside the plant.",
    "user": "Add, list and remove people.",
    "verify": "Check every byte of back-ups, or of a data directory.",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"gemel.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_Lazy)
@click.version_option(__version__, prog_name="gemel")
def group() -> None:
    """Gemel keeps a living digital twin of a plant.

    Example: gemel demo
    """


def main() -> None:
    """Run the command line: exit code 0 good, 1 found something wrong, 2 used wrongly."""
    try:
        group(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(2)
    except GemelError as e:
        click.secho(f"gemel: {e.message}", fg="red", err=True)
        if e.remedy:
            click.echo(f"  {e.remedy}", err=True)
        sys.exit(2)
