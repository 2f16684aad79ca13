"""A twin goes on with copies of its own of the FMUs that its plant files name: by content, sealed where the data are, given up with them."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import numpy as np
import pytest
from fmu_kit import lag, plant

from gemel import sealing
from gemel.assets import load
from gemel.config.apply import applied, apply
from gemel.config.outlived import PLANNED_NS, _unnamed_fmus
from gemel.config.versions import Versions
from gemel.dynamics.solve import solve
from gemel.errors import AssetError, ModelError
from gemel.operate.fmi.private import made
from gemel.operate.models import compiled, fmu_of
from gemel.operate.places import Places
from gemel.operate.sealed import in_the_clear

TIMES = np.arange(0.0, 61.0, 10.0)


def own(folder, number):
    """A plant whose FMU is like no other of these tests: its rate is a number."""
    return plant(folder, lag(folder / "built", body=f"return {number};"))


def end(reference):
    model = compiled(reference)
    found = solve(model, model.x0, model.u0, model.p0, TIMES)
    assert found.ok, found.words
    return float(found.states[-1, 0] - model.x0[0])


def test_what_is_applied_runs_when_the_file_is_gone_and_the_folder_too(tmp_path):
    folder, places = own(tmp_path / "plant", 0.25), Places(tmp_path / "data")
    digest = load(folder).fmus["models/lag.fmu"]
    apply(folder, places)
    shutil.rmtree(folder)
    assert [f.name for f in places.fmus.iterdir()] == [f"{digest}.fmu"]
    site = applied(places)
    assert site.plant.fmus == {"models/lag.fmu": digest}
    assert end(site.plant.templates[0].dynamics) == pytest.approx(15.0)


def test_applied_again_without_a_change_nothing_changes_and_another_content_is_a_change(tmp_path):
    folder, places = own(tmp_path / "plant", 0.5), Places(tmp_path / "data")
    first = apply(folder, places)
    assert apply(folder, places).additions == []
    lag(folder / "models", body="return 0.125;")
    second = apply(folder, places)
    assert second.additions == ["changed FMU models/lag.fmu"]
    assert second.version != first.version
    assert end(second.plant.templates[0].dynamics) == pytest.approx(7.5)
    assert end(Versions(places).plant(first.plant.digest).templates[0].dynamics) == pytest.approx(30.0)


def test_sealed_data_hold_no_fmu_in_the_clear_and_what_is_opened_for_a_child_is_private_and_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_SECRET_REST", "a long secret at rest")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder, places = own(tmp_path / "plant", 0.75), Places(tmp_path / "data")
    sealing.seal(places.data, "rest")
    site = apply(folder, places)
    plain = (folder / "models" / "lag.fmu").read_bytes()
    shutil.rmtree(folder)
    (kept,) = places.fmus.iterdir()
    assert sealing.sealed_file(kept)
    assert plain[:4] == b"PK\x03\x04"
    assert plain not in kept.read_bytes()
    assert list(in_the_clear(places)) == []
    reference = site.plant.templates[0].dynamics
    assert end(reference) == pytest.approx(45.0)
    (beside,) = tmp_path.glob("gemel-fmu-*")
    assert stat.S_IMODE(beside.stat().st_mode) == 0o700
    assert [stat.S_IMODE(f.stat().st_mode) for f in beside.glob("*.fmu")] == [0o600]
    fmu_of(reference).child.close()
    assert list(tmp_path.glob("gemel-fmu-*")) == []


def test_a_copy_that_was_damaged_is_refused_and_one_that_is_kept_nowhere_cannot_be_staged(tmp_path):
    folder, places = own(tmp_path / "plant", 1.25), Places(tmp_path / "data")
    site = apply(folder, places)
    shutil.rmtree(folder)
    (kept,) = places.fmus.iterdir()
    kept.write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not here any more") as refused:
        fmu_of(site.plant.templates[0].dynamics)
    assert refused.value.code == "no-fmu"
    text = (places.applied / "plant.yaml").read_text()
    with pytest.raises(AssetError, match="is not here") as refused:
        Versions(Places(tmp_path / "other")).stage_files({"plant.yaml": text, "fmus.csv": f"models/lag.fmu,{'a' * 64}\n"})
    assert refused.value.code == "no-fmu"


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone, here = tmp_path / "gemel-fmu-999999999-x", tmp_path / f"gemel-fmu-{os.getppid()}-y"
    gone.mkdir()
    here.mkdir()
    new = made()
    assert (gone.exists(), here.exists(), new.exists()) == (False, True, True)


def test_an_fmu_that_no_kept_plant_file_names_goes_after_a_day(tmp_path):
    folder, places = own(tmp_path / "plant", 1.5), Places(tmp_path / "data")
    former = apply(folder, places)
    lag(folder / "models", body="return 1.75;")
    apply(folder, places)
    sent = places.fmus / ("b" * 64 + ".fmu")
    sent.write_bytes(b"PK")
    assert _unnamed_fmus(places, []) == []
    for file in places.fmus.iterdir():
        os.utime(file, ns=(0, file.stat().st_mtime_ns - PLANNED_NS))
    assert _unnamed_fmus(places, []) == [sent]
    outlived = _unnamed_fmus(places, [places.plants / former.plant.digest])
    assert {Path(f).stem for f in outlived} == {"b" * 64, former.plant.fmus["models/lag.fmu"]}
