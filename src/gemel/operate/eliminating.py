"""Who says that a machine changed: of a challenger it is asked what is left of the change without each of the sensors, and what each quarter says.

fit ─► each sensor left out ─► denied by the others: its sensor is blamed   only one tells it: a person must say so   confirmed: nothing is said
fit ─► each quarter of the data by itself ─► two that deny each other: the data are not of one machine
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gemel.estimate.elimination import Without, eliminated
from gemel.estimate.one_machine import apart
from gemel.estimate.record import side_by_side
from gemel.operate.calibrating import LONGEST, Calibration
from gemel.samples.units import after

QUARTERS: Final = ("first", "second", "third", "last")


@dataclass(frozen=True)
class Confirmation:
    """What the sensors say of a change, each asked without the others' leave.

    Args:
        blamed: signals whose readings alone make the change, against those of the others, each with why.
        alone: why nothing confirms a parameter, where one sensor alone tells it.
        told: all of it, for people.
    """

    blamed: tuple[str, ...]
    alone: tuple[str, ...]
    told: list[dict[str, Any]]


def confirmed(found: Calibration, on_step: Callable[[], None] | None = None) -> Confirmation:
    """Ask of a calibration that ended well who says so; `on_step` is called at each linearisation."""
    machine = found.machine
    paths = dict(zip(machine.model.outputs, (line.path for line in machine.outputs), strict=True))
    pieces = side_by_side(list(found.records), LONGEST)
    all_ = eliminated(machine.model, found.fit, pieces, machine.p, (machine.low, machine.high), on_step=on_step)
    # whose change is gone without it says so alone; where it only grows, it may be the one that holds against another
    denied = max((one for one in all_ if one.denied), key=lambda one: (one.kept < 1, one.off), default=None)
    alone = tuple(f"only {paths[one.output]} tells {one.parameter}: no other reading confirms that it changed" for one in all_ if not one.told)
    blamed = () if denied is None else (f"{paths[denied.output]} ({_words(denied)})",)
    return Confirmation(blamed, alone, [_told(one, paths[one.output]) for one in all_])


def changed_meanwhile(found: Calibration, on_step: Callable[[], None] | None = None) -> tuple[str, ...]:
    """Say of a calibration that ended well how quarters of its data, fitted and unseen, tell parameters differently; nothing where they do not."""
    machine = found.machine
    all_ = apart(machine.model, found.fit, (*found.records, *found.unseen), machine.p, (machine.low, machine.high), longest=LONGEST, on_step=on_step)
    told = []
    for one in all_:
        known = machine.parameters[machine.model.place("parameters", one.parameter)]
        earlier, later = ((value - known.offset) / known.scale for value in (one.earlier, one.later))
        of, other = (QUARTERS[i] for i in one.quarters)
        told.append(f"{one.parameter} is {earlier:.4g}{after(known.unit)} in their {of} quarter and {later:.4g} in their {other}")
    return tuple(told)


def _words(one: Without) -> str:
    left = f"{100 * max(one.kept, 0.0):.0f} % of what {one.parameter} changed by is left without it"
    return left if one.kept < 1 else f"without it {one.parameter} changes {one.kept:.1f} times as much"


def _told(one: Without, path: str) -> dict[str, Any]:
    known = one.kept if abs(one.kept) < 1e6 and one.sd < 1e6 else None
    sd = one.sd if known is not None else None
    return {"parameter": one.parameter, "without": path, "kept": known, "sd": sd, "told": one.told, "denied": one.denied}
