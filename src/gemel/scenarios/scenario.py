"""What is asked: what changes, what is not known exactly, how far ahead, and by which figures it is judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from gemel.scenarios.kpi import ALWAYS_S, Kpi, refuse

DAY_S: Final = 86_400.0
MOST_SCENARIOS: Final = 5
How = Literal["set", "scale", "add"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done differently: an input, a parameter, a set-point, the ambient, a fault, a schedule.

    A state is set, scaled or added to at an instant (`start_s`, or each instant of a profile), then the model moves it.

    Args:
        of: an input, a parameter or a state of the model.
        how: ``set`` to a value, ``scale`` by a factor, ``add`` an amount.
        value: in SI, or a factor.
        profile: pairs (time from now [s], value) in the order of time instead of one value; `value` is then not looked at.
        shape: between the instants of a profile: ``hold`` or ``linear``.
        start_s, end_s: from when until when it holds, from now.
        repeat_s: after which a profile begins anew, over and over; 0: it does not.
    """

    of: str
    how: How
    value: float = 0.0
    profile: tuple[tuple[float, float], ...] = ()
    shape: Literal["hold", "linear"] = "hold"
    start_s: float = 0.0
    end_s: float = ALWAYS_S
    repeat_s: float = 0.0

    def __post_init__(self) -> None:
        if self.repeat_s < 0 or (self.repeat_s and self.profile and self.profile[-1][0] > self.repeat_s):
            refuse(f"the profile of {self.of!r} is longer than what it repeats after", "give a longer repeat_s, or fewer pairs")
        if any(b[0] < a[0] for a, b in pairwise(self.profile)):
            refuse(f"the profile of {self.of!r} goes back in time", "give its pairs in the order of time")

    def along(self, t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the value at each time [s]."""
        if not self.profile:
            return np.full(t.shape, self.value)
        at, values = np.array(self.profile, float).T
        t = t % self.repeat_s if self.repeat_s else t
        if self.shape == "linear":
            linear: npt.NDArray[np.float64] = np.interp(t, at, values)
            return linear
        found: npt.NDArray[np.float64] = values[np.clip(np.searchsorted(at, t, "right") - 1, 0, None)]
        return found

    def apply(self, t: npt.NDArray[np.float64], before: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give what becomes of values at times t [s]."""
        given = self.along(t)
        after = {"set": given, "scale": before * given, "add": before + given}[self.how]
        made: npt.NDArray[np.float64] = np.where((t >= self.start_s) & (t < self.end_s), after, before)
        return made


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Something that is not known exactly: it differs from member to member, alike in every scenario.

    Args:
        of: a state (at the beginning), an input or a parameter.
        spread: standard deviation, or half the width where it is uniform.
        relative: of its value; else in its unit.
        law: of the distribution; what leaves the range declared is not drawn.
    """

    of: str
    spread: float
    relative: bool = True
    law: Literal["normal", "uniform"] = "normal"


@dataclass(frozen=True, slots=True)
class Together:
    """Uncertain quantities that vary together.

    Args:
        names: of two or more that are uncertain.
        correlation: [names, names] of the normal variables behind them; 1 on its diagonal.
    """

    names: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        r = np.array(self.correlation, float)
        if r.shape != (len(self.names),) * 2 or not np.allclose(r, r.T) or not np.allclose(np.diagonal(r), 1.0):
            refuse(f"the correlation of {', '.join(self.names)} is none", "give a symmetric matrix with 1 on its diagonal")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A future that is tried out: a name and what is changed."""

    name: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Question:
    """All of a what-if but the model and where it starts.

    Args:
        scenarios: compared with the baseline, one to five.
        horizon_s: how far ahead.
        step_s: of the solver; halved by itself until halving changes nothing.
        members: of the ensemble.
        seed: of all that is drawn.
        uncertain: what is not known exactly.
        together: which of it varies together; all else varies by itself.
        kpis: how it is judged.
        watch: whose bands over time are wanted; all outputs and states if empty.
        points: instants of the bands, at most.
        quantiles: of the bands, ascending.
        precision: ``float32`` or ``float64``.
        leap: ``auto``: of a horizon of weeks and more, periods that are alike are leapt over where that is as good;
            ``never``: each step is taken.
        engine: ``auto``: the fastest there is; ``jax``: JAX in float64, on the device that it finds.
    """

    scenarios: tuple[Scenario, ...]
    horizon_s: float = DAY_S
    step_s: float = 10.0
    members: int = 1000
    seed: int = 0
    uncertain: tuple[Uncertain, ...] = ()
    together: tuple[Together, ...] = ()
    kpis: tuple[Kpi, ...] = ()
    watch: tuple[str, ...] = ()
    points: int = 121
    quantiles: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)
    precision: Literal["float32", "float64"] = "float32"
    leap: Literal["auto", "never"] = "auto"
    engine: Literal["auto", "jax"] = "auto"

    def __post_init__(self) -> None:
        if not 1 <= len(self.scenarios) <= MOST_SCENARIOS:
            refuse(f"{len(self.scenarios)} scenarios", f"ask for one to {MOST_SCENARIOS}")
        if not 0 < self.step_s <= self.horizon_s:
            refuse(f"a step of {self.step_s} s in {self.horizon_s} s", "give a horizon longer than a step")
        if self.horizon_s / self.step_s > 5e7 or not 2 <= self.points <= 2000:
            refuse("too many steps or instants", "ask for at most 5e7 steps, and 2 to 2,000 instants")
        if not 1 <= self.members <= 1_000_000:
            refuse(f"{self.members} members", "ask for 1 to 1,000,000")
        if len({s.name for s in self.scenarios} | {"baseline"}) != len(self.scenarios) + 1:
            refuse("scenarios of the same name", "name each differently, and none 'baseline'")


@dataclass(frozen=True, eq=False)
class Start:
    """Where a fork begins: a state of the twin, as the model's vectors.

    Args:
        x: state [states].
        u: inputs [inputs], held over the horizon unless changed.
        p: parameters [parameters].
        covariance: of the state [states, states], or none.
        profiles: what an input is expected to do: name → pairs (time from now [s], value), held.
    """

    x: npt.NDArray[np.float64]
    u: npt.NDArray[np.float64]
    p: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64] | None = None
    profiles: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)


_SET: Final = re.compile(
    r"^\s*(?P<name>[^=]+?)\s*=\s*(?P<sign>[+\-*=]?)\s*(?P<number>-?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?)\s*(?P<unit>[^\d\s].*?)?\s*$"
)


def parse_change(text: str) -> tuple[Change, str | None]:
    """Read ``load=+15%``, ``speed=*1.1``, ``speed=+3``, ``flow=12 m3/h``: by a share, a factor, an amount, to a value.

    A sign means by how much: to set a negative value write ``name==-3``. Raises ModelError.

    Returns:
        The change, and the unit its value is in where one was written; without one it is the model's.

    >>> change, unit = parse_change("speed=+30 rpm")
    >>> change.how, change.value, unit
    ('add', 30.0, 'rpm')
    """
    found = _SET.match(text)
    if found is None:
        refuse(f"{text!r} says no change", "write name=+15%, name=*1.1, name=+3, name=0.4 or name=12 m3/h")
        raise AssertionError
    name, sign, unit, number = found["name"], found["sign"], found["unit"], float(found["number"])
    signed = -number if sign == "-" else number
    if unit == "%":
        return Change(name, "scale", 1 + signed / 100 if sign in ("+", "-") else number / 100), None
    if sign == "*":
        return Change(name, "scale", number), None
    return Change(name, "add" if sign in ("+", "-") else "set", signed), unit
