"""A record in memory, which keeps one fact of an id, as the real one does."""

from gemel.samples import Fact


class Kept:
    """What it begins with are facts of some kinds."""

    def __init__(self, *kinds):
        self.facts = [Fact(seq=n, id=f"f{n}", kind=kind, at=n, recorded=n, actor="ann") for n, kind in enumerate(kinds, 1)]

    @property
    def position(self):
        return len(self.facts)

    def between(self, after, upto):
        return self.facts[after:upto]

    def knows(self, fact_id):
        return any(f.id == fact_id for f in self.facts)

    async def read(self, after, limit):
        return self.facts[after : after + limit]

    async def append(self, draft):
        if self.knows(draft.id):
            return None
        fields = {name: getattr(draft, name) for name in draft.__struct_fields__}
        self.facts.append(Fact(seq=len(self.facts) + 1, recorded=draft.at, **fields))
        return self.facts[-1]
