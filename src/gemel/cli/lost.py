"""Says on the error output which readings damage took of what a command read."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gemel.face.missing import Missing


def tell_lost(missing: Iterable["Missing"]) -> None:
    """Say each span once."""
    for span in dict.fromkeys(missing):
        click.secho(f"readings were lost to damage from {span}", err=True, bold=True)
