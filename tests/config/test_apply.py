"""Applying a plant file: it may add, anything that would lose must be asked for, in words."""

import shutil
import sys

import pytest

from gemel.config.apply import applied, apply
from gemel.config.versions import Versions
from gemel.errors import ConfigError
from gemel.operate.places import Places

module = sys.modules["gemel.config.apply"]  # the package has a function of this name

TYPES = "types:\n  Rig:\n    signals:\n      a: {unit: bar}\n"


def plant(folder, **files):
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_what_is_added_gets_the_next_numbers_and_nothing_is_renumbered(tmp_path):
    places = Places(tmp_path / "data")
    first = apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r2: {type: Rig}\n"), places)
    second = apply(
        plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r1: {type: Rig}\n  r2: {type: Rig}\n"), places
    )
    assert first.first and not second.first
    assert second.registry.paths == ["a/b/r2/a", "a/b/r1/a"]
    assert second.additions


def test_what_would_lose_data_must_be_asked_for(tmp_path):
    places = Places(tmp_path / "data")
    apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r1: {type: Rig}\n"), places)
    folder = plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r2: {type: Rig}\n")
    with pytest.raises(ConfigError, match="r1") as e:
        apply(folder, places)
    assert e.value.code == "plant-loses"
    assert applied(places).plant.assets.names[0] == "r1"
    asked = apply(folder, places, accept_loss=True, actor="olga")
    assert asked.registry.retired.tolist() == [True, False]
    assert applied(places).version == asked.version
    pointer = Versions(places).pointer()
    assert pointer.actor == "olga" and "asset r1 is gone" in pointer.steps[0]


def test_another_clock_is_for_other_data_whatever_is_asked(tmp_path):
    places = Places(tmp_path / "data")
    rigs = "assets:\n  r1: {type: Rig}\n"
    apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs=rigs), places)
    with pytest.raises(ConfigError, match="clock") as e:
        apply(plant(tmp_path / "p", plant="plant: a/b\nclock: data\n" + TYPES, rigs=rigs), places, accept_loss=True)
    assert e.value.code == "plant-changed"


def test_every_version_is_kept_and_can_be_read_by_its_digests(tmp_path):
    places = Places(tmp_path / "data")
    texts = ["assets:\n  r1: {type: Rig}\n", "assets:\n  r9: {type: Rig, formerly: r1}\n"]
    sites = [apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs=t), places) for t in texts]
    versions = Versions(places)
    for site, path in zip(sites, ["a/b/r1/a", "a/b/r9/a"], strict=True):
        kept = versions.site(site.version)
        assert (kept.version, list(kept.registry.paths)) == (site.version, [path])
        assert versions.partition(site.version).version == site.version
    assert versions.partition(("0" * 64, sites[0].version[1])) is None


def test_data_of_a_version_that_kept_none_go_on(tmp_path):
    """0.1 kept the applied plant file only, with no word of which it is."""
    places = Places(tmp_path / "data")
    folder = plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r1: {type: Rig}\n")
    before = apply(folder, places)
    places.pointer.unlink()
    shutil.rmtree(places.plants)
    assert applied(places).version == before.version
    after = apply(folder, places)
    assert (after.version, after.first, after.additions) == (before.version, False, [])
    assert Versions(places).site(before.version).plant.digest == before.plant.digest


@pytest.mark.parametrize("cut", ["plants", "pointer", "registry", "applied"])
def test_cut_off_anywhere_the_old_plant_or_the_new_one_is_applied_as_a_whole(tmp_path, cut, monkeypatch):
    places = Places(tmp_path / "data")
    old = apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r1: {type: Rig}\n"), places)
    folder = plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r9: {type: Rig, formerly: r1}\n")

    def killed(*_, **__):
        raise KeyboardInterrupt

    where = {"plants": (Versions, "keep"), "pointer": (Versions, "point"), "registry": (module, "put_in_force"), "applied": (module, "_replace")}
    with monkeypatch.context() as m:
        m.setattr(*where[cut], killed)
        with pytest.raises(KeyboardInterrupt):
            apply(folder, places)
    found = applied(places)
    new = cut in ("registry", "applied")
    assert list(found.registry.paths) == [f"a/b/{found.plant.assets.names[0]}/a"]
    assert (found.version == old.version) is not new
    assert apply(folder, places).plant.assets.names[0] == "r9"
    assert applied(places).registry.uid(0) == old.registry.uid(0)


def test_a_file_that_is_gone_is_gone_from_the_applied_copy_too(tmp_path):
    places = Places(tmp_path / "data")
    rigs = "assets:\n  r1: {type: Rig}\n"
    apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs=rigs), places)
    apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES + rigs), places)
    assert applied(places).plant.assets.names == ["r1"]


def test_data_of_a_newer_format_are_refused(tmp_path):
    places = Places(tmp_path / "data")
    folder = plant(tmp_path / "p", plant="plant: a/b\n" + TYPES)
    apply(folder, places)
    (places.data / "format.json").write_text('{"format": 999}')
    with pytest.raises(ConfigError, match="newer"):
        apply(folder, places)
