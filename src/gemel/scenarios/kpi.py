"""A figure by which runs are judged: what is measured, of what, against which limit, counted from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gemel.errors import ModelError

ALWAYS_S: Final = 1e12
Statistic = Literal[
    "integral", "mean", "min", "max", "last", "time_above", "time_below", "first_above", "first_below", "life",
    "ratio", "time_outside", "times_outside", "met", "missing", "sum",
]  # fmt: skip
Weight = tuple[tuple[tuple[float, float], ...], float, float]
"""What weighs an integral over time: a price by the second of the day, from when, until when [s]."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure by which runs are judged; computed by the referee, never by the model.

    Args:
        name: what it is called.
        statistic: over the horizon. ``life`` is when `of` reaches the limit: met on the way, or by going on at the
            mean rate of the horizon. ``ratio`` is what the integral of `of` is to that of `per` (a yield).
            ``time_outside`` is how long `of` was below `below` or above `above` [s], ``times_outside`` how often it
            went there, counting once where it begins there. ``met`` is 1 where the integral of `of` (an order) comes to the
            limit, else 0, ``missing`` what it lacks of it. ``sum`` is that of `parts`, member by member.
        of: a state, output, input or parameter; of a sum nothing.
        limit: for times above or below, first passages, life and orders; in SI.
        factor: multiplies it (energy: integral of power [W·s] / 3.6e6 gives kWh).
        unit: of the figure.
        price: pairs (time [s], value): an integral's weight over time, held, repeated every day.
        better: which way is better, for the words.
        offset: is added after the factor (a mean in K less 273.15 is in °C).
        per: of a ratio, what `of` is divided by.
        below, above: limits of what is outside; in SI.
        from_s, until_s: what of an integral or order counts, from the beginning [s]; good to a step.
        parts: of a sum; none is a sum itself.
    """

    name: str
    statistic: Statistic
    of: str
    limit: float = 0.0
    factor: float = 1.0
    unit: str = ""
    price: tuple[tuple[float, float], ...] = ()
    better: Literal["less", "more", ""] = ""
    offset: float = 0.0
    per: str = ""
    below: float | None = None
    above: float | None = None
    from_s: float = 0.0
    until_s: float = ALWAYS_S
    parts: tuple[Kpi, ...] = ()

    def __post_init__(self) -> None:
        if self.statistic == "ratio" and not self.per:
            refuse(f"{self.name!r} is a ratio to nothing", "say in `per` what it is divided by")
        if self.statistic in ("time_outside", "times_outside") and self.below is None and self.above is None:
            refuse(f"{self.name!r} has no limit to be outside of", "give `above`, `below` or both")
        if self.statistic == "sum" and (not self.parts or any(p.statistic == "sum" for p in self.parts)):
            refuse(f"{self.name!r} is a sum of nothing, or of sums", "give the figures that it sums as `parts`")
        if not self.from_s < self.until_s:
            refuse(f"{self.name!r} ends before it begins to count", "give a later `until_s`")

    @property
    def weight(self) -> Weight | None:
        """What weighs its integral over time; None: each moment counts as much."""
        whole = self.from_s <= 0.0 and self.until_s >= ALWAYS_S
        return None if whole and not self.price else (self.price, self.from_s, self.until_s)

    @property
    def leaves(self) -> tuple[Kpi, ...]:
        """Itself, or the parts that it is the sum of."""
        return self.parts or (self,)


def refuse(message: str, remedy: str) -> None:
    """Refuse a question; raises ModelError (`bad-scenario`)."""
    raise ModelError(message, code="bad-scenario", remedy=remedy)
