"""Rolling a fact back: nothing leaves the record; a compensating fact is added, and the state is as before.

fact ─► what kind? ─► its machine: does it still stand? ─► draft, once ─► record ─► takes effect at the next tick
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gemel.errors import NotFoundError, RefusedError
from gemel.samples import Draft, Fact
from gemel.twin.record import Record

Compensate = Callable[[Fact, str, str, int], Draft]  # fact, user, reason, plant time [ns]
READ: Final = 1000
# why a kind has no compensation, and what there is instead, by the beginning of its name
INSTEAD: Final[Mapping[str, tuple[str, str]]] = {
    "Command": (
        "what was written to the plant is not undone by a fact",
        "ask for a command with the value before; one that waits can be cancelled",
    ),
    "PlantApplied": ("a plant file is not taken back by a fact", "apply the former file"),
}  # fmt: skip


class Reverts:
    """Adds compensating facts.

    Args:
        record: where facts are read and appended.
        compensations: by the beginning of a kind's name, what gives the compensating draft; it raises RefusedError or
            ConflictError where there is none.
    """

    def __init__(self, record: Record, compensations: Mapping[str, Compensate]) -> None:
        self._record = record
        self._compensations = compensations

    async def revert(self, seq: int, user: str, reason: str, at: int) -> Fact:
        """Take a fact back and give the compensating one; asked twice, it is the same.

        Raises NotFoundError, RefusedError (no reason, or a kind that cannot be taken back) and ConflictError (it
        does not stand any more).
        """
        found = await self._record.read(seq - 1, 1) if seq > 0 else []
        if not found or found[0].seq != seq:
            raise NotFoundError(f"there is no fact {seq}", remedy="see GET /api/v1/facts")
        if (done := await self._done(found[0])) is not None:
            return done
        if not reason.strip():
            raise RefusedError("taking a fact back needs a reason", code="revert-no-reason", remedy="say why")
        draft = self._of(found[0])(found[0], user, reason, at)
        fact = await self._record.append(draft) or await self._done(found[0])
        assert fact is not None, "its id is in the record"
        return fact

    def _of(self, fact: Fact) -> Compensate:
        for head, compensate in self._compensations.items():
            if fact.kind.startswith(head):
                return compensate
        words, remedy = next(
            (told for head, told in INSTEAD.items() if fact.kind.startswith(head)),
            ("it only tells what happened", "see the audit"),
        )
        raise RefusedError(f"{fact.kind} cannot be taken back: {words}", code="revert-kind", remedy=remedy)

    async def _done(self, fact: Fact) -> Fact | None:
        """Give the fact that took this one back already."""
        once, after = f"revert-{fact.seq}", fact.seq
        if not self._record.knows(once):
            return None
        while read := await self._record.read(after, READ):
            for later in read:
                if later.id == once:
                    return later
            after = read[-1].seq
        return None


def asked(body: Mapping[str, Any]) -> tuple[int, str, str]:
    """Read a request: which fact, who, why."""
    return int(body["seq"]), str(body["user"]), str(body.get("reason", ""))
