"""What the twin answers to a back-up: a snapshot of now, with all rows before it in the lake."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from gemel.operate.fold import Owner
from gemel.twin.record import Record

Verbs = dict[str, Callable[[dict[str, Any]], Awaitable[bytes]]]


def verbs(owner: Owner, record: Record) -> Verbs:
    """Give the words and what answers them."""

    async def save(_body: dict[str, Any]) -> bytes:
        """Keep a snapshot; give the position of the record, so that what follows from the snapshot is known to be in it."""
        await owner.save()
        return msgspec.json.encode({"facts": record.position})

    return {"save": save}
