"""The folder of back-ups: each piece of content once, sealed, and no back-up where its manifest is missing."""

import json

import pytest

from gemel.errors import ConfigError, StorageError
from gemel.operate.backup import Entry, Manifest, Plain, Point, Sealed, Vault
from gemel.operate.backup.vault import CHUNK

POINT = Point(position=7, facts=3, snapshot=5, time=0, registry="", wall=1)


def manifest(name, *entries):
    return Manifest(id=name, gemel="0", plant="a/b", point=POINT, files=list(entries), streams=[])


def entry(vault, path, data):
    return Entry(path=path, size=len(data), chunks=[vault.put(data[i : i + CHUNK]) for i in range(0, len(data), CHUNK)])


@pytest.fixture(params=["plain", "sealed"])
def vault(request, tmp_path):
    return Vault.create(tmp_path / "vault", Plain() if request.param == "plain" else Sealed("secret", "backup"))


def again(vault, secret="secret"):
    return Vault.open(vault.folder, lambda name: secret)


def test_content_comes_back_and_is_stored_once(vault):
    name = vault.put(b"x" * 10_000)
    added = vault.added
    assert vault.put(b"x" * 10_000) == name
    assert vault.added == added < 10_000, "stored once, packed"
    assert again(vault).get(name) == b"x" * 10_000


def test_a_back_up_is_one_once_its_manifest_is_there(vault):
    vault.put(b"of a back-up that was torn")
    assert again(vault).manifests() == []
    vault.save(manifest("1", entry(vault, "a", b"alpha")))
    (name,) = again(vault).manifests()
    found = again(vault).load(name)
    assert b"".join(again(vault).content(found.files[0])) == b"alpha"


@pytest.mark.parametrize("kept", [1, 2])
def test_dropping_old_ones_frees_what_only_they_held(vault, kept):
    shared = entry(vault, "shared", b"shared")
    for n in range(3):
        vault.save(manifest(str(n), shared, entry(vault, "own", str(n).encode() * 100)))
    torn = vault.put(b"torn")
    gone, freed = vault.keep(kept)
    assert gone == ["0", "1", "2"][: 3 - kept]
    assert freed > 0 and not vault.has(torn)
    for name in vault.manifests():
        for e in vault.load(name).files:
            assert b"".join(vault.content(e))
    assert len(list((vault.folder / "chunks").glob("*/*"))) == 1 + kept


def test_nothing_is_swept_while_a_manifest_cannot_be_read(vault):
    for n in range(2):
        vault.save(manifest(str(n), entry(vault, "own", str(n).encode() * 100)))
    file = vault.folder / "manifests" / "1.gmb"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StorageError):
        vault.keep(1)
    assert vault.manifests() == ["0", "1"]
    assert vault.load("0")


@pytest.mark.parametrize("at", range(0, 60, 3))
def test_every_changed_byte_of_a_chunk_is_found(vault, at):
    name = vault.put(bytes(range(60)))
    (file,) = (vault.folder / "chunks").glob("*/*")
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= 0x20
    file.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        vault.get(name)


def test_chunks_that_change_places_are_found(vault):
    one, two = vault.put(b"one"), vault.put(b"two")
    first, second = vault._path(one), vault._path(two)
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    for name in (one, two):
        with pytest.raises(StorageError, match="damaged"):
            vault.get(name)


def test_another_secret_is_refused(tmp_path):
    vault = Vault.create(tmp_path / "vault", Sealed("secret", "backup"))
    with pytest.raises(ConfigError, match="not the one") as caught:
        again(vault, "guess")
    assert caught.value.code == "backup-key"


def test_a_sealed_one_shows_neither_content_nor_what_it_is(tmp_path):
    vault = Vault.create(tmp_path / "vault", Sealed("secret", "backup"))
    vault.save(manifest("1", entry(vault, "lake/secret-name", b"flow of pump-1" * 50)))
    stored = b"".join(p.read_bytes() for p in vault.folder.rglob("*") if p.is_file())
    assert b"flow" not in stored and b"secret-name" not in stored
    other = Vault.create(tmp_path / "other", Sealed("secret", "backup"))
    assert other.put(b"flow of pump-1" * 50) != vault.load("1").files[0].chunks[0], "names tell nothing across back-ups"


def test_one_writes_at_a_time(vault):
    with vault.writing(), pytest.raises(ConfigError, match="goes on"), again(vault).writing():
        pass


def test_a_newer_format_is_refused_in_words(vault):
    header = json.loads((vault.folder / "backup.json").read_bytes())
    (vault.folder / "backup.json").write_text(json.dumps({**header, "format": 99}))
    with pytest.raises(StorageError, match="format 99") as caught:
        again(vault)
    assert caught.value.code == "backup-format"
