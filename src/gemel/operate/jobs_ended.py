"""Waiting for the end of a job, whoever asked for it."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

OPEN: Final = ("queued", "running")


class _Standing(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def asked(self) -> Any: ...


J = TypeVar("J", bound=_Standing)
J_co = TypeVar("J_co", bound=_Standing, covariant=True)


class Following(Protocol[J_co]):
    """Where jobs are followed."""

    async def get(self, name: str) -> J_co:
        """Give a job as it stands."""


def _unheard(job: object) -> None:
    """Tell nobody how far it is."""


async def ended(
    jobs: Following[J], job: J, *, every_s: float, within_s: float = math.inf, told: Callable[[J], None] = _unheard
) -> J:
    """Give a job once it has ended; as it stands where that takes longer.

    Args:
        jobs: where it is followed.
        job: as it stands.
        every_s: how often it is looked at [s].
        within_s: how long it is waited for [s].
        told: called with it at each look.

    """
    until = time.monotonic() + within_s
    while job.state in OPEN and time.monotonic() < until:
        await asyncio.sleep(every_s)
        job = await jobs.get(job.asked.id)
        told(job)
    return job
