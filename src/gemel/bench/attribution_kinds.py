"""Which kinds of wrong `gemel bench judge --attribution` draws from: those that the attribution was developed on, and others.

`known` are those of the first runs. `tried` were thought of later, and run on seeds 100 to 199 while it was mended. `fresh` were run once,
by a judge (seeds 830 to 849), before anybody who worked on it had seen what the twin makes of them: 22 of 40 right. `unseen` were
chosen without a look at the attribution: faults that the literature tells of, and laws that are others only where the machine never was (`month_beyond`);
run first on seeds 860 to 879: 27 of 40 right. Both sets have been mended on since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.bench.month_plant import DAY, Fault, Mishap
from gemel.estimate.long_past import JUDGED

Range = tuple[float, float]
KINDS: Final = ("sensor", "process", "model", "none")
SEEN: Final = ("flow", "discharge_pressure", "vibration", "bearing_temperature")  # as the demo's plant file has it
GOOD: Final = 5 * DAY // 4  # readings in which all is right
WINDOW: Final = JUDGED  # readings that are judged
FAR: Final = {  # what a sensor that misbehaves is off by, in the unit of the plant file
    "flow": 8.0, "discharge_pressure": 0.15, "bearing_temperature": 5.0, "vibration": 0.5,
}  # fmt: skip
USUAL: Final = 0.5  # of the times that nothing goes wrong, a law is another than the model's and always was: that is no news


@dataclass(frozen=True)
class Kinds:
    """What may go wrong, each with its size, from and to.

    Args:
        sensors: faults of a sensor; a size of those in `UNITS` is a share of `FAR`.
        processes, laws: mishaps of the machine.
        going: how the machine goes where it never was in `USUAL` of the times that nothing goes wrong; none: a law always was another.
    """

    sensors: Mapping[str, Range]
    processes: Mapping[str, Range]
    laws: Mapping[str, Range]
    going: tuple[str, ...] = ()


UNITS: Final = frozenset({"noisier", "coarse", "warmed", "bit"})
SIGNED: Final = frozenset({"scaling", "warmed"})
ONLY: Final[Mapping[str, tuple[str, ...]]] = {  # faults of some sensors: on others nobody could tell them from the machine, or they are not
    "rooted": ("flow",), "warmed": ("flow", "discharge_pressure"), "bit": ("discharge_pressure", "bearing_temperature"), "peaks": ("vibration",),
}  # fmt: skip
SETS: Final[Mapping[str, Kinds | None]] = {
    "known": None,  # drawn as they always were (`attribution`), so that seeds mean the same
    "tried": Kinds(
        {"scaling": (0.1, 0.25), "sticking": (0.3, 0.8), "noisier": (0.2, 0.6), "coarse": (0.3, 1.0)},
        {"trim": (0.02, 0.06), "choked": (2.6, 3.2), "rub": (0.15, 0.5)},
        {"pressure": (0.05, 0.15), "bearing_rpm": (0.1, 0.3)},
    ),
    "fresh": Kinds(
        {"delayed": (5.0, 30.0), "mirrored": (0.0, 0.0), "crossed": (0.0, 0.0)},
        {"recirculation": (0.05, 0.15), "rag": (0.4, 1.2)},
        {"vibration_c": (0.3, 0.8), "vibration_fast": (0.4, 1.0)},
    ),
    "unseen": Kinds(
        {
            "rooted": (90.0, 130.0),  # Hardy, Square root scaling for differential pressure flowmeters, Control Engineering 2017: "not both"
            "warmed": (0.15, 0.4),  # a degree; IEC 61298-3:2008, ambient temperature as what moves a transmitter's zero
            "bit": (0.3, 1.0),  # IEEE Std 1241-2010, codes that a converter misses
            "peaks": (60.0, 240.0),  # peak-hold averaging, as vibration meters have beside the root mean square
        },
        {
            "hanging": (0.3, 0.9),  # Greenstreet et al. 1985, Aging and service wear of check valves (NUREG/CR-4302): the disc binds
            "hunting": (0.4, 1.2),  # Thornhill and Horch 2007, Control Engineering Practice 15: a valve that swings
            "vortex": (0.015, 0.04),  # ANSI/HI 9.8, pump intake design: free-surface vortices that draw air, type 5
            "misaligned": (0.1, 0.3),  # Piotrowski 2006, Shaft Alignment Handbook
        },
        {
            "resonance": (0.4, 1.0),  # ANSI/HI 9.6.8, dynamics of pumping machinery: a new speed near a natural frequency, or away from it
            "shortfall": (0.02, 0.06),  # Gülich 2014, Centrifugal Pumps, chapter 3: head does not follow the affinity laws
            "film": (0.3, 0.8),  # ISO 281:2007, viscosity ratio: grease too warm for its film, or less to churn
        },
        ("faster", "hotter"),
    ),
}


def other(kinds: str, kind: str, pump: str, rng: np.random.Generator) -> Fault | Mishap | None:
    """Draw what goes wrong with a pump, of a set that is not the first.

    Args:
        kinds: the set's name.
        kind: who is wrong, of `KINDS`.
        pump: with which.
        rng: what is drawn from.
    """
    of = SETS[kinds]
    assert of is not None
    since = GOOD + int(rng.uniform(WINDOW / 4, WINDOW / 2))
    if kind == "sensor":
        name = str(rng.choice(SEEN))
        what, size = _sized(of.sensors, rng)
        name = str(rng.choice(ONLY[what])) if what in ONLY else name
        size *= (FAR[name] if what in UNITS else 1.0) * (float(rng.choice([-1, 1])) if what in SIGNED else 1.0)
        return Fault((pump, name), what, size, since, GOOD + WINDOW)
    if kind == "process":
        what, size = _sized(of.processes, rng)
        return Mishap(pump, what, size, since, int(rng.uniform(1, 60)))
    if kind == "none" and rng.random() >= USUAL:
        return None
    if kind == "none" and of.going:
        return Mishap(pump, str(rng.choice(of.going)), 0.0, GOOD)
    what, size = _sized(of.laws, rng)
    return Mishap(pump, what, size * float(rng.choice([-1, 1])), GOOD if kind == "model" else 0)


def _sized(those: Mapping[str, Range], rng: np.random.Generator) -> tuple[str, float]:
    what = str(rng.choice(list(those)))
    return what, float(rng.uniform(*those[what]))
