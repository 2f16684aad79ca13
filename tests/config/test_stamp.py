"""A start with the plant file that is applied already derives nothing anew; any change of it, or of gemel, does."""

import sys

import sys

import pytest

from gemel.config import stamp
from gemel.config.apply import apply
from gemel.config.memory import give_back
from gemel.operate.places import Places

TEXT = "plant: acme/site\ntypes: {T: {signals: {a: {unit: 1}}}}\nassets: {x: {type: T}}\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "plant.yaml").write_text(TEXT)
    return folder


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "data")


class DerivedError(Exception):
    """The registry was derived anew."""


@pytest.fixture
def applied(folder, places, monkeypatch):
    first = apply(folder, places)

    def derive(*_):
        raise DerivedError

    monkeypatch.setattr(sys.modules["gemel.config.apply"], "succeed", derive)
    return first


def test_the_same_files_are_taken_as_they_stand(applied, folder, places):
    again = apply(folder, places)
    assert (again.registry.digest, again.plant.digest) == (applied.registry.digest, applied.plant.digest)
    assert (applied.first, again.first, again.additions) == (True, False, [])


def test_another_byte_of_the_file_or_of_what_is_applied_is_looked_at(applied, folder, places):
    (folder / "plant.yaml").write_text(TEXT + "# a word\n")
    with pytest.raises(DerivedError):
        apply(folder, places)
    (folder / "plant.yaml").write_text(TEXT)
    (places.applied / "plant.yaml").write_text(TEXT + "# a word\n")
    with pytest.raises(DerivedError):
        apply(folder, places)


def test_a_file_more_is_looked_at(applied, folder, places):
    (folder / "more.yaml").write_text("title: x\n")
    with pytest.raises(DerivedError):
        apply(folder, places)


def test_another_version_of_gemel_derives_anew(applied, folder, places, monkeypatch):
    monkeypatch.setattr(stamp, "__version__", "999")
    with pytest.raises(DerivedError):
        apply(folder, places)


def test_without_the_stamp_of_a_version_all_is_derived_anew(applied, folder, places):
    (places.data / "derived-by.json").unlink()
    with pytest.raises(DerivedError):
        apply(folder, places)


def test_memory_is_given_back_where_the_c_library_can():
    give_back()
