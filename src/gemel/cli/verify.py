"""`gemel verify`: every byte of back-ups, or of a data directory."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from gemel.assets import secret
from gemel.cli.backup import summary
from gemel.config.reach import reach
from gemel.errors import ConfigError
from gemel.operate.backup import Vault
from gemel.operate.backup.examine import examine
from gemel.operate.backup.vault import is_vault
from gemel.operate.backup.verify import Problem, damaged_chunks, verify
from gemel.operate.places import Places
from gemel.samples.clock import iso


@click.command(epilog="Example: gemel verify /mnt/backup/riverside --all")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--all", "every", is_flag=True, help="Every back-up [default: the newest].")
@click.option(
    "--key",
    default="",
    metavar="NAME",
    help="Secret that it was sealed with [default: the one named in the folder].",
)
@click.option(
    "--discard-damaged",
    is_flag=True,
    help="Remove damaged pieces, so that the next back-up stores them anew.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(folder: Path, every: bool, key: str, discard_damaged: bool, as_json: bool) -> None:
    """Check FOLDER, a folder of back-ups or the data directory of a twin, running or not; exit code 1 where something is wrong."""
    folder = folder.absolute()
    found = _backups(folder, key, every=every, discard=discard_damaged) if is_vault(folder) else _data(folder)
    problems: list[Problem] = found["problems"]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _show(found, problems)
    sys.exit(1 if problems else 0)


def _backups(folder: Path, key: str, *, every: bool, discard: bool) -> dict[str, Any]:
    vault = Vault.open(folder, lambda name: secret(name, folder), key)
    backups = vault.manifests()
    if not backups:
        raise ConfigError(
            f"there is no whole back-up in {folder}",
            code="no-backup",
            remedy="gemel backup PLANT --to FOLDER",
        )
    manifests = [vault.load(b) for b in (backups if every else backups[-1:])]
    checked = [verify(vault, m, _told) for m in manifests]
    problems = [p for c in checked for p in c.problems]
    if discard and problems:
        for name in damaged_chunks(vault, manifests):
            vault.discard(name)
    return {
        "folder": str(folder),
        "backups": [summary(m) for m in manifests],
        "checked": checked,
        "problems": problems,
    }


def _data(folder: Path) -> dict[str, Any]:
    places = Places(folder)

    async def run() -> Any:
        async with reach(places) as (bus, _live):
            return await examine(places, bus, _told)

    found = asyncio.run(run())
    return dict(msgspec.structs.asdict(found))


def _told(words: str) -> None:
    click.echo(f"  {words}", err=True)


def _show(found: dict[str, Any], problems: list[Problem]) -> None:
    for backup in found.get("backups", ()):
        click.echo(
            f"back-up {backup['id']} of {backup['plant']}: {backup['bytes'] / 1e6:,.1f} MB, position {backup['position']}"
        )
    if "rows" in found:
        click.echo(
            f"{found['files']} files with {found['rows']:,} rows, {found['frames']:,} frames, {found['facts']:,} facts"
        )
    for p in problems:
        span = f" [{iso(p.start)} … {iso(p.end)}]" if p.end else ""
        click.secho(f"! {p.where}: {p.why}{span}", fg="red")
    if not problems:
        click.secho("everything is whole", fg="green")
