"""Alarms as they stood: the same state machine, told by the record alone what happened.

The record holds every raise and clear, every note and every shelf, each with the limit of its day. So the alarms of
any time can be had without the readings, also those of limits that the plant file does not have any more.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Begun:
    """Alarms as they stood at a position of the record, to go on from.

    Args:
        limits: the limits of their day and their units, by alarm.
        notes: what the machine remembered.
    """

    limits: Mapping[str, tuple[PastLimit, str]]
    notes: Mapping[str, Any]


def alarms_at(facts: Sequence[Fact], today: Today = lambda _: None, begun: Begun | None = None) -> Alarms:
    """Fold the alarms' facts, in the order of the record; others change nothing.

    Args:
        facts: those that count at the time asked about, after `begun`.
        today: what the plant file says now of an alarm; None where it has it no more.
        begun: where to go on from; None: from the beginning.

    """
    return _folded(facts, today, begun)[0]


def go_on(facts: Sequence[Fact], today: Today, begun: Begun | None) -> Begun:
    """Give where to go on from after these facts."""
    alarms, limits = _folded(facts, today, begun)
    return Begun(limits, alarms.notes())


def _folded(
    facts: Sequence[Fact], today: Today, begun: Begun | None
) -> tuple[Alarms, Mapping[str, tuple[PastLimit, str]]]:
    mine = [fact for fact in facts if fact.kind.startswith("Alarm") and "alarm" in fact.body]
    limits = dict(begun.limits) if begun else {}
    for fact in mine:
        _learn(limits, fact, today)
    paths = list(dict.fromkeys(name.rpartition("#")[0] for name in limits))
    units = {name.rpartition("#")[0]: unit for name, (_, unit) in limits.items()}
    registry = Registry.of([{"path": path, "unit": units[path]} for path in paths])
    number = {path: i for i, path in enumerate(paths)}
    table = [replace(limit, signal=number[name.rpartition("#")[0]]) for name, (limit, _) in limits.items()]
    alarms = Alarms(table, registry)
    if begun is not None:
        alarms.from_notes(begun.notes, {"signal": np.zeros(0, np.int64), "last": np.zeros(0, np.int64)})
    for fact in mine:
        alarms.on_fact(fact)
    return alarms, limits


def _learn(limits: dict[str, tuple[PastLimit, str]], fact: Fact, today: Today) -> None:
    name, body = str(fact.body["alarm"]), fact.body
    if name not in limits:
        level = name.rpartition("#")[2]
        limits[name] = today(name) or (PastLimit(0, level, NOT_KNOWN[level in HIGHS]), "")
    if fact.kind == alarm_facts.RAISED:
        limit = replace(limits[name][0], limit=-math.inf if body["limit"] is None else float(body["limit"]), priority=int(body["priority"]))
        limits[name] = limit, str(body["unit"])
