"""Facts are few and precious: an immutable event with who, when, why, and what it followed from.

Kinds are past participles (`CommandRequested`, `AlarmRaised`, `PlantApplied`). The record keeps them hash-
chained over their stored bytes; audit is nothing but reading it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of the record.

    Args:
        seq: position in the record, from 1, without gaps.
        id: stable name of the event; appending the same id twice keeps one.
        kind: what happened, a past participle.
        at: plant time [ns].
        recorded: wall time of the machine that recorded it [ns].
        actor: who: a user's name, or ``gemel`` where a rule of the twin acted.
        subject: path of the asset, property or command it is about.
        body: what the kind needs, plain JSON values.
        reason: why, in words.
        cause: id of the fact, or position of the frame (``samples.0:1234``), that it followed from.
        previous: SHA-256 (hex) of the stored bytes of the fact before it; 64 zeros for the first.
    """

    seq: int
    id: str
    kind: str
    at: int
    recorded: int
    actor: str
    subject: str = ""
    body: Mapping[str, Any] = {}
    reason: str = ""
    cause: str = ""
    previous: str = "0" * 64


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A fact not yet appended: the record gives it seq, recorded and previous."""

    id: str
    kind: str
    at: int
    actor: str
    subject: str = ""
    body: Mapping[str, Any] = {}
    reason: str = ""
    cause: str = ""


def encode(fact: Fact) -> bytes:
    """Give the bytes that are stored and chained: JSON in the order of the fields."""
    return msgspec.json.encode(fact)


def decode(stored: bytes) -> Fact:
    """Read a fact from its stored bytes."""
    return msgspec.json.decode(stored, type=Fact)
