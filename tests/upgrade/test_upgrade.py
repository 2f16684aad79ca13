"""What a released version left on the disk, this one reads: the same history, state, alarms and record.

A golden is made by `write_golden.py` with the code of that release, and never changed afterwards.
"""

import base64
import importlib.util
import io
import json
import lzma
import tarfile
from pathlib import Path

import pytest
from story_kit import gemel

from gemel.bench.site import running
from gemel.operate.backup import Plain, Vault
from gemel.operate.places import Places
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Registry

HERE = Path(__file__).parent
GOLDENS = sorted(HERE.glob("*.golden"))
spec = importlib.util.spec_from_file_location("write_golden", HERE / "write_golden.py")
write_golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(write_golden)


def unpacked(golden, folder):
    expected, _, packed = golden.read_text().partition("\n")
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(base64.b64decode(packed)))) as tar:
        tar.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # from 3.11.4 on
    return json.loads(expected)


def verified(data):
    done = gemel("verify", data, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_there_is_a_golden_of_the_first_release():
    assert "0.1.0" in {g.stem for g in GOLDENS}


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda g: g.stem)
def test_data_of_a_released_version_are_whole_and_run_on(golden, tmp_path):
    data = tmp_path / "data"
    expected = unpacked(golden, data)
    found = verified(data)
    assert found["rows"] == sum(len(h["value"]) for h in expected["history"].values())
    with running(data / "applied", data) as site:
        now = json.loads(json.dumps(write_golden.asked(site.settings.port)))
        assert now["history"] == expected["history"]
        assert now["state"] == expected["state"]
        assert now["alarms"] == expected["alarms"]
        assert now["facts"][: len(expected["facts"])] == expected["facts"], "nothing in the record is changed"
        assert write_golden.ask(site.settings.port, "GET", "facts/verify")["ok"]
        new = {kind for _, _, kind in now["facts"][len(expected["facts"]) :]}
        assert not new & {"SnapshotSkipped", "LogLost", "LogHole", "FrameBroken"}, new
    assert verified(data)["problems"] == []


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda g: g.stem)
def test_snapshots_and_registries_of_a_released_version_are_read(golden, tmp_path):
    unpacked(golden, tmp_path)
    places = Places(tmp_path)
    registry = Registry.from_bytes(places.registry.read_bytes())
    assert sorted(registry.paths)[0] == "test/upgrade/hall/tank-1/level"
    snapshots = list(SnapshotFolder(places.snapshots / "0").sound())
    assert len(snapshots) == len(list((places.snapshots / "0").glob("*.snap"))) > 0


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda g: g.stem)
def test_data_of_a_released_version_can_be_backed_up_and_restored(golden, tmp_path):
    data, vault, again = tmp_path / "data", tmp_path / "vault", tmp_path / "again"
    unpacked(golden, data)
    done = gemel("backup", "--data", data, "--to", vault, "--plain")
    assert done.returncode == 0, done.stderr
    done = gemel("restore", vault, "--data", again)
    assert done.returncode == 0, done.stderr
    one, other = verified(data), verified(again)
    assert (one["rows"], one["facts"] + 1) == (other["rows"], other["facts"])
    assert Vault(vault, Plain()).manifests()
