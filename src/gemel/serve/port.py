"""What serve needs of a twin: the port that `operate.view` fills, and that a fake fills in tests.

Against the first sketch: deltas, live values and aggregates are Protocols, so that serve and operate stay
strangers; `verify` was added for ``GET /facts/verify``; `reject`, `cancel` and `approve` take the same
arguments; `values.facts` is the last fact's position; `quality` gives columns by name under ``signals``.
Times inside the mappings that come back may be [ns] or ISO 8601 text: serve writes text.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gemel.assets import Plant
from gemel.samples import Batch, Fact, Registry
from gemel.samples.batch import F32, F64, I32, I64, U32
from gemel.serve.port_calibrations import Calibrated
from gemel.serve.port_forks import Forking
from gemel.serve.port_jobs import Reasoned
from gemel.serve.port_life import Living
from gemel.serve.port_missing import Lacking
from gemel.serve.port_overrides import Overridden
from gemel.serve.port_past import Past
from gemel.serve.port_plant import Changing
from gemel.serve.port_releases import Released
from gemel.twin.properties import Held

Told = dict[str, Any]
Row = tuple[str, int | None, float, int | None, float | None]  # path, time [ns], value, status, standard uncertainty


class LiveValues(Protocol):
    """Last shown values as columns indexed by signal; they change in place."""

    @property
    def value(self) -> F64:
        """Value in the declared unit; NaN where never seen."""

    @property
    def status(self) -> U32:
        """OPC UA StatusCode of the latest reading."""

    @property
    def time(self) -> I64:
        """Source time of the value [ns]."""

    @property
    def received(self) -> I64:
        """When it was received [ns]."""

    @property
    def sigma(self) -> F32 | None:
        """Standard uncertainty that the value came with, NaN where with none; None: none did."""

    @property
    def stale(self) -> npt.NDArray[np.bool_]:
        """Silent for longer than `stale_after`."""

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Ever received."""

    @property
    def held(self) -> Mapping[int, Held]:
        """Overrides in force, by property."""

    @property
    def sequence(self) -> int:
        """Rises with each delta."""

    @property
    def plant_time(self) -> int:
        """Plant time of the last delta [ns]."""

    @property
    def behind_s(self) -> float:
        """How far the fold is behind its log [s]."""

    @property
    def facts(self) -> int:
        """Position of the last fact."""


class Delta(Protocol):
    """Something changed."""

    @property
    def kind(self) -> str:
        """``values`` (these signals), ``fact`` (this fact), or ``gap`` (anything may have changed)."""

    @property
    def signals(self) -> I32 | None:
        """Which signals, with ``values``."""

    @property
    def fact(self) -> Fact | None:
        """Which fact, with ``fact``."""


class Aggregated(Protocol):
    """One row an interval."""

    @property
    def times(self) -> I64:
        """Start of each interval [ns]."""

    @property
    def values(self) -> F64:
        """The aggregate; NaN is a gap."""

    @property
    def counts(self) -> I64:
        """How many usable readings."""

    @property
    def worst(self) -> U32:
        """The worst status."""


class Twin(Overridden, Calibrated, Changing, Lacking, Reasoned, Released, Living, Protocol):
    """The twin as seen from serve.

    A refusal is raised: RefusedError (not allowed, a guard said no), ConflictError (somebody was faster),
    NotFoundError (no such item), StorageError (the twin does not answer; try again).
    """

    @property
    def plant(self) -> Plant:
        """The applied plant."""

    @property
    def registry(self) -> Registry:
        """What the signal numbers mean."""

    @property
    def values(self) -> LiveValues:
        """Last values."""

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """Give what changes from now on."""

    def link(self) -> Told:
        """Tell whether the twin is heard: ``{"up": bool, "age_s": float}``."""

    async def history_raw(
        self, signal: int, start: int, end: int, limit: int, known: int | None = None
    ) -> Batch:
        """Give the first `limit` readings with start ≤ time < end [ns], sorted by time."""

    async def history_rows(
        self, signals: Sequence[int], start: int, end: int, limit: int | None = None, known: int | None = None
    ) -> Batch:
        """Give the readings of several signals with start ≤ time < end [ns] by (signal, time): the first `limit`."""

    async def history_decimated(self, signal: int, start: int, end: int, points: int) -> Batch:
        """Give about 2 x `points` readings that draw like all of them."""

    async def history_aggregated(
        self, signal: int, start: int, end: int, interval_ns: int, aggregate: str
    ) -> Aggregated:
        """Give one value an interval, counted from `start`."""

    @property
    def forks(self) -> Forking:
        """States kept under a name, to go on from."""

    @property
    def past(self) -> Past:
        """What was so at a past time."""

    async def facts(self, after: int, limit: int, kind: str | None, subject: str | None) -> list[Fact]:
        """Give facts after a position."""

    async def verify(self) -> Told:
        """Check the record: ``{"ok", "checked", "broken_at", "head"}``."""

    async def alarms(self) -> list[Told]:
        """Give the alarms that are not normal."""

    async def acknowledge(self, alarm_id: str, user: str, comment: str) -> Told | None:
        """Acknowledge an alarm; the fact comes by `listen`."""

    async def shelve(self, alarm_id: str, user: str, reason: str, seconds: float) -> Told | None:
        """Shelve an alarm for a time [s]."""

    async def command(
        self, user: str, role: str, asset: str, name: str, value: float, reason: str, expected: int | None = None
    ) -> Told:
        """Ask for a command; a refused one is a command too, in the state ``refused``; `expected` is the asset's version."""

    async def command_get(self, command_id: str) -> Told:
        """Give a command."""

    async def command_list(self, asset: str | None = None) -> list[Told]:
        """Give the commands, newest first."""

    async def approve(self, command_id: str, user: str, role: str, reason: str) -> Told:
        """Approve a command; another person than who asked, of the role it names."""

    async def reject(self, command_id: str, user: str, role: str, reason: str) -> Told:
        """Reject a command."""

    async def cancel(self, command_id: str, user: str, role: str, reason: str) -> Told:
        """Take a command back."""

    async def revert(self, seq: int, user: str, reason: str) -> Fact:
        """Take a fact back by a compensating one, and give that; asked twice, it is the same."""

    async def note(self, kind: str, user: str, body: Mapping[str, Any]) -> None:
        """Have something recorded as a fact: a log-in."""

    async def quality(self, signals: I32) -> Told:
        """Give ``{"signals": {name: float64[n]}, "connections": [...]}`` of some signals, in their order."""

    async def ingest(self, rows: Sequence[Row]) -> list[Told]:
        """Put rows into the log, durably; give the refused ones: ``{"row", "code", "message"}``."""

    async def health(self) -> Told:
        """Give status, processes and problems."""
