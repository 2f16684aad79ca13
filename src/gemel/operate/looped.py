"""Models that looped for ever, kept beside the data: whoever begins anew leaves them out, until they are others.

    a step does not come back ─► what it was, and of which code and plant ─► the process begins anew ─► the same again: refused

Forgotten when the plant file or the source of its models is another, and when a person starts the twin anew. It is not tried by
itself: each try would hold up all that is estimated.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from gemel import __version__, sealing
from gemel.errors import ModelError
from gemel.operate.models_source import sources

MOST: Final = 100  # kept
CODE: Final = "model-loops"  # of a refusal
REMEDY: Final = (
    "bound every loop of its model by a number of turns, also outside its ranges; it is tried again once the model's source or the plant file "
    "is changed, or the twin is started anew"
)


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """What did not come back.

    Args:
        what: in words, as ``type Pump``.
        of: digest of all that it was made of.
        wall: when it was given up [ns].
        seconds: how long it had taken.
        reference: of the model, where all it was made of follows from that.
    """

    what: str
    of: str
    wall: int
    seconds: float
    reference: str | dict[str, Any] | None = None

    @property
    def refusal(self) -> ModelError:
        """Why it is left out."""
        at = datetime.fromtimestamp(self.wall // 10**9, UTC)
        return ModelError(
            f"what is computed with the model of {self.what} did not come back within {self.seconds:.0f} s, as where it loops for ever; "
            f"at {at:%Y-%m-%d %H:%M} UTC the process was begun anew without it", code="model-loops", remedy=REMEDY if self.reference is None else REMEDY.replace(" or the plant file", ""),
        )  # fmt: skip


class Looped:
    """What looped, in a file.

    Args:
        file: of the data directory.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self.known: list[Loop] = msgspec.json.decode(sealing.read(file), type=list[Loop])
        except (OSError, msgspec.DecodeError):
            self.known = []

    def add(self, what: str, of: str, seconds: float, reference: str | dict[str, Any] | None = None) -> None:
        """Keep that something did not come back; raises OSError, StorageError."""
        loop = Loop(what=what, of=of, wall=time.time_ns(), seconds=seconds, reference=reference)
        self._keep([*(one for one in self.known if one.what != what), loop][-MOST:])

    def only(self, of: Collection[str]) -> None:
        """Forget what was of anything else."""
        if len(left := [one for one in self.known if one.of in of]) != len(self.known):
            self._keep(left)

    def forget_changed(self) -> None:
        """Forget what is of other code by now."""
        self.only({made_of(one.reference) for one in self.known if one.reference is not None})

    def refuse(self, reference: str | dict[str, Any]) -> None:
        """Raise ModelError (`model-loops`) where this model looped."""
        of = made_of(reference) if self.known else ""
        for one in self.known:
            if one.of == of:
                raise one.refusal

    def _keep(self, known: list[Loop]) -> None:
        self.known = known
        sealing.write(self._file, msgspec.json.encode(known))


def made_of(reference: str | Mapping[str, Any], plant: str = "", loaded: Mapping[str, str] | None = None) -> str:
    """Give the digest of what a computation is made of: gemel, the plant file, the models' source.

    Args:
        reference: of the model, or of a system of such.
        plant: digest of the plant file.
        loaded: source of the models, where it may be another by now.
    """
    code = sources(reference) if loaded is None else dict(loaded)
    return hashlib.sha256(msgspec.json.encode([__version__, plant, reference, code], order="deterministic")).hexdigest()
