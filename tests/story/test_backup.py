"""The restore drill: a back-up taken under load, put back elsewhere, and compared with the original at its position."""

import asyncio
import json
import shutil

import numpy as np
import pytest
from kit import Sender, get, rig, settled
from story_kit import gemel

from gemel.bench.site import running, wait
from gemel.config.apply import applied
from gemel.config.reach import reach
from gemel.history import Reader
from gemel.operate.partition import Partition
from gemel.operate.places import Places
from gemel.operate.replay import replay
from gemel.operate.snapshots import SnapshotFolder
from gemel.twin.record import Record

KEY = {"GEMEL_SECRET_BACKUP": "a long secret of the drill"}


def run(*words, code=0, **environment):
    done = gemel(*words, "--json", **{**KEY, **environment})
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else done.stderr


def folded(places, upto):
    """State at a position of a stopped twin's log, folded anew from its oldest sound snapshot; and the facts up to there."""

    async def fold():
        async with reach(places) as (bus, live):
            assert not live
            part = applied(places)
            record = Record(bus, places.heads)
            await record.open()
            assert record.verdict.ok, record.verdict.reason
            fresh = Partition(0, part.registry, part.plant.checks(part.registry), part.plant.alarms(part.registry))
            start = min((s for s in SnapshotFolder(places.snapshots / "0").sound()), key=lambda s: s.sequence)
            with Reader(places.lake) as reader:
                state = (await replay(bus, record, fresh, start, upto, reader.existing)).snapshot()
            return state, await record.read(0, 100_000)

    return asyncio.run(fold())


def rows(places, start=0, end=2**62):
    with Reader(places.lake) as reader:
        return reader.raw(range(4), start, end)


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory):
    """A twin under load, backed up twice while it ran, then stopped."""
    folder = tmp_path_factory.mktemp("drill")
    vault = folder / "vault"
    with rig(folder) as (broker, site):
        sender = Sender(broker.port, rate=400).start()
        try:
            assert wait(lambda: len(sender.acknowledged) > 500, 60)
            first = run("backup", "--data", site.places.data, "--to", vault, "--key", "backup")
            mark = len(sender.acknowledged)
            assert wait(lambda: len(sender.acknowledged) > mark + 500, 60)
            second = run("backup", "--data", site.places.data, "--to", vault)
        finally:
            sender.stop()
        assert settled(site, sender)
        site.stop()
    return folder, site, vault, first, second


def test_what_is_restored_is_the_original_at_that_position(backed_up, tmp_path):
    _folder, site, vault, first, second = backed_up
    for backup in (first, second):
        data = tmp_path / backup["id"]
        told = run("restore", vault, "--data", data, "--at", backup["at"])
        assert (told["backup"], told["position"]) == (backup["id"], backup["position"])
        was, facts_then = folded(site.places, backup["position"])
        now, facts_now = folded(Places(data), backup["position"])
        assert facts_now[: backup["facts"]] == facts_then[: backup["facts"]]
        assert [f.kind for f in facts_now[backup["facts"] :]] == ["BackupRestored"]
        assert (now.sequence, now.facts, now.time, now.registry) == (was.sequence, was.facts, was.time, was.registry)
        assert now.notes == was.notes
        for name, column in was.arrays.items():
            assert np.asarray(now.arrays[name]).tobytes() == np.asarray(column).tobytes(), name


def test_a_restored_twin_runs_on_and_lacks_nothing_up_to_that_position(backed_up, tmp_path):
    _folder, site, vault, _first, second = backed_up
    data = tmp_path / "again"
    run("restore", vault, "--data", data)
    with running(data / "applied", data) as again:
        state, _ = folded(site.places, second["position"])
        assert wait(lambda: get(again, "health")["link"]["up"], 60)
        shown = get(again, "state/test/rig/hall/rig")["properties"]
        assert get(again, "facts/verify")["ok"]
        reg = applied(site.places).registry
        for name, told in shown.items():
            signal = reg.paths.index(f"test/rig/hall/rig/{name}")
            assert told["value"] == state.arrays["lanes.latest.value"][signal], name
    latest = state.arrays["lanes.latest.time"]
    was, now = (b.take(b.time <= latest[b.signal]) for b in (rows(site.places), rows(Places(data))))
    assert len(now) > 500
    for column in ("signal", "time", "received", "value", "status"):
        assert np.array_equal(getattr(now, column), getattr(was, column)), column


def test_a_second_back_up_writes_only_what_is_new(backed_up):
    _folder, site, vault, first, second = backed_up
    third = run("backup", "--data", site.places.data, "--to", vault)
    fourth = run("backup", "--data", site.places.data, "--to", vault, "--keep", 2)
    assert fourth["new_bytes"] < 0.2 * fourth["bytes"]
    assert fourth["position"] == third["position"]
    assert fourth["dropped"] == [first["id"], second["id"]]
    assert run("verify", vault, "--all")["problems"] == []


def test_a_data_directory_and_its_back_up_are_whole(backed_up):
    _folder, site, vault, *_ = backed_up
    assert run("verify", vault)["problems"] == []
    told = run("verify", site.places.data)
    assert told["problems"] == []
    assert told["rows"] > 1000 and told["frames"] > 0 and told["facts"] > 0


def test_a_flipped_byte_of_a_back_up_is_found_and_restores_nothing(backed_up, tmp_path):
    _folder, _site, vault, *_ = backed_up
    copy = tmp_path / "vault"
    shutil.copytree(vault, copy)
    chunks = sorted((copy / "chunks").glob("*/*"), key=lambda p: p.stat().st_size)
    flip(chunks[-1])
    assert run("verify", copy, "--all", code=1)["problems"]
    told = gemel("restore", copy, "--data", tmp_path / "data", **KEY)
    assert told.returncode == 2 and "damaged" in told.stderr
    assert not (tmp_path / "data").exists()


def flip(path, at=0.5):
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def test_the_wrong_key_is_refused(backed_up, tmp_path):
    _folder, _site, vault, *_ = backed_up
    told = gemel("restore", vault, "--data", tmp_path / "data", GEMEL_SECRET_BACKUP="another")
    assert told.returncode == 2 and "not the one" in told.stderr
    told = gemel("verify", vault, GEMEL_SECRET_BACKUP="another")
    assert told.returncode == 2


def test_nothing_is_written_over(backed_up, tmp_path):
    _folder, site, vault, *_ = backed_up
    told = gemel("restore", vault, "--data", site.places.data, **KEY)
    assert told.returncode == 2 and "is not empty" in told.stderr
