"""What the gate is asked with, and what it answers: values, so that a policy's "no" is data with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from gemel.errors import ConflictError, GemelError, NotFoundError, RefusedError
from gemel.samples import Draft


class Spec(Protocol):
    """What the plant file says of a command; `gemel.assets.CommandSpec` is one."""

    @property
    def asset(self) -> str:
        """Path of the asset."""

    @property
    def name(self) -> str:
        """Name of the command."""

    @property
    def unit(self) -> str:
        """Unit of its value."""

    @property
    def low(self) -> float | None:
        """Least value allowed."""

    @property
    def high(self) -> float | None:
        """Greatest value allowed."""

    @property
    def max_rate_per_s(self) -> float | None:
        """How fast the set-point may be moved, in the unit per second; None or NaN: as one likes."""

    @property
    def approval(self) -> str | None:
        """Role of the second person who must approve, None where nobody must."""

    @property
    def sets(self) -> str | None:
        """Property that the command sets."""

    @property
    def read_back(self) -> str | None:
        """Property in which its effect is read back, None where there is none."""

    @property
    def tolerance(self) -> float | None:
        """How near the read-back must come, in the unit."""

    @property
    def timeout_ns(self) -> int:
        """How long the read-back may take [ns]."""

    @property
    def rests_on(self) -> Sequence[str]:
        """Properties that must be fresh and not Bad for anybody to decide."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a property shows: its value, whether it may be used (not Bad), and whether it is stale."""

    value: float | None
    usable: bool = True
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand when the gate decides.

    Args:
        writes: whether the plant file allows commands at all.
        wired: whether the command has a way to the plant.
        rests_on: reading by property name, for each that the command rests on.
        current: set-point in force as the plant reports it, else its read-back; None where nothing usable is known.
        changed: when it last changed [ns], None where that is long ago.

    """

    writes: bool
    wired: bool
    rests_on: Mapping[str, Reading] = field(default_factory=dict)
    current: float | None = None
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A "no": a stable code, the reason, what to do, and whose matter it is."""

    code: str
    message: str
    remedy: str = ""
    kind: Literal["refused", "conflict", "not-found"] = "refused"

    def error(self) -> GemelError:
        """Give it as the error that the shell raises."""
        tree = {"refused": RefusedError, "conflict": ConflictError, "not-found": NotFoundError}
        return tree[self.kind](self.message, code=self.code, remedy=self.remedy)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided.

    Args:
        command: id of the command.
        drafts: facts to record, then to `apply`, in this order; a refusal has its own.
        refusal: why not, None where the answer is yes.

    """

    command: str
    drafts: tuple[Draft, ...] = ()
    refusal: Refusal | None = None

    def check(self) -> None:
        """Raise the refusal where there is one; record the drafts before."""
        if self.refusal is not None:
            raise self.refusal.error()
