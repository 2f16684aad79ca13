"""The *reason* process: takes jobs from the queue, works on them, tells how far it is.

It has a way to the bus of its own, that carries jobs and nothing else: what it computes cannot reach the plant.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Final

import msgspec

from gemel.bus import Bus
from gemel.bus.work import TRIES, Work, WorkQueue
from gemel.errors import GemelError, NotFoundError
from gemel.operate.jobs import Asked, Ended, Jobs
from gemel.operate.jobs_kinds import kind
from gemel.operate.looped import Looped

log = logging.getLogger(__name__)
TOLD_S: Final = 0.2  # between two words on how far a job is
ALIVE_S: Final = 1.5
LET_GO_S: Final = 10.0  # a job that was cancelled has let go by then, or never does
MUTE_S: Final = 900.0  # a job that did not say for so long how far it is never ends: a model's loop, most likely
ANEW: Final = ("job-hung", "model-changed")  # ends of a job after which this process must begin anew: no thread, and no module, is let go
LEFT: Final = 3  # exit code then; the family starts it again
PATIENCE_S: Final = 30.0  # how long a job waits for what is being made ready; compiled twice is no harm
REASON_BUS: Final = "REASON_BUS"  # of the environment of who works on jobs: their only way to the bus
HUNG: Final = "see that no loop of the model can go on for ever, also outside its ranges; bound it by a number of turns"
PROGRESS: Final = "jobs.progress"
CANCEL: Final = "jobs.cancel"
HERE: Final = ""  # told of no job: who works on them has begun to listen


class Reason:
    """Works on jobs, one at a time; any number of such processes share the queue.

    Args:
        bus: where the queue is.
        jobs: where they are kept.
        leave: ends this process at once, with an exit code.
        looped: models that are not compiled for a what-if any more.
    """

    def __init__(self, bus: Bus, jobs: Jobs, leave: Callable[[int], object] = os._exit, looped: Looped | None = None) -> None:
        self._bus, self._looped = bus, looped
        self._jobs = jobs
        self._queue = WorkQueue(bus)
        self._name = ""
        self._leave = leave
        self._done = 0.0
        self._stop = False
        self._heard = self._stopped = 0.0  # when the job last said how far it is, and was cancelled
        self._worked = time.monotonic()
        self.busy = threading.Lock()  # held while a job is worked on, or something made ready for one

    @property
    def idle_s(self) -> float:
        """For how long there was nothing to do [s]."""
        return 0.0 if self._name else time.monotonic() - self._worked

    async def run(self) -> None:
        """Take and work, until cancelled."""
        await self._bus.hear(CANCEL, self._on_cancel)
        await self._tell(HERE, 0.0)
        while True:
            try:
                await self._queue.ensure()
                while True:
                    work = await self._queue.take(1.0)
                    if work is not None:
                        await self._work(work)
            except (GemelError, OSError) as e:
                log.warning("jobs wait: %s", e)
                await asyncio.sleep(0.5)

    async def _on_cancel(self, data: bytes) -> None:
        if data.decode() == self._name:
            self._stop, self._stopped = True, time.monotonic()

    async def _work(self, work: Work) -> None:
        name = work.data.decode()
        try:
            job = self._jobs.get(name, whole=False)
        except NotFoundError:
            await work.done()
            return
        if job.state not in ("queued", "running"):
            await work.done()
            return
        self._name, self._done, self._stop, began = name, 0.0, False, time.monotonic()
        self._heard = began
        if work.tries > TRIES:
            ended = Ended(wall=time.time_ns(), seconds=0.0, problem=f"whoever worked on it died, {TRIES} times",
                          code="job-died", remedy="ask for less: fewer members, a shorter horizon")  # fmt: skip
        else:
            self._jobs.begin(name)
            ended = await self._watched(work, job.asked, began)
        await asyncio.to_thread(self._jobs.end, name, ended)
        self._name, self._worked = "", time.monotonic()
        await self._tell(name, 1.0)
        await work.done()
        if ended.code in ANEW:  # it is kept how the job ended, so nobody begins the same again
            log.error("job %s: %s; this process ends, to begin anew", name, ended.problem)
            await asyncio.sleep(TOLD_S)  # what was said last is sent
            self._leave(LEFT)

    async def _watched(self, work: Work, asked: Asked, began: float) -> Ended:
        task = asyncio.create_task(asyncio.to_thread(self._outcome, asked))
        said = time.monotonic()
        while not task.done():
            await asyncio.wait([task], timeout=TOLD_S)
            await self._tell(self._name, self._done)
            if why := self._hung():
                return Ended(wall=time.time_ns(), seconds=time.monotonic() - began, problem=why, code="job-hung", remedy=HUNG)
            if time.monotonic() - said > ALIVE_S:
                said = time.monotonic()
                await work.alive()
        return msgspec.structs.replace(task.result(), wall=time.time_ns(), seconds=time.monotonic() - began)

    def _hung(self) -> str:
        """Say in words that the job's thread will not come back; nothing where it may."""
        now = time.monotonic()
        if self._stop and now - self._stopped > LET_GO_S:
            return f"cancelled, and had not let go {LET_GO_S:g} s later"
        return f"it did not say for {MUTE_S / 60:g} min how far it is, and was ended" if now - self._heard > MUTE_S else ""

    def _outcome(self, asked: Asked) -> Ended:
        held = self._waited()
        try:
            if self._stop:
                return Ended(wall=0, seconds=0.0, problem="cancelled before it began", code="job-failed", remedy="ask again")
            return _outcome(asked, self._jobs, self._on_progress, self._looped)
        finally:
            if held:
                self.busy.release()

    def _waited(self) -> bool:
        """Wait for what is being made ready, until that is done, the job is cancelled or patience ends; say whether `busy` is held now."""
        until = time.monotonic() + PATIENCE_S
        while not (held := self.busy.acquire(timeout=TOLD_S)):
            if self._stop or time.monotonic() > until:
                break
        return held

    def _on_progress(self, done: float) -> bool:
        self._done, self._heard = done, time.monotonic()
        return not self._stop

    async def _tell(self, name: str, done: float) -> None:
        with contextlib.suppress(GemelError, OSError):
            await self._bus.tell(
                PROGRESS, msgspec.json.encode({"id": name, "progress": done, "pid": os.getpid()})
            )


def _outcome(asked: Asked, jobs: Jobs, told: Callable[[float], bool], looped: Looped | None) -> Ended:
    """Work; whatever goes wrong with one job is said, and the next one is taken."""
    try:
        if looped is not None and asked.kind == "whatif":
            looped.refuse(asked.spec["model"])
        attached = jobs.attached(asked.spec)
        spec = asked.spec if attached is None else {**asked.spec, "bytes": attached}
        return Ended(wall=0, seconds=0.0, result=kind(asked.kind)(spec, told))
    except GemelError as e:
        return Ended(wall=0, seconds=0.0, problem=e.message, code=e.code, remedy=e.remedy)
    except Exception as e:
        if type(e).__name__ != "Cancelled":
            log.exception("a job failed")
        return Ended(
            wall=0,
            seconds=0.0,
            problem=f"{type(e).__name__}: {e}",
            code="job-failed",
            remedy="see reason.log",
        )


def import_ahead() -> None:
    """Load what takes seconds to load, beside everything else, before the first job needs it."""

    def load() -> None:
        with contextlib.suppress(ImportError):  # the job that needs it says what is missing
            for name in ("jax.numpy", "scipy.stats", "llvmlite.binding", "gemel.scenarios"):
                import_module(name)

    threading.Thread(target=load, daemon=True).start()
