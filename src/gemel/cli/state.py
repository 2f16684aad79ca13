"""`gemel state`: an asset now or at a past time, what differs between two times, and whether replay equals live."""

import asyncio
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from gemel.config import data_dir
from gemel.config.forking import verify_replay
from gemel.config.running import running_of
from gemel.errors import ConfigError, NotFoundError, StorageError
from gemel.operate.places import Places

TIMEOUT_S: Final = 30


@click.command(epilog="Example: gemel state PLANT acme/site/pump-1 --at 2026-11-21T10:00:00Z")
@click.argument("plant", type=click.Path(path_type=Path))
@click.argument("asset", required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option("--at", help="What was so at this time (ISO 8601); now, if left out.")
@click.option("--known", help="From what had been received by this time.")
@click.option("--diff", metavar="TIME", help="Against this earlier time: what differs, and the facts between.")
@click.option("--verify", is_flag=True, help="Replay the log from the oldest kept snapshot and compare bit for bit.")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
def command(
    plant: Path, asset: str | None, data: Path | None, at: str | None, known: str | None, diff: str | None,
    verify: bool, as_json: bool,
) -> None:  # fmt: skip
    """Give the state of an ASSET of a running twin."""
    folder = data_dir(plant, data)
    if verify:
        _verify(Places(folder), as_json=as_json)
        return
    if asset is None:
        raise click.UsageError("name an asset, or --verify")
    if diff is not None:
        told = _asked(folder, f"state/{asset}/diff", {"from": diff, "to": at})
        click.echo(json.dumps(told) if as_json else "\n".join(_differences(told)))
        return
    told = _asked(folder, f"state/{asset}", {"at": at, "known": known, "include": ["alarms", "plant", "provenance"]})
    click.echo(json.dumps(told) if as_json else "\n".join(_state(told)))


def _verify(places: Places, *, as_json: bool) -> None:
    found = asyncio.run(verify_replay(places))
    if as_json:
        told = {"ok": found.ok, "since": found.since, "upto": found.upto, "signals": found.signals, "differs": list(found.differs)}
        click.echo(json.dumps(told))
    else:
        span = f"{found.upto - found.since} messages of the log replayed, {found.signals} signals"
        click.echo(f"{span}: " + ("the same as live, bit for bit" if found.ok else "DIFFERS in " + ", ".join(found.differs)))
    sys.exit(0 if found.ok else 1)


def _asked(data: Path, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in query.items() if value is not None}
    url = f"{running_of(Places(data)).url}/api/v1/{urllib.parse.quote(path)}?{urllib.parse.urlencode(given, doseq=True)}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own address
            return dict(json.load(answer))
    except urllib.error.HTTPError as e:
        told = json.loads(e.read() or b"{}")
        kind = NotFoundError if e.code == 404 else ConfigError
        raise kind(told.get("detail", str(e)), remedy=told.get("remedy", ""), code=told.get("code")) from None
    except OSError as e:
        raise StorageError(f"the twin does not answer: {e}", code="twin-away", remedy="gemel doctor PLANT") from None


def _number(shown: Mapping[str, Any]) -> str:
    value = shown["text"] or shown["value"]
    return "-" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def _state(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['asset']} at {told['at']}"
    for name, shown in told["properties"].items():
        yield f"  {name:30} {_number(shown):>14} {shown['unit']:8} {shown['quality']:10} {shown['time'] or 'never'}{_surety(shown.get('provenance') or {})}"
    for alarm in told["alarms"]:
        yield f"  alarm {alarm['id'].rpartition('/')[2]}: {alarm['state'].replace('_', ' ')}, since {alarm['since']}"
    if told["plant"]:
        yield f"  plant file {told['plant']['digest'][:12]} in force since {told['plant']['since']}"


def _surety(told: Mapping[str, Any]) -> str:
    """Say how uncertain a value is, and which model of which version gave it, where that is known."""
    sigma, origin = told.get("sigma"), told.get("origin") or {}
    by = origin.get("version") if origin.get("by") and origin.get("version") else origin.get("by")
    return ("" if sigma is None else f"  ± {sigma:.3g}") + (f"  by {by}" if by else "")


def _differences(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['asset']} from {told['from']} to {told['to']}"
    for p in told["properties"]:
        by = "" if p["delta"] is None else f"{p['delta']:+.6g}"
        mark = " ".join(p["changed"]) or "same"
        yield f"  {p['property']:30} {_number(p['before']):>14} {_number(p['after']):>14} {by:>12} {p['after']['unit']:8} {mark}"
    for alarm in told["alarms"]:
        yield f"  alarm {alarm['id'].rpartition('/')[2]}: {alarm['before']} -> {alarm['after']}"
    for fact in told["facts"]:
        yield f"  fact {fact['seq']} {fact['at']} {fact['kind']} by {fact['actor']} {fact['reason']}".rstrip()
