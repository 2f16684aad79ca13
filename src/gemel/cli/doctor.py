"""`gemel doctor`: what is running, how far behind, what is wrong and what to do."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from gemel.cli import doctor_findings
from gemel.config import data_dir
from gemel.config.supervise import ask_health, ask_json, ask_text
from gemel.operate.places import Places, alive, read_running
from gemel.twin.own_alarms import ASSET


@click.command(epilog="Example: gemel doctor examples/water-loop")
@click.argument("plant", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(plant: Path | None, data: Path | None, as_json: bool) -> None:
    """Look at the twin of PLANT (or at --data) and explain its health."""
    if plant is None and data is None:
        raise click.UsageError("name a plant or give --data")
    places = Places(data_dir(plant or Path(), data))
    report = examine(places)
    if as_json:
        click.echo(json.dumps(report))
    else:
        show(report)
    sys.exit(1 if report["problems"] else 0)


def examine(places: Places) -> dict[str, Any]:
    """Gather what can be known from outside."""
    disk = shutil.disk_usage(places.data if places.data.exists() else Path.home())
    report: dict[str, Any] = {
        "data": str(places.data), "running": False, "url": None, "processes": {}, "problems": [],
        "disk": {"free_bytes": disk.free, "total_bytes": disk.total},
        "sizes": {name: _size(getattr(places, name)) for name in ("streams", "lake", "snapshots", "logs")},
    }  # fmt: skip
    problems = report["problems"]
    problems += doctor_findings.sealing_findings(places)
    running = read_running(places.data)
    if running is None or not alive(running.pid):
        problems.append(
            {"code": "not-running", "message": "nothing runs on this data", "remedy": "gemel run PLANT"}
        )
        report["last_errors"] = doctor_findings.last_errors(places.logs)
        return report
    report |= {"running": True, "url": running.url}
    health = ask_health(running.url)
    if health is None:
        problems.append(
            {
                "code": "page-away",
                "message": "the page does not answer",
                "remedy": f"see {places.logs}/serve.log",
            }
        )
        report["last_errors"] = doctor_findings.last_errors(places.logs)
        return report
    report |= {k: health.get(k) for k in ("status", "plant", "plant_time", "behind_s", "link", "processes")}
    problems += health.get("problems", [])
    if health.get("behind_s", 0) > 5:
        problems.append({"code": "behind", "message": f"the twin is {health['behind_s']:.0f} s behind its log",
                         "remedy": "it catches up by itself; if not, fewer signals or a faster disk"})  # fmt: skip
    if (text := ask_text(running.url, "/api/v1/metrics")) is not None:
        measures = doctor_findings.read_measures(text)
        report["measured"] = doctor_findings.summary(measures)
        problems += doctor_findings.findings(measures)
    report["alarms"] = _own_alarms(running.url, str(health.get("plant")))
    problems += [{"code": "own-alarm", "message": f"{a['id']}: {a['cause']}", "remedy": a["response"]} for a in report["alarms"]]
    return report


def _own_alarms(url: str, plant: str) -> list[dict[str, Any]]:
    listed = ask_json(url, "/api/v1/alarms") or {"items": []}
    return [a for a in listed["items"] if a["asset"] == f"{plant}/{ASSET}" and a["active"]]


def show(report: dict[str, Any]) -> None:
    """Print a report for people."""
    click.echo(
        f"data       {report['data']}  ({sum(report['sizes'].values()) / 1e6:.0f} MB; {report['disk']['free_bytes'] / 1e9:.1f} GB free)"
    )
    if report["running"]:
        click.echo(f"page       {report['url']}")
        click.echo(
            f"plant      {report.get('plant')}  at {report.get('plant_time')}, {report.get('behind_s') or 0:.2f} s behind"
        )
        for name, told in (report.get("processes") or {}).items():
            click.echo(f"  {name:<9}{told['state']}, restarted {told['restarts']} times")
    if told := report.get("measured"):
        click.echo(
            f"log        {told['log_filled_percent']} % full, {told['tail_rows']:.0f} readings wait for the lake (last commit {told['commit_s']:.2f} s), "
            f"snapshot {told['snapshot_age_s']:.0f} s old"
        )
        click.echo(
            f"readings   {told['readings']:.0f} judged, {told['doubted_percent']} % doubted, {told['refused']:.0f} messages refused; "
            f"from wire to state p99 {told['wire_to_state_p99_ms']:.0f} ms"
        )
        click.echo("memory     " + ", ".join(f"{name} {mb} MB" for name, mb in told["memory_mb"].items()))
    for line in report.get("last_errors", []):
        click.echo(f"  {line}")
    for p in report["problems"]:
        click.secho(f"! {p['message']}", fg="yellow")
        click.echo(f"  → {p['remedy']}")
    if not report["problems"]:
        click.secho("nothing is wrong", fg="green")


def _size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) if folder.exists() else 0
