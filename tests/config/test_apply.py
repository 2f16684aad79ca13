"""Applying a plant file: it may add, anything that would change the meaning of data is refused in words."""

import pytest

from gemel.config.apply import applied, apply
from gemel.errors import ConfigError
from gemel.operate.places import Places

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


def test_what_would_lose_data_is_refused_in_words(tmp_path):
    places = Places(tmp_path / "data")
    apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r1: {type: Rig}\n"), places)
    with pytest.raises(ConfigError, match="r1") as e:
        apply(plant(tmp_path / "p", plant="plant: a/b\n" + TYPES, rigs="assets:\n  r2: {type: Rig}\n"), places)
    assert e.value.code == "plant-changed"


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
