"""The log at rest under a key that is referred to: nothing of it can be read without, and nothing starts without."""

import json

import pytest
from kit import Sender, check, rig, settled
from story_kit import gemel

from gemel.bench.site import wait
from gemel.errors import ConfigError
from gemel.operate.places import Places
from gemel.operate.sealed import log_key, seal_log


def blocks(data):
    return b"".join(f.read_bytes() for f in Places(data).streams.rglob("*.blk"))


def test_a_sealed_log_hides_what_it_holds_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_SECRET_LOG", "the log's secret")
    monkeypatch.setenv("GEMEL_SECRET_BACKUP", "another")
    data, again = tmp_path / "data", tmp_path / "again"
    seal_log(Places(data), "log")
    with rig(tmp_path, data=data) as (broker, site):
        sender = Sender(broker.port).start()
        assert wait(lambda: len(sender.acknowledged) > 100, 60)
        sender.stop()
        assert settled(site, sender)
        check(site, sender)
        site.stop()
    assert len(blocks(data)) > 1000
    assert b"GMF1" not in blocks(data) and b"PlantApplied" not in blocks(data)
    conf = (Places(data).streams / "server.conf").read_text()
    assert log_key(Places(data)) not in conf and "the log's secret" not in conf
    for words in (("backup", "--data", data, "--to", tmp_path / "vault", "--key", "backup"), ("restore", tmp_path / "vault", "--data", again)):
        done = gemel(*words, "--json")
        assert done.returncode == 0, done.stderr
    assert b"GMF1" not in blocks(again) and len(blocks(again)) > 500
    done = gemel("verify", again, "--json")
    assert json.loads(done.stdout)["problems"] == [], "it is read with the key, every frame and fact of it"
    done = gemel("verify", again, GEMEL_SECRET_LOG="guessed")
    assert done.returncode == 2 and "is not the one" in done.stderr


def test_a_log_in_the_clear_is_not_called_sealed(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_SECRET_LOG", "the log's secret")
    places = Places(tmp_path)
    assert log_key(places) == ""
    (places.streams / "jetstream").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        seal_log(places, "log")
    assert caught.value.code == "log-in-the-clear"
