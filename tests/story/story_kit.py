"""A running twin as somebody outside sees it: a command line, an HTTP face, a broker."""

import base64
import contextlib
import csv
import http.client
import io
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from gemel.bench.site import wait
from gemel.bus.server import die_with_parent, free_port

ALWAYS = {"start": "1990-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}


def gemel(*words, timeout=180, said="", **environment):
    """Run a command to its end, as a script would: piped."""
    return subprocess.run(
        [sys.executable, "-m", "gemel", *map(str, words)], input=said, capture_output=True, text=True,
        timeout=timeout, env={**os.environ, **environment}, preexec_fn=die_with_parent(),
    )  # fmt: skip


def child(out, *words, **environment):
    """Start a command that goes on; what it says goes into a file."""
    with out.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "gemel", *map(str, words)], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment}, preexec_fn=die_with_parent(),
        )  # fmt: skip


def end(process):
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def add_person(data, name, role):
    """Make somebody with `gemel user add`; gives name and password."""
    password = f"{name}-of-the-story"
    done = gemel("user", "add", name, "--role", role, "--password-stdin", "--data", data, said=password + "\n")
    assert done.returncode == 0, done.stderr
    return name, password


class Face:
    """The HTTP face of a twin, asked as one person or as nobody."""

    def __init__(self, port, person=None):
        self.port = port
        self.person = person

    def ask(self, method, path, body=None):
        """Give (status, what was answered)."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.person:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.person).encode()).decode()
        try:
            line.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
            reply = line.getresponse()
            text = reply.read().decode()
        except http.client.HTTPException as e:
            raise OSError(str(e)) from e
        finally:
            line.close()
        return reply.status, json.loads(text) if "json" in reply.getheader("Content-Type", "") else text

    def get(self, path, **query):
        status, told = self.ask("GET", path + ("?" + urlencode(query) if query else ""))
        if status != 200:
            raise OSError(f"{path}: {status} {str(told)[:300]}")
        return told

    def post(self, path, **body):
        return self.ask("POST", path, body)

    def post_rows(self, rows):
        return self.ask("POST", "telemetry", rows)

    def facts(self, kind, subject=None):
        return self.get("facts", kind=kind, limit=1000, **({"subject": subject} if subject else {}))["items"]

    def rows(self, signal, **query):
        """Every row there is, from the public CSV: [(time, value or None, status)]."""
        text = self.get("history", signal=signal, format="csv", **{**ALWAYS, **query})
        return [(r["time"], float(r["value"]) if r["value"] else None, r["status"]) for r in csv.DictReader(io.StringIO(text))]

    def shown(self, asset):
        return self.get(f"state/{asset}")["properties"]

    def quality(self):
        """Counters by signal, and what the connections say by name."""
        told = self.get("quality", limit=1000)
        return {i["signal"]: i for i in told["items"]}, {c["name"]: c for c in told["connections"]}

    def connected(self, name="field"):
        with contextlib.suppress(OSError):
            return self.quality()[1].get(name, {}).get("state") == "connected"
        return False

    def alarms(self):
        return {a["id"]: a for a in self.get("alarms")["items"]}

    def alarm_path(self, alarm, what):
        return f"alarms/{quote(alarm, safe='')}/{what}"


@dataclass
class Demo:
    """`gemel demo` as its user starts it, with the passwords that it printed."""

    data: Path
    out: Path
    more: tuple = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    def start(self):
        self.process = child(self.out, "demo", "--data", self.data, "--port", self.port, *self.more, GEMEL_RESERVE_BYTES=str(1 << 30))
        assert wait(lambda: "page" in self.said() or self.process.poll() is not None, 180), self.said()
        assert self.process.poll() is None, self.said()
        return self

    def said(self):
        return self.out.read_text()

    def stop(self):
        return end(self.process)

    @property
    def broker_port(self):
        return int(re.findall(r"mqtt://127\.0\.0\.1:(\d+)", self.said())[-1])

    def passwords(self):
        return dict(re.findall(r"(\w+)  password (\S+)", self.said()))

    def face(self, name=None):
        return Face(self.port, (name, self.passwords()[name]) if name else None)


def reads(face, asset, **values):
    """Send what an asset reads now, and wait until the last of it is shown."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert face.post_rows([{"signal": f"{asset}/{name}", "time": now, "value": value} for name, value in values.items()])[0] == 200
    name, value = list(values.items())[-1]
    assert wait(lambda: face.shown(asset)[name]["value"] == value, 60)
