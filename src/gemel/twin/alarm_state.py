"""One alarm's life: where it stands with the process, with the operator, and with whoever put it aside.

    process    normal ─beyond─► pending ─on-delay─► active ─back by the dead band─► clearing ─off-delay─► normal
    operator   unacknowledged ─► acknowledged; returned unacknowledged where the process was faster
    aside      shelved (for a time), suppressed by design, out of service

States and words: ISA-18.2-2016, clause 5.6 (IEC 62682).
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self

from gemel.samples.clock import SECOND

Phase = Literal["normal", "pending", "active", "clearing"]

NORMAL: Final = "normal"
UNACKNOWLEDGED: Final = "unacknowledged"
ACKNOWLEDGED: Final = "acknowledged"
RETURNED: Final = "returned_unacknowledged"
SHELVED: Final = "shelved"
SUPPRESSED: Final = "suppressed_by_design"
OUT_OF_SERVICE: Final = "out_of_service"
ASIDE: Final = (SUPPRESSED, OUT_OF_SERVICE)

CHATTER_COUNT: Final = 3  # raised three times in a minute: ISA-18.2-2016, clause 16.5
CHATTER_SPAN: Final = 60 * SECOND
CHATTER_SHOWN: Final = 600 * SECOND  # the mark goes after this long without another raise
STANDING: Final = 86_400 * SECOND  # active longer than a day is a stale alarm: ISA-18.2-2016, clause 16.5


@dataclass(slots=True)
class Alarm:
    """What is known of one alarm; times in [ns], 0 where there is none.

    Args:
        phase: where it stands with the process.
        since: when the phase's timer began (pending, clearing).
        onset: first reading beyond the limit of the latest occurrence: the occurrence's name.
        raised: when the on-delay of that occurrence had passed.
        cleared: when it was back, 0 while it is not.
        value: reading at the last change of phase, or the latest while a delay runs.
        acknowledged: whether somebody took note of the occurrence.
        first_out: whether it was the first of its asset to be raised.
        grouped: whether it counts among its asset's active alarms.
        raises: times of the latest raises, at most three.
        shelved: when it was shelved, 0 where it is not.
        aside: suppressed by design, or out of service, or empty.

    """

    phase: Phase = "normal"
    since: int = 0
    onset: int = 0
    raised: int = 0
    cleared: int = 0
    value: float = 0.0
    acknowledged: bool = True
    acknowledged_by: str = ""
    comment: str = ""
    first_out: bool = False
    grouped: bool = False
    raises: list[int] = field(default_factory=list)
    shelved: int = 0
    shelved_until: int = 0
    shelved_by: str = ""
    aside: str = ""

    @property
    def resting(self) -> bool:
        """Whether nothing is the matter with the process."""
        return self.phase == "normal"

    @property
    def active(self) -> bool:
        """Whether the process is in alarm."""
        return self.phase in ("active", "clearing")

    @property
    def hidden(self) -> bool:
        """Whether it is kept from the operator's list."""
        return bool(self.shelved or self.aside)

    @property
    def state(self) -> str:
        """The ISA-18.2 state."""
        if self.hidden:
            return self.aside or SHELVED
        if self.active:
            return ACKNOWLEDGED if self.acknowledged else UNACKNOWLEDGED
        return NORMAL if self.acknowledged else RETURNED

    def chattering(self, now: int) -> bool:
        """Tell whether it comes and goes: three raises within a minute, the last not long ago."""
        r = self.raises
        return len(r) == CHATTER_COUNT and r[-1] - r[0] <= CHATTER_SPAN and now - r[-1] <= CHATTER_SHOWN

    def standing(self, now: int) -> bool:
        """Tell whether it has been active for more than a day (a stale alarm, in the standard's word)."""
        return self.active and now - self.raised > STANDING

    def begin(self, onset: int, at: int) -> None:
        """Start an occurrence."""
        self.phase, self.since = "active", 0
        self.onset, self.raised, self.cleared = onset, at, 0
        self.acknowledged, self.acknowledged_by, self.comment = False, "", ""
        self.raises = [*self.raises, at][-CHATTER_COUNT:]

    def end(self, at: int) -> None:
        """End the occurrence; what nobody took note of waits for it."""
        self.phase, self.since, self.cleared = "normal", 0, at

    def acknowledge(self, user: str, comment: str) -> None:
        """Take note of the occurrence."""
        self.acknowledged, self.acknowledged_by, self.comment = True, user, comment

    def unacknowledge(self) -> None:
        """Take the note back: nobody has taken note of the occurrence."""
        self.acknowledged, self.acknowledged_by, self.comment = False, "", ""

    def shelve(self, user: str, until: int, at: int) -> None:
        """Put it aside for a time."""
        self.shelved, self.shelved_until, self.shelved_by = at, until, user

    def show(self) -> None:
        """Bring it back to the list; one that went back to normal meanwhile needs nobody's note any more."""
        self.uncover()
        self.acknowledged = self.acknowledged or not self.active

    def uncover(self) -> None:
        """Bring it back as if it had never been put aside."""
        self.shelved, self.shelved_until, self.shelved_by, self.aside = 0, 0, "", ""

    def notes(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, notes: dict[str, Any]) -> Self:
        """Read what `notes` gave."""
        return cls(**{**notes, "raises": list(notes["raises"])})
