"""Where the demo's pumps go that they never were, and the laws of the machine that are others only there.

A dynamic model that is wrong always was, there where nobody had seen the machine. So a law here is another from the start of life on, but by
nothing within what the pump did before it went beyond (zero there, continuous at the edge), and it acts through the plant's equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.testing.station.model import Station, air

Vector = npt.NDArray[np.float64]
GOING: Final[Mapping[str, str]] = {  # a law that is another beyond, or none -> how the machine goes there
    "resonance": "faster", "shortfall": "faster", "film": "hotter", "faster": "faster", "hotter": "hotter",
}  # fmt: skip
BENDS: Final[Mapping[str, str]] = {"resonance": "resonance", "shortfall": "trim", "film": "rub"}  # a law -> what it is of the pump set
EDGE_RPM: Final = 2475.0  # a pump that will go faster was never there: its orders end at 2,450 rpm, its drive overshoots by a dozen
TENTH_RPM: Final = 240.0  # of the usual speed
HOTTER_C: Final = 8.0  # the pump house gets so much hotter than it ever was
HEATING: Final = 60  # readings that it takes, as where the ventilation stands still
STAYING: Final = 60  # readings for which a faster pump stays beyond; then it comes back at times, so that it shows where the law is the usual one


class Orders(NamedTuple):
    """Which speeds the operator chooses from [rpm], and which the level has him choose at least and at most."""

    low: float = 2200.0
    high: float = 2620.0
    least: float = 2150.0
    most: float = 2700.0


USUAL: Final = Orders()
BEFORE: Final = Orders(high=2450.0, most=2450.0)
BEYOND: Final = Orders(low=2560.0, high=2700.0, least=2560.0)  # no faster: there its suction is short and it cavitates, which is no law of these
AFTER: Final = Orders(low=2400.0, high=2700.0)


def orders(k: int, since: int | None) -> Orders:
    """Give what the operator orders a pump at reading `k` that goes faster than ever `since` then, or (None) does not."""
    if since is None:
        return USUAL
    return BEFORE if k < since else BEYOND if k < since + STAYING else AFTER


def heated(weather: Vector, season: Vector, since: int | None) -> tuple[Vector, float]:
    """Let the air get hotter than it ever was, `since` a reading on; give the weather and the hottest air before.

    Args:
        weather: how much warmer than the season has it, at each reading [degC].
        season: the air as the season has it [degC].
        since: a reading; None leaves the weather as it is.
    """
    if since is None:
        return weather, np.inf
    own = weather + season
    hottest, grown = float(own[:since].max()), np.clip((np.arange(len(own)) - since) / HEATING, 0.0, 1.0)
    return weather + grown * (hottest + HOTTER_C - own[since:].mean()), hottest


def beyond(station: Station, pump: str, kind: str, hottest_c: float) -> float:
    """Tell how far a pump is where it never was: in tenths of the usual speed, or in tens of degrees; 0 where it has been."""
    faster = GOING[kind] == "faster"
    return max((station.pumps[pump].speed_rpm - EDGE_RPM) / TENTH_RPM if faster else (air(station) - hottest_c) / 10.0, 0.0)
