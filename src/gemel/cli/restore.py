"""`gemel restore`: a back-up into a new data directory."""

import asyncio
import os
from pathlib import Path

import click
import msgspec

from gemel.assets import secret
from gemel.connect.times import parse_iso
from gemel.errors import ConfigError
from gemel.operate.backup import Manifest, Vault, put_back
from gemel.operate.backup.put_back import check_empty
from gemel.samples.clock import iso


@click.command(
    epilog="Example: gemel restore /mnt/backup/riverside --data /var/lib/gemel/riverside --at 2026-11-21T08:00:00Z"
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Data directory to make; it must be empty or not there.",
)
@click.option("--at", help="The newest back-up that is not younger than this [default: the newest].")
@click.option(
    "--key",
    default="",
    metavar="NAME",
    help="Secret that it was sealed with [default: the one named in the folder].",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(folder: Path, data: Path, at: str | None, key: str, as_json: bool) -> None:
    """Restore from FOLDER, where gemel backup wrote to; everything is checked on the way."""
    data = data.absolute()
    check_empty(data)
    vault = Vault.open(folder, lambda name: secret(name, data), key)
    manifest = _chosen(vault, at)
    told = asyncio.run(put_back(vault, manifest, data, lambda words: click.echo(f"  {words}", err=True)))
    if as_json:
        click.echo(
            msgspec.json.encode({**told, "at": iso(manifest.point.wall), "plant": manifest.plant}).decode()
        )
        return
    click.echo(f"{manifest.plant} as of {iso(manifest.point.wall)} lies in {data}")
    click.echo(f"  start it: gemel run {data / 'applied'} --data {data}")
    if os.environ.get("GEMEL_RECORD_HEAD"):
        click.echo(f"  GEMEL_RECORD_HEAD is set: move {data / 'record'}/* there before you start it")


def _chosen(vault: Vault, at: str | None) -> Manifest:
    upto = parse_iso(at) if at else None
    for backup in reversed(vault.manifests()):
        manifest = vault.load(backup)
        if upto is None or manifest.point.wall <= upto:
            return manifest
    raise ConfigError(
        f"there is no back-up {'of ' + at + ' or before' if at else ''} in {vault.folder}", code="no-backup",
        remedy="gemel verify FOLDER lists them",
    )  # fmt: skip
