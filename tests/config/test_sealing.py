"""Sealing data where they lie: told exactly, cut off anywhere nothing is lost, wrong secrets change nothing."""

import asyncio
import shutil

import numpy as np
import pytest

from gemel import sealing
from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.link import SAMPLES
from gemel.bus.server import free_port, new_token
from gemel.config.apply import apply
from gemel.config import sealing as sealing_all
from gemel.config.sealing import seal_all
from gemel.errors import ConfigError, StorageError
from gemel.history import Reader, Store
from gemel.operate.places import Places
from gemel.operate.sealed import check_sealed, in_the_clear, log_key, seal_data, seal_log
from gemel.samples import Batch

PLANT = 'plant: acme/hall\ntypes: {Pump: {signals: {quellwolf77: {unit: "kg.m2/s3"}}}}\nassets: {p1: {type: Pump}}\n'
VALUES = np.arange(50) * 1.1 + 98765.4321


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name in ("rest", "next"):
        monkeypatch.setenv(f"GEMEL_SECRET_{name.upper()}", f"the secret {name}")


@pytest.fixture
def places(tmp_path):
    """Data in the clear: a plant, a history, a log."""
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT)
    places = Places(tmp_path / "data")
    places.make()
    apply(plant, places)
    with Store.open(places.lake) as store:
        times = np.arange(50) * 10**9
        store.commit(0, store.take_over(0), 1, Batch.of(signal=np.zeros(50), time=times, received=times, value=VALUES, status=np.zeros(50)))
    with_log(places, "", write=True)
    return places


def with_log(places, key, *, write=False):
    """Write to the log, or read it."""

    async def go():
        server = Server(ServerSettings(places.streams, free_port(), new_token(), 1 << 30, key=key))
        await server.start(places.logs / "nats.log")
        try:
            bus = await Bus.open(server.settings.url, "test")
            js = bus.client.jetstream()
            if write:
                await js.add_stream(name=SAMPLES.format(0), subjects=["samples.0"])
                await js.publish("samples.0", b"quellwolf77 in the log")
            found = (await js.get_msg(SAMPLES.format(0), 1)).data
            await bus.close()
            return found
        finally:
            server.stop()

    return asyncio.run(go())


def held(places):
    with Reader(places.lake) as reader:
        rows = reader.raw([0], 0, 10**12)
    return rows.value.tolist(), sealing.read(places.applied / "plant.yaml"), with_log(places, log_key(places))


def found(places):
    return [f.name for f in places.data.rglob("*") if f.is_file() and any(w in f.read_bytes() for w in (b"quellwolf77", b"98765.43", b"kg.m2"))]


@pytest.fixture(autouse=True)
def whole(monkeypatch):
    """What stands in this log is no frame: whether it is whole is told by `held`."""

    async def nothing(bus, places):
        return []

    monkeypatch.setattr(sealing_all, "examine_log", nothing)


def silent(words):
    pass


def test_all_data_are_sealed_and_read_as_before(places):
    before = held(places)
    assert {"plant.yaml", "registry.arrow", "catalogue.sqlite"} <= set(found(places)), "the search can find"
    done = seal_all(places, "rest", silent)
    assert (done.log, done.reopened) == (True, False) and done.files >= 5
    assert found(places) == [] and list(in_the_clear(places)) == []
    assert held(places) == before
    seal_data(places, "rest")
    assert seal_all(places, "rest", silent).files == 0, "a second time there is nothing to do"


@pytest.mark.parametrize("after", [0, 1, 3])
def test_cut_off_anywhere_it_is_refused_to_run_read_all_along_and_gone_on_with(places, monkeypatch, after):
    before, work, count = held(places), sealing_all._seal, []

    def cut(file):
        count.append(file)
        if len(count) > after:
            raise KeyboardInterrupt
        return work(file)

    monkeypatch.setattr(sealing_all, "_seal", cut)
    with pytest.raises(KeyboardInterrupt):
        seal_all(places, "rest", silent)
    with pytest.raises(ConfigError) as told:
        check_sealed(places)
    assert told.value.code == "seal-unfinished" and "gemel seal" in told.value.remedy
    with Reader(places.lake) as reader:
        assert reader.raw([0], 0, 10**12).value.tolist() == before[0]
    monkeypatch.setattr(sealing_all, "_seal", work)
    with pytest.raises(ConfigError):
        seal_all(places, "next", silent)
    seal_all(places, "rest", silent)
    check_sealed(places)
    assert held(places) == before and found(places) == []


