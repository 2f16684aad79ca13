"""Versions of parameters, and of what is learned, as who estimates hears of them: the facts that release them and take them back, and no others.

Who estimates has no way to the record. It is told these facts, in their order, up to where the record has grown; which of
them count, and from when on, follows from the ticks of the log alone, so that a replay takes up the same ones at the same tick.
"""

from typing import Any, Final

import msgspec

from gemel.samples import Fact
from gemel.twin.record import Record
from gemel.twin.releases import FACTS

SUBJECT: Final = "twin.released"
READ: Final = 5000  # facts at once
MOST_BYTES: Final = 2 << 20  # of an answer


class News(msgspec.Struct, frozen=True):
    """What is told: the facts, and up to which position of the record there are no others."""

    upto: int
    facts: list[Fact]


class ReleasesOut:
    """Answers which facts released parameters, or took a release back."""

    def __init__(self, record: Record) -> None:
        self._record, self._position = record, 0
        self._kept: list[tuple[Fact, int]] = []  # with how long it is as it crosses the bus

    async def answer(self, body: dict[str, Any]) -> bytes:
        """Give those after a position; as many as an answer holds, one at least."""
        upto = await self._read()
        told: list[Fact] = []
        size = 0
        for fact, long in self._kept:
            if fact.seq <= int(body["after"]):
                continue
            if told and size + long > MOST_BYTES:
                upto = told[-1].seq
                break
            told.append(fact)
            size += long
        return msgspec.json.encode(News(upto, told))

    async def _read(self) -> int:
        while self._position < self._record.position and (facts := await self._record.read(self._position, READ)):
            mine = [f for f in facts if f.kind in FACTS and f.seq > self._position]
            self._kept += [(f, len(msgspec.json.encode(f))) for f in mine]
            self._position = max(self._position, facts[-1].seq)
        return self._position


def heard(answer: bytes) -> News:
    """Read an answer."""
    return msgspec.json.decode(answer, type=News)
