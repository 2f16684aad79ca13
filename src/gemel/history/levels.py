"""The levels of roll-ups, and which of them serves a question.

A level's rows are written chunk by chunk: hours for the fine levels, days for the days. A chunk in which a fine
level would not be much smaller than the readings themselves is left out, and answered from the readings.
"""

from dataclasses import dataclass
from typing import Final

from gemel.samples.clock import DAY, SECOND

MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
WORTH: Final = (
    12.0  # readings an interval, on average of a chunk, from which on a level is stored: five draw it
)
ROLL: Final = "roll_"  # table of summaries
PICK: Final = "pick_"  # table of the readings that draw them


@dataclass(frozen=True, slots=True)
class Level:
    """Intervals of one width [ns]; `span`: days that a file may cover; `keep`: what the plant file calls it."""

    name: str
    width: int
    chunk: int
    span: int
    keep: str


SECONDS: Final = Level("1s", SECOND, HOUR, 1, "seconds")
MINUTES: Final = Level("1m", MINUTE, HOUR, 1, "minutes")
HOURS: Final = Level("1h", HOUR, HOUR, 32, "hours")
DAYS: Final = Level("1d", DAY, DAY, 512, "days")
LEVELS: Final = (SECONDS, MINUTES, HOURS, DAYS)
BY_NAME: Final = {level.name: level for level in LEVELS}


def level_of(table: str) -> Level | None:
    """Give the level a table holds; None for a table of readings.

    >>> level_of("pick_1m_default").name, level_of("raw_default")
    ('1m', None)
    """
    head, _, rest = table.partition("_")
    return BY_NAME[rest.partition("_")[0]] if f"{head}_" in (ROLL, PICK) else None


def dividing(width: int, origin: int) -> list[Level]:
    """Give the levels whose intervals make up intervals of this width exactly, the coarsest first."""
    return [v for v in reversed(LEVELS) if width % v.width == 0 and origin % v.width == 0]
