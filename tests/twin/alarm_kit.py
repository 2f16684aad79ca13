"""A small plant with limits, for the tests of alarms."""

from dataclasses import dataclass

from gemel.samples import Batch, Registry
from gemel.samples.clock import SECOND
from gemel.twin.alarms import Alarms

T = 1_600_000_000 * SECOND


@dataclass(frozen=True)
class Limit:
    signal: int
    level: str = "high"
    limit: float = 10.0
    delay_ns: int = 0
    deadband: float = 0.0
    priority: int = 2
    cause: str = "a cause"
    consequence: str = "a consequence"
    response: str = "a response"
    respond_within_s: float | None = 60.0
    off_delay_ns: int = 0


def registry(n, per_asset=2, unit="bar"):
    return Registry.of([{"path": f"acme/site/p{i // per_asset}/s{i % per_asset}", "unit": unit} for i in range(n)])


def alarms(*limits, n=6, per_asset=2, unit="bar"):
    return Alarms(limits, registry(n, per_asset, unit))


def rows(*given):
    """Rows as (signal, seconds, value[, status])."""
    full = [(*g, 0)[:4] for g in given]
    time = [T + round(g[1] * SECOND) for g in full]
    return Batch.of(signal=[g[0] for g in full], time=time, received=time, value=[g[2] for g in full], status=[g[3] for g in full])


def told(transitions):
    """Transitions as (kind, id, seconds after T)."""
    return [(t.kind, t.alarm, (t.draft.at - T) / SECOND) for t in transitions]


A0 = "acme/site/p0/s0#high"
