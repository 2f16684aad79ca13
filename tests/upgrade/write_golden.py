"""Writes what a released version leaves on the disk: run it with that version's code, once, when it is released.

    PYTHONPATH=<that version's src> python tests/upgrade/write_golden.py 0.1.0 > tests/upgrade/0.1.0.golden

It uses what is stable only: the command line and HTTP. The first line is what was asked of the running twin, as JSON;
the rest is the data directory after a clean end, tar, xz, base64.
"""

import base64
import http.client
import io
import json
import lzma
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
from pathlib import Path

PLANT = """
plant: test/upgrade
clock: data
writes: true
connections: {field: {mqtt: "mqtt://127.0.0.1:9"}}
types:
  Tank:
    source: {from: field, topic: "tank/{signal}", path: "$.v", time: "$.t"}
    signals:
      level: {unit: m, range: [0, 10], alarm: {high: 8, delay: 1 s}}
      valve: {states: [closed, open]}
assets:
  tank-1: {type: Tank, at: hall}
  tank-2: {type: Tank, at: hall}
"""
START = 1_760_000_000
LEFT_OUT = {"ballast", "lock", "logs", "run.json", "run.log", "token", "settings.json"}


def main(version: str) -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    said = ("user", "add", "ann", "--role", "engineer", "--password-stdin", "--data", str(folder / "data"))
    subprocess.run([sys.executable, "-m", "gemel", *said], input="a password of ann\n", text=True, check=True, stdout=sys.stderr)
    command = ("run", str(folder / "plant"), "--data", str(folder / "data"), "--port", str(port), "--reserve", "1000000")
    environment = {**os.environ, "GEMEL_LOG_BYTES": str(64 << 20)}
    twin = subprocess.Popen([sys.executable, "-m", "gemel", *command], env=environment, stdout=sys.stderr)
    try:
        expected = {"version": version, **story(port)}
    finally:
        twin.send_signal(signal.SIGTERM)
        twin.wait(20)
    print(json.dumps(expected, sort_keys=True))
    print(packed(folder / "data"))


def story(port: int) -> dict:
    """Send readings over two commits, raise an alarm, and ask what the twin makes of it."""
    wait(lambda: ask(port, "GET", "health").get("link", {}).get("up"))
    for part in range(2):
        rows = [
            {"signal": f"test/upgrade/hall/tank-{tank}/{name}", "time": stamp(START + part * 200 + i), "value": value}
            for i in range(120)
            for tank in (1, 2)
            for name, value in (("level", round(tank + part * 6 + i / 64, 6)), ("valve", (i // 40) % 2))
        ]
        wait(lambda: ask(port, "POST", "telemetry", rows))
        time.sleep(12)  # a commit of its own
    wait(lambda: ask(port, "GET", "alarms")["items"])
    alarm = ask(port, "GET", "alarms")["items"][0]["id"]
    ask(port, "POST", f"alarms/{alarm.replace('/', '%2F')}/acknowledge", {"comment": "seen"})
    time.sleep(1)
    return asked(port)


def asked(port: int) -> dict:
    """Give what must be the same after an upgrade."""
    every = "start=2020-01-01T00:00:00Z&end=2030-01-01T00:00:00Z"
    paths = [f"test/upgrade/hall/tank-{n}/{name}" for n in (1, 2) for name in ("level", "valve")]
    history = {p: ask(port, "GET", f"history?signal={p}&{every}") for p in paths}
    facts = ask(port, "GET", "facts?limit=1000")["items"]
    return {
        "history": {p: {k: h[k] for k in ("time", "value", "status")} for p, h in history.items()},
        "state": {
            f"tank-{n}": {k: v["value"] for k, v in ask(port, "GET", f"state/test/upgrade/hall/tank-{n}")["properties"].items()} for n in (1, 2)
        },
        "alarms": sorted((a["id"], a["state"]) for a in ask(port, "GET", "alarms")["items"]),
        "facts": [(f["seq"], f["id"], f["kind"]) for f in facts],
    }


def ask(port: int, method: str, path: str, body: object = None) -> dict:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        auth = {"Authorization": "Basic " + base64.b64encode(b"ann:a password of ann").decode()}
        line.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), {"Content-Type": "application/json", **auth})
        reply = line.getresponse()
        told = json.loads(reply.read())
        if reply.status >= 300:
            raise OSError(f"{path}: {reply.status} {told}")
        return told
    except http.client.HTTPException as e:
        raise OSError(str(e)) from e
    finally:
        line.close()


def wait(condition, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if condition():
                return
        except (OSError, KeyError):
            pass
        time.sleep(0.1)
    raise SystemExit("it did not come")


def stamp(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def packed(data: Path) -> str:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for file in sorted(data.rglob("*")):
            name = file.relative_to(data)
            if file.is_file() and name.parts[0] not in LEFT_OUT and "scratch" not in name.parts and file.suffix != ".conf":
                about = tar.gettarinfo(file, str(name))
                about.uid = about.gid = 0
                about.uname = about.gname = ""
                with file.open("rb") as content:
                    tar.addfile(about, content)
    return "\n".join(textwrap.wrap(base64.b64encode(lzma.compress(whole.getvalue(), preset=9)).decode(), 120))


if __name__ == "__main__":
    main(sys.argv[1])
