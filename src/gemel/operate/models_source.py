"""Which code a model of one's own is: the SHA-256 of its source, so that what follows from it is named by it.

    module:Class ─► its file; where it lies in a package, all of that ─► SHA-256

gemel's own models are of gemel's version, and FMUs are named by their content. Nothing is imported here: who answers people asks too.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Final

from gemel.assets.fmus import is_fmu
from gemel.errors import ModelError

OWN: Final = "gemel."
LOOK_S: Final = 1.0  # so old at most is what `source` tells, which is asked for each asset of a fleet
_loaded: dict[str, str] = {}  # by the first part of a module's name: which code this process has of it, and keeps
_looked: dict[str, tuple[float, str]] = {}  # by the same, when its code was looked at, and which it was


def sources(model: str | Mapping[str, Any]) -> dict[str, str]:
    """Give the SHA-256 (hex) of the source of each model of a reference that is not gemel's and no FMU; of one that is not found, none."""
    references = [model] if isinstance(model, str) else [str(one) for one in model["components"].values()]
    found = {one: _source(_top(one)) for one in references if _is_own(one)}
    return {one: digest for one, digest in sorted(found.items()) if digest}


def named(model: str | Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Give `sources` under the name that versions have them by, ``models``; nothing where there are none."""
    found = sources(model)
    return {"models": found} if found else {}


def source(reference: str) -> str:
    """Give the same of one model, as it was at most a second ago; empty where `sources` names none."""
    if not _is_own(reference):
        return ""
    top, now = _top(reference), time.monotonic()
    if now - _looked.get(top, (-math.inf, ""))[0] > LOOK_S:
        _looked[top] = now, _source(top)
    return _looked[top][1]


def loading(reference: str) -> None:
    """Remember which code a model is that is imported now; told before it is imported."""
    _loaded.setdefault(_top(reference), _source(_top(reference)))


def same(digests: Mapping[str, str]) -> None:
    """Raise ModelError (`model-changed`) where this process computes with other code of a model than `sources` told."""
    for reference, digest in digests.items():
        if _loaded.get(_top(reference), digest) != digest:
            raise ModelError(
                f"the code of {reference} was changed after it was loaded", code="model-changed", remedy="ask again: the process that computes begins anew",
            )  # fmt: skip


def in_use(digests: Mapping[str, str]) -> dict[str, str]:
    """Give the SHA-256 of the code that this process computes with, of models of which `sources` told what stands in their files."""
    return {reference: _loaded.get(_top(reference), digest) for reference, digest in digests.items()}


def _is_own(reference: str) -> bool:
    return not is_fmu(reference) and not reference.startswith(OWN)


def _top(reference: str) -> str:
    return reference.partition(":")[0].partition(".")[0]


def _source(top: str) -> str:
    spec = PathFinder.find_spec(top)
    if spec is None:
        return ""
    digest = hashlib.sha256()
    for name, file in _files(spec.submodule_search_locations, spec.origin):
        data = file.read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _files(folders: list[str] | None, origin: str | None) -> Iterator[tuple[str, Path]]:
    """Give the files of a module, or of a whole package, by name, in the order of names."""
    if not folders:
        yield from [(Path(origin).name, Path(origin))] if origin and Path(origin).is_file() else []
    for folder in folders or ():
        yield from ((str(one.relative_to(folder)), one) for one in sorted(Path(folder).rglob("*.py")))
