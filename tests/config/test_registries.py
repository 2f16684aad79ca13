"""What the log holds can still be read when the plant has grown; a plant file is in force as a whole."""

import asyncio

import pytest

from gemel.assets import load
from gemel.config.apply import applied, apply
from gemel.config.registries import registries
from gemel.errors import AssetError
from gemel.config.versions import Versions
from gemel.operate.applying import Applying
from gemel.operate.places import Places
from gemel.samples import Fact, WallClock

PLANT = "plant: test/rig\ntypes:\n  Rig:\n    signals:\n      a: {unit: bar}\n"
MORE = "      b: {unit: degC}\n"
ASSETS = "assets:\n  rig: {type: Rig, at: hall}\n"


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "data")


def plant(tmp_path, **files):
    folder = tmp_path / "plant"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_every_registry_that_ever_numbered_a_frame_is_kept(tmp_path, places):
    """Frames not yet folded when the plant grew still carry the digest of the former registry."""
    first = apply(plant(tmp_path, plant=PLANT + ASSETS), places).registry.digest
    places.registries.joinpath(f"{first}.arrow").unlink()  # as a data directory from before they were kept
    apply(plant(tmp_path, plant=PLANT + MORE + ASSETS), places)
    second = applied(places).registry.digest
    kept = dict(registries(places))
    assert set(kept) == {first, second} and first != second
    assert kept[first].paths == kept[second].paths[:1]


def test_a_registry_that_cannot_be_read_keeps_nothing_from_starting(tmp_path, places):
    digest = apply(plant(tmp_path, plant=PLANT + ASSETS), places).registry.digest
    (places.registries / "torn.arrow").write_bytes(b"half")
    assert [name for name, _ in registries(places)] == [digest]


def test_a_copy_that_was_cut_off_is_no_plant_file(tmp_path, places):
    """Killed while it is copied, the former plant file is in force, whole."""
    folder = plant(tmp_path, plant=PLANT, pumps=ASSETS)
    before = apply(folder, places).plant.digest
    (places.data / "applied.new").mkdir()
    (places.data / "applied.new" / "plant.yaml").write_text("plant: half")
    assert applied(places).plant.digest == before
    places.applied.rename(places.data / "applied.old")  # killed between the two renames
    places.make()
    apply(folder, places)
    assert applied(places).plant.digest == before
    assert sorted(p.name for p in places.data.glob("applied*")) == ["applied", "applied.json"]


def test_a_table_that_would_not_be_copied_is_refused(tmp_path):
    folder = plant(tmp_path, plant=PLANT + "assets:\n  rig: {type: Rig, at: hall, table: more/rigs.csv}\n")
    (folder / "more").mkdir()
    (folder / "more" / "rigs.csv").write_text("name\na\n")
    with pytest.raises(AssetError, match="beside plant.yaml"):
        load(folder)


class Told:
    """A record that keeps what it is told."""

    def __init__(self):
        self.facts = []

    def last(self, kind):
        return self.facts[-1] if self.facts else None

    async def append(self, draft):
        told = {n: getattr(draft, n) for n in draft.__struct_fields__}
        self.facts.append(Fact(**told, seq=len(self.facts) + 1, recorded=0))


def test_a_plant_file_that_comes_back_is_said_to_be_in_force_again(tmp_path, places):
    """One content may be in force twice: what was said last is what counts."""
    versions, record = Versions(places), Told()
    applying = Applying(versions, lambda: ("", ""), record, WallClock())
    texts = [PLANT + ASSETS, PLANT + ASSETS, "title: changed\n" + PLANT + ASSETS, PLANT + ASSETS]
    digests = []
    for text in texts:
        digests.append(apply(plant(tmp_path, plant=text), places).plant.digest)
        asyncio.run(applying.say(versions.pointer()))
    assert [f.body["digest"] for f in record.facts] == [digests[0], *digests[2:]]
    assert len({f.id for f in record.facts}) == 3
    assert record.facts[1].body["steps"] == ["changed title: nothing became 'changed'"]
