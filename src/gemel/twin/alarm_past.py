"""Alarms as they stood: the same state machine, told by the record alone what happened.

The record holds every raise and clear, every note and every shelf, each with the limit of its day. So the alarms of
any time can be had without the readings, also those of limits that the plant file does not have any more.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gemel.samples import Fact, Registry
from gemel.twin import alarm_facts
from gemel.twin.alarm_limits import HIGHS
from gemel.twin.alarms import Alarms

NOT_KNOWN: Final = {True: math.inf, False: -math.inf}  # high or low: a limit that nothing is beyond


@dataclass(frozen=True, slots=True)
class PastLimit:
    """A limit as it was; the words are those of today's plant file, where it still has it."""

    signal: int
    level: str
    limit: float
    priority: int = 3
    cause: str = ""
    consequence: str = ""
    response: str = ""
    respond_within_s: float | None = None
    delay_ns: int = 0
    deadband: float = 0.0


Today = Callable[[str], tuple[PastLimit, str] | None]  # an alarm's id -> its limit and unit today


def alarms_at(facts: Sequence[Fact], today: Today = lambda _: None) -> Alarms:
    """Fold the alarms' facts, in the order of the record; others change nothing.

    Args:
        facts: those that count at the time asked about.
        today: what the plant file says now of an alarm; None where it has it no more.

    """
    mine = [fact for fact in facts if fact.kind.startswith("Alarm") and "alarm" in fact.body]
    limits, registry = _limits(mine, today)
    alarms = Alarms(limits, registry)
    for fact in mine:
        alarms.on_fact(fact)
    return alarms


def _limits(facts: Iterable[Fact], today: Today) -> tuple[list[PastLimit], Registry]:
    numbers: dict[str, int] = {}
    units: dict[str, str] = {}
    found: dict[str, PastLimit] = {}
    for fact in facts:
        name = str(fact.body["alarm"])
        path, _, level = name.rpartition("#")
        if name not in found:
            limit, unit = today(name) or (PastLimit(0, level, NOT_KNOWN[level in HIGHS]), "")
            found[name] = replace(limit, signal=numbers.setdefault(path, len(numbers)))
            units.setdefault(path, unit)
        if fact.kind == alarm_facts.RAISED:
            body = fact.body
            found[name] = replace(found[name], limit=float(body["limit"]), priority=int(body["priority"]))
            units[path] = str(body["unit"])
    return list(found.values()), Registry.of([{"path": p, "unit": units[p]} for p in numbers])
