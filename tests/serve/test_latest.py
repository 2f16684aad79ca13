"""What is so now, of many properties in one answer."""

import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest
from pace_kit import allowed
from serve_fake import OTHER, PUMP, FakeTwin, Values

import gemel
from gemel.assets import load


def test_all_properties_now_with_their_quality(anybody):
    items = anybody.get("/latest").json()["items"]
    told = {i["signal"]: i for i in items}
    assert len(items) == 8
    assert (told[f"{PUMP}/flow"]["value"], told[f"{PUMP}/flow"]["quality"], told[f"{PUMP}/flow"]["unit"]) == (120.5, "good", "m3/h")
    assert (told[f"{OTHER}/flow"]["value"], told[f"{OTHER}/flow"]["quality"], told[f"{OTHER}/flow"]["time"]) == (None, "none", None)
    first = anybody.get("/latest", params={"limit": 3}).json()
    rest = anybody.get("/latest", params={"after": first["next"]}).json()
    assert first["items"] + rest["items"] == items


def test_only_what_is_meant_and_as_a_file(anybody):
    table = pa.ipc.open_stream(anybody.get("/latest", params={"signal": "*/flow", "format": "arrow"}).content).read_all()
    assert table["signal"].to_pylist() == [f"{PUMP}/flow", f"{OTHER}/flow"]
    assert table["value"].to_pylist() == [120.5, None]
    assert anybody.get("/latest", params={"signal": "flux"}).status_code == 404
    assert anybody.get("/latest", headers={"Accept": "text/csv"}).text.splitlines()[0] == "signal,unit,value,quality,status,lane,time,received"


def test_python_reads_them_in_a_line(server, twin):
    frame = gemel.open(server.url).latest("pump-1/*").to_pandas()
    assert frame.set_index("signal").loc[f"{PUMP}/speed", "value"] == 1450.0
    twin.up = False
    assert set(gemel.open(server.url).latest("pump-1/*")["quality"]) == {"stale"}


@pytest.fixture
def large(tmp_path, serve, twin):
    """A hundred thousand signals, all seen."""
    names = "\n".join(f"p{i},line-{i % 100}" for i in range(20_000))
    (tmp_path / "pumps.csv").write_text(f"name,at\n{names}\n")
    (tmp_path / "plant.yaml").write_text(
        "plant: acme/big\ntypes: {P: {signals: {a: {unit: bar}, b: {unit: bar}, c: {unit: bar}, d: {unit: bar}, e: {unit: bar}}}}\n"
        "assets: {p: {type: P, table: pumps.csv}}\n"
    )
    twin.plant = load(tmp_path)
    twin.registry = twin.plant.registry()
    twin.values = v = Values(len(twin.registry))
    n = len(twin.registry)
    v.value[:], v.time[:], v.received[:], v.seen[:], v.stale[:] = np.random.default_rng(1).random(n), v.plant_time, v.plant_time, True, False
    return serve()


def test_a_hundred_thousand_signals_leave_at_once(large):
    spent = []
    with gemel.open(large.url) as twin:
        for _ in range(20):
            began = time.perf_counter()
            table = twin.latest()
            spent.append((time.perf_counter() - began) * 1e3)
    assert len(table) == 100_000 and table.arrow["value"].null_count == 0
    print(f"latest of 100,000 signals by HTTP, in Python: p50 {np.median(spent):.1f} ms, best {min(spent):.1f} ms")
    assert np.median(spent) < allowed(1000)


WITHOUT_PANDAS = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
import pyarrow as pa
from gemel.serve.routes.latest import _items
when = pa.array([1_700_000_000_000_000_007, None], pa.timestamp("ns", "UTC"))
print([i["time"] for i in _items(pa.record_batch({"time": when, "received": when}))])
"""


def test_json_gives_times_to_the_nanosecond_where_there_is_no_pandas():
    """Arrow asks pandas for such a time; a twin that serves has none of it."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_PANDAS], capture_output=True, text=True, timeout=240)
    assert done.stdout.strip() == "['2023-11-14T22:13:20.000000007Z', None]", done.stderr
