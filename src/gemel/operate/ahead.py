"""A what-if made ready before it is asked: its model loaded and compiled by who will compute it, while nothing else is to do.

    page asks where a what-if begins ─► jobs.ahead: the question it would ask by default ─► reason ─► compiled, and kept

Nothing is computed of the plant: a question of a few steps is answered and thrown away. What is kept in memory is what all
questions of the same shape share (`gemel.scenarios.engine`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gemel.bus import Bus

log = logging.getLogger(__name__)
AHEAD: Final = "jobs.ahead"
MOST_BYTES: Final = 500_000  # of a message on the bus; a larger question is compiled when it is asked
MEMBERS: Final = 256  # as many as JAX runs at once, if so many are asked for: what it compiles is of that shape
ONE_BY_ONE: Final = 2  # of an FMU, that nothing is compiled of
STEPS: Final = 4


def prepare(spec: Mapping[str, Any]) -> None:
    """Have compiled what a what-if needs, by asking it for a few steps; raises what the what-if would."""
    from gemel.operate.whatif import one_by_one, run

    question = spec["question"]
    step_s = float(question.get("step_s") or 10.0)
    members = ONE_BY_ONE if one_by_one(spec["model"]) else min(MEMBERS, question["members"])
    short = {**question, "members": members, "horizon_s": STEPS * step_s, "scenarios": [{"name": "ahead"}], "indices": False}
    run({**spec, "question": short}, lambda _done: True)


class Ahead:
    """Hears what will be asked, and makes it ready.

    Args:
        bus: what is heard.
        busy: held while something is compiled or worked on, so that a job waits for what it needs (a while)
            instead of doing it twice.
    """

    def __init__(self, bus: Bus, busy: threading.Lock) -> None:
        self._bus, self._busy = bus, busy
        self._last = b""
        self._news = asyncio.Event()
        self.done = self.made = 0
        self.seconds = 0.0

    async def run(self) -> None:
        """Work, until cancelled; what cannot be made ready is said by the what-if itself."""
        await self._bus.hear(AHEAD, self._on_ahead)
        while True:
            await self._news.wait()
            self._news.clear()
            began = time.monotonic()
            try:
                await asyncio.to_thread(self._prepare, msgspec.json.decode(self._last))
                self.made, self.seconds = self.made + 1, time.monotonic() - began
            except Exception as e:
                log.info("not made ready: %s", e)
            self.done += 1

    def told(self) -> dict[str, float]:
        """Give what is measured of it."""
        return {"made_ready_total": self.made, "made_ready_seconds": round(self.seconds, 3)} if self.made else {}

    async def _on_ahead(self, data: bytes) -> None:
        if data != self._last:
            self._last = data
            self._news.set()

    def _prepare(self, spec: dict[str, Any]) -> None:
        with self._busy:
            prepare(spec)
