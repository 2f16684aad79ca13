"""What a plant file says of a figure by which what-ifs are judged."""

from dataclasses import dataclass
from typing import Final

MEASURES: Final = ("energy", "cost", "total", "mean", "min", "max", "end", "yield", "ratio", "violations", "life", "order")
Amount = str | float


@dataclass(frozen=True, slots=True)
class KpiSpec:
    """A figure (KPI) of a type's what-ifs, as it is declared; names are those of the type, or of its dynamic model.

    Args:
        name: of the figure; of violations also of a second one, how often.
        measure: one of `MEASURES`.
        of: what it is measured of.
        per: of a yield or ratio, what `of` is divided by.
        unit: of the figure; empty: the usual one.
        above, below: of violations, from where on it is outside, in the unit of `of` or one of their own; None: no limit.
        limit: of a life, at which value of `of` it ends; None: the threshold of the degradation that is that state.
        amount: of an order, how much of `of` is to be there, in the unit of the amount or one of its own.
        by, after: of an order, until when and from when on it counts: a span from the beginning, a local time of the day, or a time.
        price: of a cost, pairs (second of the local day, price of one `price_per`), each until the next.
        price_per: the unit that the price is for.
        better: ``less``, ``more`` or empty.
        description: what it is, in words.
    """

    name: str
    measure: str
    of: str
    per: str = ""
    unit: str = ""
    above: Amount | None = None
    below: Amount | None = None
    limit: Amount | None = None
    amount: Amount | None = None
    by: str = ""
    after: str = ""
    price: tuple[tuple[float, float], ...] = ()
    price_per: str = ""
    better: str = ""
    description: str = ""