def test_a_log_that_was_torn_while_it_was_sealed_is_sealed_from_its_copy(places, monkeypatch):
    before = held(places)

    async def torn(bus, places):
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(sealing_all, "examine_log", torn)
        with pytest.raises(KeyboardInterrupt):
            seal_all(places, "rest", silent)
    for block in places.streams.rglob("*.blk"):
        block.write_bytes(block.read_bytes()[:10])
    seal_all(places, "rest", silent)
    assert held(places) == before and found(places) == []


def test_another_secret_opens_the_same_files(places):
    before = held(places)
    seal_all(places, "rest", silent)
    stored = {f: f.read_bytes() for f in places.lake.rglob("*.parquet")}
    assert seal_all(places, "next", silent).reopened
    assert {f: f.read_bytes() for f in places.lake.rglob("*.parquet")} == stored
    assert held(places) == before


def test_a_wrong_or_missing_secret_is_told_and_changes_nothing(places, monkeypatch):
    before = held(places)
    seal_all(places, "rest", silent)
    stored = {f: f.read_bytes() for f in places.data.rglob("*") if f.is_file()}
    sealing.folder._seal_of.cache_clear()
    for text, code in (("guessed", "backup-key"), ("", "secret-missing")):
        monkeypatch.setenv("GEMEL_SECRET_REST", text)
        for ask in (lambda: check_sealed(places), lambda: sealing.read(places.registry), lambda: Store.open(places.lake), lambda: seal_all(places, "rest", silent)):
            with pytest.raises(ConfigError) as told:
                ask()
            assert told.value.code == code and told.value.remedy
    now = {f: f.read_bytes() for f in places.data.rglob("*") if f.is_file()}
    assert {f: b for f, b in now.items() if f.name not in ("writer.lock", "lock")} == {f: b for f, b in stored.items() if f.name not in ("writer.lock", "lock")}
    monkeypatch.setenv("GEMEL_SECRET_REST", "the secret rest")
    assert held(places) == before


def test_one_lost_copy_of_the_keys_costs_nothing_both_are_told(places):
    before = held(places)
    seal_all(places, "rest", silent)
    (places.data / "sealed.json").write_bytes(b"{")
    assert held(places) == before
    shutil.copyfile(places.data / "sealed-again.json", places.data / "kept")
    for name in ("sealed.json", "sealed-again.json"):
        (places.data / name).unlink()
    with pytest.raises(StorageError) as told:
        sealing.read(places.registry)
    assert told.value.code == "sealed-otherwise"


def test_data_in_the_clear_are_never_called_sealed(places, tmp_path):
    for seal, code in ((seal_data, "data-in-the-clear"), (seal_log, "log-in-the-clear")):
        with pytest.raises(ConfigError) as told:
            seal(places, "rest")
        assert told.value.code == code and "gemel seal" in told.value.remedy
    fresh = Places(tmp_path / "fresh")
    seal_log(fresh, "rest")
    with pytest.raises(ConfigError) as told:
        seal_data(fresh, "rest")
    assert told.value.code == "log-sealed"


def test_a_log_that_was_sealed_alone_keeps_its_key(places):
    seal_all(places, "rest", silent)
    fresh = Places(places.data.with_name("fresh"))
    seal_log(fresh, "rest")
    (fresh.data / "format.json").write_text('{"format": 1}')
    former = log_key(fresh)
    assert not seal_all(fresh, "rest", silent).log
    assert log_key(fresh) == former
