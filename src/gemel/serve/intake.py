"""What came in over HTTP and what was refused: a connection among the others on the data-quality page."""

from collections.abc import Sequence
from typing import Any

from gemel.connect import Refusals
from gemel.connect.http import Refusal


class Intake:
    """Counts requests, values and refusals since serve started; bounded for ever."""

    def __init__(self) -> None:
        self.requests = 0
        self.values = 0
        self.refusals = Refusals()

    def took(self, rows: int, accepted: int, refused: Sequence[Refusal]) -> None:
        """Count a request whose rows were read."""
        self.requests += 1
        self.values += accepted
        for r in refused:
            self.refusals.add(r.code, f"row {r.row} of {rows}", r.message)

    def unreadable(self, code: str, body: bytes) -> None:
        """Count a request that could not be read at all."""
        self.requests += 1
        self.refusals.add(code.replace("-", "_"), "POST /api/v1/telemetry", body[:200])

    def as_connection(self) -> dict[str, Any]:
        """Give the counts as ``GET /quality`` tells them of each connection."""
        return {
            "name": "http", "protocol": "http", "state": "connected", "messages": self.requests, "values": self.values,
            "refused": dict(self.refusals.counts), "examples": list(self.refusals.examples),
        }  # fmt: skip
