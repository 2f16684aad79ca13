"""A plant that changes often keeps what something kept needs, and no more."""

import os
import time
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.config.apply import applied, apply
from gemel.config.outlived import GRACE_NS, STAY, give_up, outlived
from gemel.config.versions import Former, Pointer, Versions
from gemel.operate.fork import Forks
from gemel.operate.places import Places
from gemel.operate.snapshots import SnapshotFolder

DAY = 86_400_000_000_000
N = 12


def text(n):
    rigs = "".join(f"  r{i}: {{type: Rig}}\n" for i in range(n + 1))
    return f"plant: a/b\ntypes:\n  Rig: {{signals: {{a: {{unit: bar}}}}}}\nassets:\n{rigs}"


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A plant that was changed each day for twelve days, a month ago; a snapshot under the last but one."""
    places, folder = Places(tmp_path / "data"), tmp_path / "plant"
    folder.mkdir()
    began, seen = time.time_ns() - 30 * DAY, []
    for n in range(N):
        monkeypatch.setattr("gemel.config.versions.time", SimpleNamespace(time_ns=lambda n=n: began + n * DAY))
        (folder / "plant.yaml").write_text(text(n))
        seen.append(apply(folder, places).version)
    monkeypatch.undo()
    save(places, seen[-2])
    return places, seen


def save(places, version):
    versions = Versions(places)
    partition = versions.partition(version)
    partition.version, partition.position = version, 7
    folder = SnapshotFolder(places.snapshots / "0")
    folder.save(partition.snapshot())
    return partition.snapshot()


def kept(places):
    return {p.name for p in places.plants.iterdir()}, {p.stem for p in places.registries.iterdir()}


def test_what_nothing_kept_needs_is_given_up_and_the_rest_works(changed):
    places, seen = changed
    assert kept(places) == ({p for p, _ in seen}, {r for _, r in seen})
    give_up(places, Versions(places))
    rest = seen[N - 1 - STAY :]
    assert kept(places) == ({p for p, _ in rest}, {r for _, r in rest})
    versions = Versions(places)
    fresh = versions.fresh(applied(places, versions))
    fresh.restore(SnapshotFolder(places.snapshots / "0").newest())
    assert (fresh.version, fresh.position) == (seen[-2], 7)
    assert all(fresh.knows(r) for _, r in rest)
    give_up(places, versions)
    assert len(kept(places)[0]) == len(rest)


def test_a_fork_keeps_the_version_that_it_was_taken_under(changed):
    places, seen = changed
    forks = Forks(places.forks)
    versions = Versions(places)
    partition = versions.partition(seen[1])
    partition.version = seen[1]
    forks.end(forks.begin("then", "olga", "", 1), partition.snapshot(), "live")
    give_up(places, versions)
    rest = [seen[1], *seen[N - 1 - STAY :]]
    assert kept(places) == ({p for p, _ in rest}, {r for _, r in rest})


def test_without_a_snapshot_and_with_one_that_cannot_be_read_all_stays(changed):
    places, seen = changed
    (file,) = (places.snapshots / "0").glob("*.snap")
    data = bytearray(file.read_bytes())
    data[20] ^= 1
    file.write_bytes(data)
    give_up(places, Versions(places))
    file.unlink()
    give_up(places, Versions(places))
    assert len(kept(places)[0]) == N


def test_a_plant_file_that_was_only_planned_goes_after_a_day(changed, tmp_path):
    places, _ = changed
    versions = Versions(places)
    old, new = (versions.stage_files({"plant.yaml": text(N + n)}) for n in range(2))
    os.utime(places.plants / old, ns=(time.time_ns() - 2 * DAY,) * 2)
    give_up(places, versions)
    assert old not in kept(places)[0] and new in kept(places)[0]


def test_of_data_that_do_not_say_all_that_was_applied_nothing_is_taken_for_planned(changed):
    places, seen = changed
    versions = Versions(places)
    pointer = versions.pointer()
    places.pointer.write_bytes(msgspec.json.encode({"plant": pointer.plant, "registry": pointer.registry}))
    for folder in places.plants.iterdir():
        os.utime(folder, ns=(time.time_ns() - 60 * DAY,) * 2)
    give_up(places, versions)
    assert len(kept(places)[0]) == N


versions = st.lists(st.integers(0, 6), min_size=1, max_size=30)


@given(versions, st.integers(0, 29), st.integers(0, 20))
def test_nothing_is_outlived_that_was_in_force_when_the_oldest_snapshot_was_taken_or_later(order, at, days):
    """Also where a version comes back: what it was called before does not tell which of both times is meant."""
    formers = [Former(plant=f"p{v}", registry=f"r{v}", until=n * DAY) for n, v in enumerate(order)]
    at = min(at, len(order) - 1)
    oldest = (formers[at].plant, formers[at].registry)
    found = outlived(Pointer(plant="now", registry="now", former=formers), oldest, days * DAY)
    assert not set(map(id, found)) & set(map(id, formers[at:]))
    assert len(formers) - len(found) >= min(STAY, len(formers))
    assert all(f.until < days * DAY - GRACE_NS for f in found)
