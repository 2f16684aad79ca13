"""`gemel backup`: a twin's data into a folder of back-ups, while it runs."""

import asyncio
from pathlib import Path
from typing import Any

import click
import msgspec

from gemel.assets import secret
from gemel.config import data_dir
from gemel.config.reach import reach
from gemel.config.settings import plant_root
from gemel.errors import ConfigError
from gemel.operate.backup import Manifest, Plain, Sealed, Source, Vault, take
from gemel.operate.backup.vault import is_vault
from gemel.operate.places import Places
from gemel.samples.clock import iso


@click.command(epilog="Example: gemel backup plant --to /mnt/backup/riverside --key backup --keep 30")
@click.argument("plant", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of back-ups; made if it is not there.",
)
@click.option(
    "--key",
    default="",
    metavar="NAME",
    help="Secret that seals it: GEMEL_SECRET_<NAME>, or secrets/<name> of the data.",
)
@click.option("--plain", is_flag=True, help="Leave the back-up unencrypted; secrets are then left out of it.")
@click.option("--keep", type=click.IntRange(1), help="Keep so many back-ups, the newest ones [default: all].")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    plant: Path | None,
    data: Path | None,
    folder: Path,
    key: str,
    plain: bool,
    keep: int | None,
    as_json: bool,
) -> None:
    """Back up the twin of PLANT (or --data): state, history, log and record as of one moment; only what is new is written."""
    if plant is None and data is None:
        raise click.UsageError("name a plant or give --data")
    places = Places(data_dir(plant or Path(), data))
    vault = _vault(places, folder.absolute(), key, plain=plain)
    with vault.writing():
        manifest = asyncio.run(_run(places, vault))
        gone, freed = vault.keep(keep) if keep else ([], 0)
    report = {**summary(manifest), "folder": str(folder), "dropped": gone, "freed_bytes": freed}
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    click.echo(
        f"back-up {manifest.id}: {manifest.size / 1e6:,.1f} MB, of which {manifest.new_bytes / 1e6:,.1f} MB are new"
    )
    click.echo(f"  as of position {manifest.point.position} of the log, fact {manifest.point.facts}")
    if gone:
        click.echo(f"  dropped {len(gone)} older ones, {freed / 1e6:,.1f} MB given back")


def summary(manifest: Manifest) -> dict[str, Any]:
    """Give what is told of a back-up."""
    return {
        "id": manifest.id, "at": iso(manifest.point.wall), "plant": manifest.plant, "position": manifest.point.position,
        "facts": manifest.point.facts, "bytes": manifest.size, "new_bytes": manifest.new_bytes,
    }  # fmt: skip


def _vault(places: Places, folder: Path, key: str, *, plain: bool) -> Vault:
    if is_vault(folder):
        return Vault.open(folder, lambda name: secret(name, places.data), key)
    if bool(key) == plain:
        raise ConfigError(
            "say how the back-up is to be sealed", code="backup-seal",
            remedy="--key NAME seals it with a secret; --plain leaves it readable for whoever can read the folder",
        )  # fmt: skip
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder} holds something else",
            code="backup-folder",
            remedy="name an empty folder, or a new one",
        )
    return Vault.create(folder, Plain() if plain else Sealed(secret(key, places.data), key))


async def _run(places: Places, vault: Vault) -> Manifest:
    async with reach(places) as (bus, live):
        source = Source(places, bus, live, plant_root(places.applied), with_secrets=vault.sealed)
        manifest = await take(source, vault, lambda words: click.echo(f"  {words}", err=True))
        if live:
            note = {
                "do": "note",
                "kind": "BackupMade",
                "actor": "gemel",
                "body": {k: summary(manifest)[k] for k in ("id", "position", "bytes")},
            }
            await bus.ask("twin.ask", note, timeout_s=20)
        return manifest
