"""What a signal goes on from: one property whose unit was changed is several signals and one history.

A changed unit makes a new signal that names the former one (`Registry`, column ``formerly``). Whoever asks for the
new one's history gets the former one's too, in the new unit; where the meaning changed (other states, a unit of
another dimension), the former history stands alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gemel.samples import units
from gemel.samples.registry import Registry

_NUMERIC: Final = frozenset({"analog", "total"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a property's history.

    Args:
        signal: whose number its rows carry.
        scale, offset: ``value in the unit asked for = stored value * scale + offset``.
    """

    signal: int
    scale: float = 1.0
    offset: float = 0.0

    @property
    def same(self) -> bool:
        """Whether its numbers are those asked for, bit for bit."""
        return (self.scale, self.offset) == (1.0, 0.0)


def lineage(registry: Registry, signal: int) -> tuple[Segment, ...]:
    """Give the parts of a signal's history, the oldest first and its own last.

    >>> rows = [{"path": "a/b/p", "unit": "bar", "uid": "1", "retired": True}, {"path": "a/b/p", "unit": "kPa", "formerly": "1"}]
    >>> [(s.signal, round(s.scale, 9)) for s in lineage(Registry.of(rows), 1)]
    [(0, 100.0), (1, 1.0)]
    """
    before = registry.formers
    if signal not in before:
        return (Segment(signal),)
    last, found, at = registry.row(signal), [Segment(signal)], signal
    while (earlier := before.get(at)) is not None and all(s.signal != earlier for s in found):
        row = registry.row(earlier)
        if not continues(row, last):
            break
        found.append(Segment(earlier, *units.conversion(row["unit"], last["unit"])))
        at = earlier
    return tuple(reversed(found))


def continues(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether the numbers of one declaration (unit, kind, states) can be read as those of another."""
    if was["kind"] in _NUMERIC and now["kind"] in _NUMERIC:
        return units.fits(was["unit"], now["unit"])
    return was["kind"] == now["kind"] and same_words(was["states"], now["states"])


def same_words(was: Any, now: Any) -> bool:
    """Tell whether each code of a state means what it meant: words may only be added at the end."""
    return list(now or ())[: len(was or ())] == list(was or ())


def same_meaning(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether stored numbers mean the same under both declarations: bits need not be touched."""
    if was["kind"] != now["kind"] or not same_words(was["states"], now["states"]):
        return False
    a, b = was["unit"], now["unit"]
    return bool(a == b or (units.fits(a, b) and units.conversion(a, b) == (1.0, 0.0)))
