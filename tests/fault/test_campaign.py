"""The campaign of `gemel bench faults` in small: it counts right, and finds nothing."""

import json

import numpy as np
from story_kit import gemel

from gemel.bench import faults
from gemel.bench.faults import Campaign, Tally


def test_a_small_campaign_loses_nothing():
    done = gemel("bench", "faults", "--kills", 3, "--instances", 1, "--json", timeout=280)
    told = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, told
    assert (told["kills"], told["not_recovered"], told["failed"]) == (3, 0, [])
    assert told["sent"] >= told["acknowledged"] == told["read_back"] > 100
    assert (told["lost"], told["duplicated"], told["wrong"]) == (0, 0, 0)
    assert told["replays_equal"] == told["records_whole"] == 1


class Sent:
    """Ten readings."""

    times = [1_000 + n for n in range(10)]
    sent = published = 10


def stored(tmp_path, numbers, times=None):
    """Compare a lake that holds some readings with the ten that were sent and acknowledged."""
    from types import SimpleNamespace

    from gemel.history import Store
    from gemel.samples import Batch, Registry

    registry = Registry.of([{"path": f"bench/load/hall/rig-{n // 10:06}/s{n % 10}"} for n in range(20)])
    (tmp_path / "registry.arrow").write_bytes(registry.to_bytes())
    at = np.array([Sent.times[n] for n in numbers] if times is None else times)
    n = len(numbers)
    with Store.open(tmp_path / "lake") as store:
        rows = Batch.of(signal=numbers, time=at, received=at + np.arange(n), value=np.array(numbers, float), status=np.zeros(n))
        store.commit(0, store.take_over(0), 1, rows)
    site = SimpleNamespace(places=SimpleNamespace(registry=tmp_path / "registry.arrow", lake=tmp_path / "lake"))
    return faults.compare(site, Sent(), np.arange(10))


def test_the_count_sees_what_is_lost_doubled_and_wrong(tmp_path):
    whole = list(range(10))
    for name, numbers, times, want in [
        ("whole", whole, None, (0, 0, 0)),
        ("lost", whole[:-2], None, (2, 0, 0)),
        ("doubled", [*whole, 3], None, (0, 1, 0)),
        ("wrong time", whole, [*Sent.times[:-1], 5], (1, 0, 1)),
    ]:
        (tmp_path / name).mkdir()
        told = stored(tmp_path / name, numbers, times)
        assert (told["lost"], told["duplicated"], told["wrong"]) == want, name


def test_the_report_keeps_what_went_wrong():
    bad = Tally(recoveries=[("twin", 1.0), ("twin+nats", 7.0)], kills=4, not_recovered=["nats"], found={"lost": 2, "failed": "why"})
    told = faults._report(Campaign(4, 2), [bad, Tally()], 10)
    assert (told["kills"], told["over_5_s"], told["not_recovered"], told["lost"], told["failed"]) == (4, 1, 1, 2, ["why"])
    assert told["by_process"]["two at once"]["n"] == 1
