"""A command's life, folded from its facts and from nothing else.

    requested ─► awaiting_approval ─► approved ─► sending ─► sent ─► confirmed
        │               │  │             │           │         └───► failed (no read-back in time)
        └► refused ◄────┘  └► rejected   ├► cancelled └► failed (nobody knows whether it was written)
                           └► cancelled  └► failed (interrupted before writing)

`sending` is recorded before the write: whatever happens then, nobody can write twice without knowing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from gemel.samples import Draft, Fact
from gemel.samples.clock import iso

REQUESTED: Final = "CommandRequested"
REFUSED: Final = "CommandRefused"
APPROVED: Final = "CommandApproved"
REJECTED: Final = "CommandRejected"
CANCELLED: Final = "CommandCancelled"
SENDING: Final = "CommandSending"
SENT: Final = "CommandSent"
CONFIRMED: Final = "CommandConfirmed"
FAILED: Final = "CommandFailed"

# kind -> state it leads to, states it may come from; a request and its refusal begin a command
LEGAL: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    REFUSED: ("refused", ("awaiting_approval",)),
    APPROVED: ("approved", ("awaiting_approval",)),
    REJECTED: ("rejected", ("awaiting_approval",)),
    CANCELLED: ("cancelled", ("awaiting_approval", "approved")),
    SENDING: ("sending", ("approved",)),
    SENT: ("sent", ("sending",)),
    CONFIRMED: ("confirmed", ("sent",)),
    FAILED: ("failed", ("approved", "sending", "sent")),
}


@dataclass(slots=True)
class Command:
    """One command; times in [ns], 0 where there is none.

    Args:
        target: path of what it sets; one command may be open for it at a time.
        value: what was asked for, None where it was no number.
        read_back_path: path of the signal in which its effect is read back, empty where there is none.
        due: when its present state ends by itself.
        facts: ids of its facts, so that one is never folded twice.

    """

    id: str
    asset: str
    name: str
    target: str
    value: float | None
    unit: str
    requested_by: str
    requested: int
    reason: str
    approval: str | None
    read_back_path: str
    tolerance: float
    timeout_ns: int
    state: str = ""
    since: int = 0
    approved_by: str | None = None
    refusal: str | None = None
    sending: int = 0
    sent: int = 0
    read_back: float | None = None
    confirmed: int = 0
    failure: str | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, fact: Fact | Draft) -> Self:
        """Begin a command from its request, or from a request refused at once."""
        b: Mapping[str, Any] = fact.body
        command = cls(
            id=b["command"], asset=b["asset"], name=b["name"], target=b["target"], value=b["value"], unit=b["unit"],
            requested_by=fact.actor, requested=fact.at, reason=b["asked_because"], approval=b["approval"],
            read_back_path=b["read_back"], tolerance=b["tolerance"], timeout_ns=b["timeout_ns"],
        )  # fmt: skip
        if fact.kind == REFUSED:
            command.refusal = fact.reason
            command._step(fact, "refused")
        else:
            command._step(fact, "awaiting_approval" if command.approval else "approved")
        return command

    @property
    def open(self) -> bool:
        """Whether it may still touch the plant, or is waited for."""
        if self.state == "sent":
            return bool(self.read_back_path)
        return self.state in ("awaiting_approval", "approved", "sending")

    def answered_by(self, path: str, value: float, time: int) -> bool:
        """Tell whether a reading is near enough, and from after the intent to write."""
        near = self.value is not None and abs(value - self.value) <= self.tolerance
        return path == self.read_back_path and time > self.sending and near

    def apply(self, fact: Fact | Draft) -> bool:
        """Fold a fact in; tell whether the state changed.

        A fact that does not fit the state (an approval that lost a race) is kept among the steps and changes nothing.
        """
        if fact.id in self.facts or fact.kind not in LEGAL:
            return False
        to, origins = LEGAL[fact.kind]
        if self.state not in origins or fact.body.get("attempt"):
            self._step(fact, self.state)
            return False
        match fact.kind:
            case "CommandApproved":
                self.approved_by = fact.actor
            case "CommandRefused":
                self.refusal = fact.reason
            case "CommandSending":
                self.sending = fact.at
            case "CommandSent":
                self.sent = fact.at
            case "CommandConfirmed":
                self.read_back, self.confirmed = fact.body["read_back"], fact.at
            case "CommandFailed":
                self.failure, self.read_back = fact.reason, fact.body.get("read_back")
        self._step(fact, to)
        return True

    def _step(self, fact: Fact | Draft, state: str) -> None:
        if state != self.state:
            self.state, self.since = state, fact.at
        self.facts.append(fact.id)
        self.steps.append({"state": state, "at": fact.at, "by": fact.actor, "note": fact.reason})

    def view(self) -> dict[str, Any]:
        """Give the command as ``GET /commands/{id}`` shows it; one that is being written still shows as approved."""
        shown = {"sending": "approved"}
        steps = [{**s, "at": iso(s["at"])} for s in self.steps]
        return {
            "id": self.id, "asset": self.asset, "command": self.name, "value": self.value, "unit": self.unit,
            "state": shown.get(self.state, self.state), "requested_by": self.requested_by,
            "requested": iso(self.requested), "reason": self.reason, "approval": self.approval,
            "approved_by": self.approved_by, "refusal": self.refusal, "sent": _iso(self.sent),
            "read_back": self.read_back, "confirmed": _iso(self.confirmed), "failure": self.failure, "steps": steps,
        }  # fmt: skip

    def notes(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, notes: Mapping[str, Any]) -> Self:
        """Read what `notes` gave."""
        return cls(**{**notes, "steps": [dict(s) for s in notes["steps"]], "facts": list(notes["facts"])})


def _iso(time: int) -> str | None:
    return iso(time) if time else None
