"""What the twin says of damaged files of its history: a fact for each, once, and two measures."""

from collections.abc import Iterator, Sequence

from gemel.history import Hole
from gemel.operate.measures import Told
from gemel.samples import Draft


class Damaged:
    """Tells of each damaged file once; the record knows it again by its id after a restart."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def drafts(self, holes: Sequence[Hole], at: int) -> Iterator[Draft]:
        """Give the facts that are still to be told. at: when they are [ns]."""
        for hole in holes:
            if hole.settled and hole.file not in self._told:
                self._told.add(hole.file)
                yield _fact(hole, at)


def _fact(hole: Hole, at: int) -> Draft:
    body = {
        "file": hole.file, "table": hole.table, "why": hole.why, "rows": hole.rows, "from_time": hole.start, "to_time": hole.end,
        "signals": [hole.low, hole.high],
    }  # fmt: skip
    return Draft(id=f"history-damaged-{hole.file}", kind="HistoryDamaged", at=at, actor="gemel", body=body)


def lost(holes: Sequence[Hole]) -> Told:
    """Give the measures of damaged files."""
    return {"history_damaged_files": len({h.file for h in holes}), "history_lost_rows": sum(h.rows for h in holes)}
