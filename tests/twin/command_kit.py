"""A command and a plant that is well, for the tests of the gate."""

from dataclasses import dataclass

from gemel.samples.clock import SECOND
from gemel.twin.commands import Reading, Situation

T = 1_600_000_000 * SECOND
PUMP = "acme/site/pump-1"


@dataclass(frozen=True)
class Spec:
    asset: str = PUMP
    name: str = "set_speed"
    unit: str = "rpm"
    low: float | None = 600.0
    high: float | None = 3000.0
    max_rate_per_s: float | None = 50.0
    approval: str | None = None
    sets: str | None = "speed_setpoint"
    read_back: str | None = "speed"
    tolerance: float = 30.0
    timeout_ns: int = 60 * SECOND
    rests_on: tuple[str, ...] = ("speed", "flow")


PLAIN = Spec()
GUARDED = Spec(approval="engineer")
WELL = Situation(True, True, {"speed": Reading(1000.0), "flow": Reading(80.0)}, 1000.0, None)


def at(seconds):
    return T + round(seconds * SECOND)


def ask(gate, value=1500.0, *, id="c1", spec=PLAIN, user="olga", role="operator", t=0.0, situation=WELL, reason="more water"):
    return gate.request(id, spec, value, user, role, at=at(t), situation=situation, reason=reason)


def take(gate, decision):
    """Record and apply, as the shell does."""
    for draft in decision.drafts:
        gate.apply(draft)
    return decision
