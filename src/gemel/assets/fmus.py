"""FMUs that a plant file names: files beside it, known by what is in them, whatever becomes of the files later.

    dynamics: {fmu: models/pump.fmu} ─► SHA-256 ─► reference `models/pump.fmu@<digest>` ─► whoever runs it finds it by the digest

A kept plant file has `fmus.csv` beside it instead of the FMUs: which content each name means. The contents lie once each, under
their digests, in a folder of the data directory. Where contents lie is known once a process, as are modules.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gemel import sealing

LISTED: Final = "fmus.csv"
SUFFIX: Final = ".fmu"
_read: dict[str, Path] = {}  # by digest, files beside plant files that were read in this process
_kept: dict[Path, None] = {}  # folders of kept contents


class Fmus:
    """The FMUs beside a plant file, each read once.

    Args:
        folder: of the plant file.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._listed: dict[str, str] | None = None
        self.found: dict[str, str] = {}

    def digest(self, name: str) -> str | None:
        """Give the SHA-256 (hex) of the FMU of a name; None where there is none."""
        if name not in self.found and self._folder is not None:
            found = self._of_file(self._folder / name) or self._of_list(self._folder / LISTED, name)
            if found is None:
                return None
            self.found[name] = found
        return self.found.get(name)

    def _of_file(self, file: Path) -> str | None:
        if not file.is_file():
            return None
        found = hashlib.sha256(sealing.read(file)).hexdigest()
        _read[found] = file
        return found

    def _of_list(self, file: Path, name: str) -> str | None:
        if self._listed is None:
            self._listed = read_list(sealing.read(file)) if file.is_file() else {}
        return self._listed.get(name)


def read_list(data: bytes) -> dict[str, str]:
    """Read `fmus.csv`: digests by name; what is no such line is passed by."""
    rows = csv.reader(io.StringIO(data.decode(errors="replace")))
    return {row[0]: row[1] for row in rows if len(row) == 2 and len(row[1]) == 64 and row[1].isalnum()}


def written_list(fmus: Mapping[str, str]) -> bytes:
    """Write `fmus.csv`."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("fmu", "sha256"), *sorted(fmus.items())])
    return out.getvalue().encode()


def keep_in(folder: Path) -> None:
    """Say that contents are kept in a folder."""
    _kept[folder] = None


def kept_name(digest: str) -> str:
    """Give the name of the file of a content that is kept."""
    return digest + SUFFIX


def find(digest: str) -> Path | None:
    """Give the file that had a content when it was read: a kept one, else that beside a plant file; None: there is none."""
    places: Iterable[Path] = (folder / kept_name(digest) for folder in _kept)
    return next((p for p in (*places, *filter(None, [_read.get(digest)])) if p.is_file()), None)


def reference(name: str, digest: str) -> str:
    """Give how a model refers to its FMU.

    >>> is_fmu(reference("pump.fmu", "0" * 64)), is_fmu("acme.models:Pump")
    (True, False)
    """
    return f"{name}@{digest}"


def is_fmu(reference: str) -> bool:
    """Tell whether a reference of a dynamic model is that of an FMU."""
    return "@" in reference


def parted(reference: str) -> tuple[str, str]:
    """Give the name and the digest of a reference."""
    name, _, digest = reference.rpartition("@")
    return name, digest


def same_fmu(first: str | None, second: str | None) -> bool:
    """Tell whether two references name one FMU, whatever its content."""
    both = [r for r in (first, second) if r is not None and is_fmu(r)]
    return len(both) == 2 and len({parted(r)[0] for r in both}) == 1


def said_of(reference: str | None) -> str:
    """Give what people are told of a model: an FMU's name alone, for its content changes; empty where there is none."""
    if reference is None:
        return ""
    return parted(reference)[0] if is_fmu(reference) else reference
