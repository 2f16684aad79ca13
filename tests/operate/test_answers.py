"""What the twin answers: a request that is made again because its answer was late is done once."""

import asyncio
from types import SimpleNamespace

from fold_kit import owner

from gemel.operate.answers import Answers
from gemel.samples import Fact


class Record:
    """Keeps each id once, as the real one does."""

    def __init__(self):
        self.ids = []

    async def append(self, draft):
        if draft.id in self.ids:
            return None
        self.ids.append(draft.id)
        return Fact(seq=len(self.ids), id=draft.id, kind=draft.kind, at=draft.at, recorded=0, actor=draft.actor)


def test_a_note_that_is_sent_again_is_recorded_once(tmp_path):
    record = Record()
    gate = SimpleNamespace(**dict.fromkeys(("request", "get", "list", "approve", "reject", "cancel", "versions")))
    answers = Answers(owner(tmp_path, record), record, gate, SimpleNamespace(now=lambda: 5))

    async def body():
        for note in ("ended-nats-1", "ended-nats-1", "", ""):
            await answers.answer({"do": "note", "id": note, "kind": "ProcessEnded", "actor": "gemel", "body": {}})

    asyncio.run(body())
    assert len(record.ids) == 3 and record.ids[0] == "ended-nats-1"
