"""Data at rest under a key that is referred to: `sealed.json` names the secret, the secret lies elsewhere.

Files are sealed by `gemel.sealing`, the log by its own server (AES-256-GCM; NATS, "JetStream Encryption At Rest"). Data
of gemel 0.1 may have the log sealed alone; then its key is derived from the secret itself.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from gemel import sealing
from gemel.durable import write_atomic
from gemel.errors import ConfigError
from gemel.operate.places import Places
from gemel.sealing.cipher import Sealed
from gemel.sealing.folder import read_mark
from gemel.sealing.secrets import secret

MARK: Final = sealing.MARK


def seal_data(places: Places, name: str) -> None:
    """Have new data sealed under a secret; raises ConfigError where there are data in the clear, or under another."""
    mark = read_mark(places.data)
    if mark is None:
        if _begun(places):
            raise ConfigError(
                "there are data already, in the clear", code="data-in-the-clear",
                remedy=f"gemel seal --data {places.data} --key {name} seals them, while nothing runs on them",
            )  # fmt: skip
        sealing.seal(places.data, name)
    elif "wrapped" not in mark:
        raise ConfigError(
            f"only the log of these data is sealed, with the secret {mark['key']!r}", code="log-sealed",
            remedy=f"gemel seal --data {places.data} --key {name} seals the rest, while nothing runs on them",
        )  # fmt: skip
    elif mark["key"] != name:
        raise _another(places, mark["key"], name)


def seal_log(places: Places, name: str) -> None:
    """Have only the log of new data sealed; raises ConfigError where there is a log in the clear already."""
    mark = read_mark(places.data)
    if mark is not None:
        if mark["key"] != name:
            raise _another(places, mark["key"], name)
        return
    if (places.streams / "jetstream").exists():
        raise ConfigError(
            "the log of these data is there already, in the clear", code="log-in-the-clear",
            remedy=f"gemel seal --data {places.data} --key {name} seals all of them, while nothing runs on them",
        )  # fmt: skip
    places.data.mkdir(parents=True, exist_ok=True)
    write_atomic(places.data / MARK, msgspec.json.encode(Sealed(secret(name, places.data), name).header))


def check_sealed(places: Places) -> None:
    """Raise ConfigError where sealed data cannot be opened (secret missing, or another), or sealing was cut off."""
    mark = read_mark(places.data)
    if mark is not None and mark.get("under_way"):
        raise ConfigError(
            "sealing these data was cut off: some of them lie in the clear yet", code="seal-unfinished",
            remedy=f"gemel seal --data {places.data} --key {mark['key']} goes on with it",
        )  # fmt: skip
    log_key(places)


def log_key(places: Places, secrets: Path | None = None) -> str:
    """Give the key of the log, empty where it is in the clear; raises ConfigError where the secret is missing or another.

    `secrets` is the data directory whose secrets serve, where it is not this one.
    """
    mark = read_mark(places.data)
    if mark is None:
        return ""
    text = secret(mark["key"], secrets or places.data)
    if "wrapped" in mark:
        return sealing.opened_keys(mark, text).log
    return "k" + Sealed(text, mark["key"], mark).derived(b"gemel log")  # a letter first: the server reads digits as a number


def in_the_clear(places: Places) -> Iterator[Path]:
    """Give the files that are sealed where a directory is, and lie in the clear."""
    for file in _files(places):
        with suppress(FileNotFoundError):  # replaced or given up meanwhile
            if file.is_file() and file.suffix != ".new" and not sealing.sealed_file(file):
                yield file


def _files(places: Places) -> Iterator[Path]:
    yield from (places.registry, places.pointer, places.mark)
    for folder, pattern in (
        (places.registries, "*.arrow"),
        (places.plants, "*"),
        (places.fmus, "*.fmu"),
        (places.applied, "*"),
        (places.forks, "*"),
        (places.snapshots, "*.snap"),
        (places.lake / "files", "*.parquet"),
    ):
        yield from sorted(folder.rglob(pattern))


def _begun(places: Places) -> bool:
    return (places.data / "format.json").exists() or (places.streams / "jetstream").exists()


def _another(places: Places, found: str, asked: str) -> ConfigError:
    return ConfigError(
        f"these data are sealed with the secret {found!r}", code="log-sealed",
        remedy=f"say {found}; or have the secret {asked} open them instead: gemel seal --data {places.data} --key {asked}",
    )  # fmt: skip
