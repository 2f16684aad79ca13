"""A folder of one's own for what a foreign model unpacks: only its user may look, and it goes with the process, however that ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from gemel import sealing
from gemel.operate.places import alive

_PREFIX: Final = "gemel-fmu-"


@contextmanager
def private() -> Iterator[Path]:
    """Give a folder that is removed at the end."""
    folder = made()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def made() -> Path:
    """Make such a folder (0700), and remove those of processes that were killed before they could."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if owner.isdigit() and left.stat().st_uid == os.getuid() and not alive(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def in_plain(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Give a request whose FMU can be read as it is: a sealed one is opened into the folder (0600)."""
    path = Path(request["path"])
    if not path.is_file() or not sealing.sealed_file(path):
        return request
    plain = folder / "sealed.fmu"
    with os.fdopen(os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(sealing.read(path))
    return request | {"path": str(plain)}
