"""Data at rest under a key that is referred to: nothing that was measured, and no name, lies on the disk in the clear."""

import json
import struct

import duckdb
import paho.mqtt.client as mqtt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import kit
from kit import ROOT, Sender, check, connected, get, kill, rig, settled, stored
from story_kit import Face, add_person, gemel

import gemel as face
from gemel.bench.site import running, wait
from gemel.operate.fork import Forks

NAME, UNIT, VALUE = "quellwolf77", "kg.m2/s3", 98765.43210123
WORDS = (NAME.encode(), UNIT.encode(), b"98765.4321", struct.pack("<d", VALUE))
SECRETS = {"GEMEL_SECRET_REST": "the secret of data at rest", "GEMEL_SECRET_BACKUP": "another", "GEMEL_SECRET_NEXT": "a third"}


def in_the_clear(data):
    """Which of the words are found in which files, whatever they are."""
    found = {}
    for file in sorted(f for f in data.rglob("*") if f.is_file()):
        content = file.read_bytes()
        words = [w for w in WORDS if w in content]
        if words:
            found[str(file.relative_to(data))] = words
    return found


def say(port, values):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    from time import time_ns

    for value in values:
        client.publish(f"rig/{NAME}", json.dumps({"v": value, "t": time_ns()}), qos=1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def values(site):
    answer = get(site, f"history?signal={ROOT}/hall/rig/{NAME}&start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z&limit=100000")
    return [v for v in answer["value"] if v is not None]


def more_than(site, mark):
    try:
        return connected(site) and len(stored(site)) > mark
    except OSError:
        return False


@pytest.fixture
def told(monkeypatch):
    for name, text in SECRETS.items():
        monkeypatch.setenv(name, text)
    line = f'      {NAME}: {{{{unit: "{UNIT}"}}}}\n'
    monkeypatch.setattr(kit, "PLANT", kit.PLANT.replace("      d: {", line + "      d: {"))


def done(*words, code=0, **environment):
    ended = gemel(*words, **environment)
    assert ended.returncode == code, ended.stderr + ended.stdout
    return ended.stdout + ended.stderr


def opened_by_others(file):
    """Which programs read a Parquet file."""
    found = []
    for read in (pq.read_table, lambda f: duckdb.sql(f"SELECT count(*) FROM read_parquet('{f}')").fetchall()):
        try:
            read(file)
        except (pa.ArrowException, OSError, duckdb.Error):
            continue
        found.append(read)
    return found


def asked_by_the_shell(site, folder):
    """History and the check of replay against live, as somebody at a shell asks for them."""
    span = ("--start", "2020-01-01", "--end", "2100-01-01")
    file = folder / "readings.csv"
    done("history", folder / "plant", "--data", site.places.data, "--signal", f"*/{NAME}", *span, "--csv", file)
    assert len(file.read_text().splitlines()) == 101
    file.unlink()
    listed = json.loads(done("history", folder / "plant", "--data", site.places.data, "--json").splitlines()[0])["items"]
    assert f"{ROOT}/hall/rig/{NAME}" in listed
    told = json.loads(done("state", folder / "plant", "--data", site.places.data, "--verify", "--json").splitlines()[0])
    assert told["ok"] and told["upto"] > told["since"] and told["differs"] == [], told


def forked(site, person):
    """Forks of now and of a past time are kept, and read back, sealed as everything else is."""
    olga = Face(site.settings.port, person)
    at = get(site, f"state/{ROOT}/hall/rig")["at"]
    for name, more in (("now", {}), ("then", {"at": at})):
        status, told = olga.post("forks", name=name, why="to try", **more)
        assert status in (200, 201, 202), told
        assert wait(lambda name=name: olga.get(f"forks/{name}")["state"] == "ready", 90), olga.get(f"forks/{name}")
    assert {f["name"] for f in olga.get("forks")["items"]} == {"now", "then"}
    kept = Forks(site.places.forks)
    for name in ("now", "then"):
        assert VALUE + 49 / 8 in kept.load(name).arrays["lanes.latest.value"].tolist()


@pytest.mark.timeout(600)
def test_data_in_the_clear_are_sealed_and_live_on_through_kills_and_a_restore(tmp_path, told):
    data, vault, again = tmp_path / "data", tmp_path / "vault", tmp_path / "again"
    with rig(tmp_path, data=data) as (broker, site):
        say(broker.port, [VALUE] * 50)
        assert wait(lambda: len(values(site)) == 50, 90)
        site.stop()
        clear = in_the_clear(data)
        assert {w for words in clear.values() for w in words} >= set(WORDS[:2]), "the search can find: in the clear the names lie there"
        assert all(opened_by_others(f) for f in data.rglob("*.parquet"))
        assert "gemel seal" in done("run", tmp_path / "plant", "--data", data, "--key", "rest", code=2)

        done("seal", "--data", data, "--key", "rest")
        assert in_the_clear(data) == {}
        operator = add_person(data, "olga", "operator")
        site = site.again()
        assert values(site) == [VALUE] * 50
        say(broker.port, [VALUE + i / 8 for i in range(50)])
        sender = Sender(broker.port, rate=300).start()
        for name in ("twin", "nats"):
            mark = len(stored(site))
            kill(site, name)
            assert wait(lambda mark=mark: more_than(site, mark), 90), name
        sender.stop()
        assert settled(site, sender, 90)
        check(site, sender)
        assert sorted(values(site)) == sorted([VALUE] * 50 + [VALUE + i / 8 for i in range(50)])
        assert get(site, "facts/verify")["ok"]
        with face.open(data) as twin:
            assert len(twin.history(f"hall/rig/{NAME}", "2020-01-01", "2100-01-01")["value"]) == 100
        asked_by_the_shell(site, tmp_path)
        forked(site, operator)
        done("backup", "--data", data, "--to", vault, "--key", "backup")
        site.stop()
        assert in_the_clear(data) == {}
        assert len(list((data / "forks").rglob("*"))) > 2
        parquet = list(data.rglob("*.parquet"))
        assert len(parquet) > 1 and not any(opened_by_others(f) for f in parquet)
        assert in_the_clear(vault) == {}

        done("verify", data)
        done("verify", vault)
        done("restore", vault, "--data", again)
        assert in_the_clear(again) == {}
        with running(again / "applied", again) as restored:
            assert sorted(values(restored)) == sorted([VALUE] * 50 + [VALUE + i / 8 for i in range(50)])

        for words, code in ((("verify", data), 2), (("run", tmp_path / "plant", "--data", data), 2)):
            said = done(*words, code=code, GEMEL_SECRET_REST="guessed")
            assert "is not the one" in said
            said = done(*words, code=code, GEMEL_SECRET_REST="")
            assert "GEMEL_SECRET_REST" in said
        before = {f: f.read_bytes() for f in data.rglob("*.parquet")}
        done("seal", "--data", data, "--key", "next")
        assert before == {f: f.read_bytes() for f in data.rglob("*.parquet")}, "another secret opens the same files"
        done("verify", data, GEMEL_SECRET_REST="")
        assert "is not set" in done("verify", data, code=2, GEMEL_SECRET_NEXT="")

