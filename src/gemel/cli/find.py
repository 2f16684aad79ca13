"""`gemel find`: assets by type, place, part, relation and value."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gemel.cli.source import asking, opened

if TYPE_CHECKING:
    from gemel.face import Table


@click.command(epilog="Example: gemel find plant --type Pump --downstream-of tank-1 --where 'wear>0.2'")
@asking
@click.option("--type", help="Of this type, or of one that extends it.")
@click.option("--name", metavar="WORDS", help="Words that are all in its path below the site or in its title.")
@click.option("--under", metavar="PATH", help="What stands under a path.")
@click.option("--part-of", metavar="ASSET", help="Parts of an asset or a level, and their parts.")
@click.option("--downstream-of", metavar="ASSET", help="What an asset feeds, over others too.")
@click.option("--upstream-of", metavar="ASSET", help="What feeds an asset, over others too.")
@click.option("--related-to", metavar="ASSET", help="What is reached from an asset along --relation.")
@click.option("--relation", default="feeds", show_default=True, help="The word of a relation, with --related-to.")
@click.option("--direction", type=click.Choice(["out", "in", "both"]), default="out", show_default=True, help="From --related-to on, towards it, or both.")
@click.option("--depth", type=click.IntRange(1), help="Most steps along relations and parts [default: any].")
@click.option("--where", multiple=True, metavar="CONDITION", help="Such as wear>0.2, 'head<=3 bar', running=stopped; all must hold.")
@click.option("--quality", type=click.Choice(["none", "good", "uncertain", "bad", "stale", "substituted", "simulated", "manual"]), help="One of its properties is of this quality.")
@click.option("--alarm/--no-alarm", default=None, help="Whether one of its alarms is not normal.")
@click.option("--limit", type=click.IntRange(1), help="At most so many [default: all].")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the output.")
def command(
    plant: str, data: Path | None, user: str | None, password_stdin: bool, ca: Path | None, as_json: bool, **query: Any
) -> None:  # fmt: skip
    """Find the assets for which everything asked holds. ASSET is a path, or a name that only one has.

    Exit code 1: there is none.
    """
    with opened(plant, data, user, password_stdin, ca) as twin:
        found = twin.find(**query)
    if as_json:
        click.echo(json.dumps({"items": list(found)}))
    else:
        _show(found)
    sys.exit(0 if len(found) else 1)


def _show(found: "Table") -> None:
    values = [name for name in found.columns if name not in ("path", "name", "title", "type", "parent")]
    for row in found:
        told = "".join(f"  {name} {row[name]:.6g}" for name in values)
        click.echo(f"{row['path']}  {click.style(row['type'], dim=True)}{told}")
    if not len(found):
        click.echo("no asset is so", err=True)
