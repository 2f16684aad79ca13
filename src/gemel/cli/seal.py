"""`gemel seal`: seals data that lie in the clear, or has another secret open them."""

from pathlib import Path

import click

from gemel.config import data_dir
from gemel.config.sealing import seal_all
from gemel.operate.places import Places


@click.command(epilog="Example: gemel seal plant --key rest")
@click.argument("plant", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option(
    "--key", required=True, metavar="NAME", help="Secret that opens the data from now on: GEMEL_SECRET_<NAME>."
)
def command(plant: Path | None, data: Path | None, key: str) -> None:
    """Seal the data of PLANT (or --data), on which nothing may run; with another secret than before, only that is changed."""
    if plant is None and data is None:
        raise click.UsageError("name a plant or give --data")
    places = Places(data_dir(plant or Path(), data))
    done = seal_all(places, key, lambda words: click.echo(f"  {words}", err=True))
    if done.reopened:
        click.echo(f"the secret {key} opens {places.data} from now on, and the former one does not")
    else:
        click.echo(f"{places.data} is sealed: {done.files} files, {done.bytes / 1e6:,.1f} MB")
