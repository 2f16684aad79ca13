"""Dynamic models that a plant file names, met with care.

    gemel's own        ─► imported here
    anybody else's     ─► imported in a child with limits first ─► what it declares ─► only whoever computes imports it
    an FMU             ─► described in a child ─► run, or evaluated, in children only

Whoever answers people, or follows the plant, asks `declared` and never runs a line of a foreign model. Whoever
computes asks `compiled`: a model that crashes, hangs or is wrong was refused in the child, in words.
"""

from __future__ import annotations

import hashlib
import json
import threading
from functools import lru_cache
from typing import Any, Final, cast

from gemel import sealing
from gemel.assets.fmus import find, is_fmu, parted
from gemel.dynamics import Compiled, DynamicModel, compile_model, find_model
from gemel.dynamics.declared import Declared
from gemel.errors import ModelError
from gemel.operate.fmi.coupled import joined
from gemel.operate.fmi.host import Limits, ask
from gemel.operate.fmi.model import FmuModel, fmu
from gemel.operate.models_source import OWN, loading, source

DECLARED: Final = Limits(time_s=60.0, memory_bytes=2_000_000_000)
FMU: Final = Limits(time_s=120.0, memory_bytes=4_000_000_000)
EVALUATED: Final = Limits(time_s=300.0, memory_bytes=16_000_000_000)  # JAX reserves far more than it uses
Reference = str | dict[str, Any]
"""How a model is found: ``module:name``; ``name.fmu@digest``; a system by ``components`` (references by name) and ``joints``."""
_turns: dict[str, threading.Lock] = {}  # by model: two that ask for one at once get the same


def declared(reference: str) -> Declared:
    """Give what a model declares, as its source says by now; nothing of a foreign one is run in this process.

    Raises ModelError: it cannot be imported, crashes, hangs, or declares what makes no sense.
    """
    return _declared(reference, source(reference))


@lru_cache(64)
def _declared(reference: str, _source: str) -> Declared:
    if is_fmu(reference):
        return Declared.of(cast(DynamicModel, fmu_of(reference)))
    if reference.startswith(OWN):
        return Declared.of(find_model(reference))
    found: Declared = _looked_at(reference, evaluate=False)["declared"]
    return found


def compiled(reference: Reference) -> Compiled:
    """Give a model to compute with, or a system of such; once a process, so that what is compiled of it is found again.

    Raises ModelError with the first error found.
    """
    with _turns.setdefault(json.dumps(reference), threading.Lock()):
        if isinstance(reference, str):
            return _compiled(reference)
        return _system(tuple(reference["components"].items()), tuple((a, b) for a, b in reference["joints"]))


@lru_cache(16)
def _system(components: tuple[tuple[str, str], ...], joints: tuple[tuple[str, str], ...]) -> Compiled:
    return compile_model(joined({name: compiled(reference).model for name, reference in components}, joints))


@lru_cache(64)
def _compiled(reference: str) -> Compiled:
    """Give a model to compute with, after all checks; a foreign one was tried in a child before.

    Raises ModelError with the first error found.
    """
    if is_fmu(reference):
        return compile_model(cast(DynamicModel, fmu_of(reference)))
    if not reference.startswith(OWN):
        tried(reference)
        loading(reference)
    return compile_model(find_model(reference))


def tried(reference: str) -> None:
    """Try a foreign model in a child, as its source is now; raises ModelError where it is refused."""
    _looked_at(reference, evaluate=True)


@lru_cache(32)
def fmu_of(reference: str) -> FmuModel:
    """Give the FMU that a plant file names, of the very content it was read with.

    Raises ModelError: it is kept nowhere (`no-fmu`), or cannot be used (`fmu`).
    """
    name, digest = parted(reference)
    path = find(digest)
    if path is None or hashlib.sha256(sealing.read(path)).hexdigest() != digest:
        raise ModelError(
            f"the FMU {name} ({digest[:12]}) is not here any more", code="no-fmu",
            remedy="put it back beside the plant file and apply that, or restore fmus/ of the data directory from a back-up",
        )  # fmt: skip
    return fmu(path, FMU, name)


def _looked_at(reference: str, *, evaluate: bool) -> dict[str, Any]:
    told = ask({"do": "check", "path": reference, "evaluate": evaluate}, EVALUATED if evaluate else DECLARED)
    if "error" in told:
        words, remedy = f"{reference}: {told['error']}", told.get("remedy") or "see its code: it is run with limits of time and memory"
        if "code" in told:
            raise ModelError(words, code=told["code"], remedy=remedy)
        raise ModelError(words, code="model-refused", remedy=remedy)
    for severity, code, message, remedy in told["findings"]:
        if severity == "error":
            raise ModelError(f"{reference}: {message}", code=code, remedy=remedy)
    return told
