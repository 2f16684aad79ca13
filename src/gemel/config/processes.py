"""The processes of a family. ``python -m gemel.config NAME DATA`` runs one; the supervisor starts them so.

Each loads only what it is made of: an import of everything by everyone was most of the time of a restart.
"""

import asyncio
import contextlib
import importlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from gemel.errors import ConfigError
from gemel.operate.places import Places

log = logging.getLogger(__name__)
REFUSED: Final = 2
LEAVE_S: Final = 10  # a process that does not find its end has nobody to kill it once its parent is gone
HOMES: Final = {
    "twin": "gemel.config.process_twin",
    "ingest": "gemel.config.process_ingest",
    "serve": "gemel.config.process_serve",
    "reason": "gemel.config.process_reason",
    "family": "gemel.config.process_family",
}


def process(name: str) -> Callable[[Places], Coroutine[Any, Any, None]]:
    """Give what a process runs: `run` of its module."""
    found: Callable[[Places], Coroutine[Any, Any, None]] = importlib.import_module(HOMES[name]).run
    return found


async def until_told(work: Awaitable[None], leave_s: int = 0) -> None:
    """Run until done or until SIGTERM or SIGINT asks to end; the kernel ends it where it did not `leave_s` later [s]."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def end() -> None:
        if not task.cancelling():  # a second one would cut the clean-up that the first began
            signal.alarm(leave_s)
            task.cancel()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, end)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main(argv: list[str]) -> int:
    """Run one process of the family."""
    name, data = argv
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    code = 0
    try:
        asyncio.run(until_told(process(name)(Places(Path(data))), LEAVE_S))
    except* ConfigError as group:  # alone, or out of a group of tasks
        code = REFUSED
        for error in _single(group):
            log.error("%s", error)
    return code


def _single(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [one for part in error.exceptions for one in _single(part)]
    return [error]
