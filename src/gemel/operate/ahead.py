"""A what-if made ready before it is asked: its model loaded and compiled by who will compute it, while nothing else is to do.

    page asks where a what-if begins ─► jobs.ahead: the question it would ask by default ─► reason ─► compiled, and kept

Nothing is computed of the plant: a question of a few steps is answered and thrown away. What is kept in memory is what all
questions of the same shape share (`gemel.scenarios.engine`).
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from gemel.bus import Bus
from gemel.errors import StorageError
from gemel.operate.looped import Looped, made_of
from gemel.operate.models_source import in_use, sources
from gemel.operate.reasoning import LEFT
from gemel.operate.under_way import Patience, UnderWay

log = logging.getLogger(__name__)
AHEAD: Final = "jobs.ahead"
MOST_BYTES: Final = 500_000  # of a message on the bus; a larger question is compiled when it is asked
MEMBERS: Final = 256  # as many as JAX runs at once, if so many are asked for: what it compiles is of that shape
ONE_BY_ONE: Final = 2  # of an FMU, that nothing is compiled of
STEPS: Final = 4
LONG: Final = 2.5  # times as long as a step of the estimates may it take
LOOK_S: Final = 1.0
SELDOM_S: Final = 5.0  # between two looks at the source of what is not made ready


def prepare(spec: Mapping[str, Any], told: Callable[[float], bool] = lambda _done: True) -> None:
    """Have compiled what a what-if needs, by asking it for a few steps; raises what the what-if would, and where `told` says to stop."""
    from gemel.operate.whatif import one_by_one, run

    question = spec["question"]
    step_s = float(question.get("step_s") or 10.0)
    members = ONE_BY_ONE if one_by_one(spec["model"]) else min(MEMBERS, question["members"])
    short = {**question, "members": members, "horizon_s": STEPS * step_s, "scenarios": [{"name": "ahead"}], "indices": False}
    run({**spec, "question": short}, told)


class Ahead:
    """Hears what will be asked, and makes it ready.

    Args:
        bus: what is heard.
        busy: held while something is compiled or worked on, so that a job waits for what it needs (a while)
            instead of doing it twice.
        looped: models that were compiled for ever.
        leave: ends this process at once, with an exit code.
    """

    def __init__(self, bus: Bus, busy: threading.Lock, looped: Looped, leave: Callable[[int], object] = os._exit) -> None:
        self._bus, self.busy, self._looped, self._leave = bus, busy, looped, leave
        self._under = UnderWay()
        self._last = b""
        self._news = asyncio.Event()
        self.done = self.made = 0
        self.seconds = 0.0

    async def run(self) -> None:
        """Work, until cancelled; what cannot be made ready is said by the what-if itself."""
        await self._bus.hear(AHEAD, self._on_ahead)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), SELDOM_S)
            with contextlib.suppress(StorageError, OSError):
                await asyncio.to_thread(self._looped.forget_changed)
            if not self._news.is_set():
                continue
            self._news.clear()
            began = time.monotonic()
            try:
                spec = msgspec.json.decode(self._last)
                await self.watched(spec, partial(asyncio.to_thread, self._prepare, spec), self._under)
                self.made, self.seconds = self.made + 1, time.monotonic() - began
            except Exception as e:
                log.info("not made ready: %s", e)
            self.done += 1

    def told(self) -> dict[str, float]:
        """Give what is measured of it."""
        return {"made_ready_total": self.made, "made_ready_seconds": round(self.seconds, 3)} if self.made else {}

    def problems(self) -> list[dict[str, str]]:
        """Say what is not made ready any more, and why."""
        return [{"code": "not-made-ready", "message": e.message, "remedy": e.remedy} for e in (one.refusal for one in self._looped.known)]

    async def watched(self, spec: dict[str, Any], prepared: Callable[[], Coroutine[Any, Any, Any]], under: UnderWay) -> Any:
        """Give what comes of making it ready; where that never comes to an end this process ends, and the next one refuses it.

        Raises what `prepare` does, and ModelError where it is refused.
        """
        await asyncio.to_thread(self._looped.refuse, spec["model"])
        patience, work = Patience(under, LONG), asyncio.create_task(prepared())
        while not (await asyncio.wait([work], timeout=LOOK_S))[0]:
            if patience.look():
                of = made_of(spec["model"], loaded=in_use(sources(spec["model"])))
                with contextlib.suppress(StorageError, OSError):
                    self._looped.add(f"a what-if of {spec['asset']}", of, patience.seconds, spec["model"])
                log.error("what is compiled for a what-if of %s does not come to an end; this process ends, to begin anew", spec["asset"])
                self._leave(LEFT)
        return await work

    async def _on_ahead(self, data: bytes) -> None:
        if data != self._last:
            self._last = data
            self._news.set()

    def _prepare(self, spec: dict[str, Any]) -> None:
        with self.busy, self._under.of(spec["asset"]):
            prepare(spec)
