"""The gate: what stands between somebody's wish and the plant. A pure state machine.

    wish, decision, tick, reading ─► decide (changes nothing) ─► drafts ─► record ─► apply (the only change)

The shell records each draft and applies it before it asks the next question; it writes to the plant only what
`ready` gives, after the fact `sending` is durable. After a restart `recover` ends what was cut off.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from gemel.samples import Draft, Fact
from gemel.samples.clock import SECOND
from gemel.samples.units import after
from gemel.twin import command_checks as checks
from gemel.twin import command_state as kinds
from gemel.twin.command_decision import Decision, Reading, Refusal, Situation, Spec
from gemel.twin.command_facts import RULE, asked, attempted, became, failed, target
from gemel.twin.command_state import Command

__all__ = ["Command", "Decision", "Gate", "Reading", "Refusal", "Situation", "Spec", "fold"]

APPROVAL_NS: Final = 900 * SECOND  # nobody approves today what was asked yesterday
WRITE_NS: Final = 30 * SECOND  # nor is written later what was approved now
KEPT: Final = 1000  # closed commands in memory; older ones are read from the record

UNKNOWN_OUTCOME: Final = "unknown whether it was written: check the plant"
INTERRUPTED: Final = "interrupted before writing; ask again"


class Gate:
    """All commands of a site.

    Args:
        approval_ns: how long a request waits for its approval [ns].

    """

    def __init__(self, approval_ns: int = APPROVAL_NS) -> None:
        self._approval_ns = approval_ns
        self._commands: dict[str, Command] = {}
        self._open: dict[str, None] = {}  # ids, in the order in which they were asked
        self._closed: deque[str] = deque()
        self._written: dict[str, tuple[float, int]] = {}  # target -> value last written, when [ns]

    # ---- what people ask

    def request(
        self, command_id: str, spec: Spec, value: float, user: str, role: str, *, at: int, situation: Situation,
        reason: str = "",
    ) -> Decision:  # fmt: skip
        """Ask for a command.

        Args:
            command_id: a name for it that was never used before.
            spec: what the plant file says of it.
            value: set-point asked for, in the command's unit.
            user: who asks.
            role: the role that user has.
            at: plant time [ns].
            situation: how things stand.
            reason: why, in the asker's words.

        """
        if command_id in self._commands:
            return _conflict(
                command_id, "id-used", f"there is a command {command_id} already", "choose another id"
            )
        stands = self._as_it_stands(target(spec), situation)
        no = (
            checks.off_limits(stands)
            or checks.may_ask(role)
            or checks.refused(spec, value, stands, at)
            or self._occupied(target(spec))
        )
        return Decision(command_id, (asked(spec, value, user, at, stands, command_id, reason, no),), no)

    def approve(
        self,
        command_id: str,
        user: str,
        role: str,
        *,
        at: int,
        spec: Spec,
        situation: Situation,
        reason: str = "",
    ) -> Decision:
        """Approve a command as the second person; everything is checked again as things stand now."""
        command = self._commands.get(command_id)
        if command is None or command.state != "awaiting_approval":
            return _decided(command_id, command)
        if (no := checks.may_decide(command, user, role, spec.approval)) is not None:
            return Decision(command_id, (attempted(command, user, at, no),), no)
        if at >= command.since + self._approval_ns:
            return _conflict(command_id, "expired", "the request is too old to be approved", "ask again")
        no = checks.refused(spec, _number(command.value), self._as_it_stands(command.target, situation), at)
        if no is None:
            return Decision(command_id, (became(command, kinds.APPROVED, user, at, reason),))
        words = f"when it was to be approved: {no.message}"
        body = {"code": no.code, "remedy": no.remedy}
        return Decision(command_id, (became(command, kinds.REFUSED, user, at, words, body),), no)

    def reject(self, command_id: str, user: str, role: str, *, at: int, reason: str = "") -> Decision:
        """Turn a request down, as somebody who could approve it."""
        command = self._commands.get(command_id)
        if command is None or command.state != "awaiting_approval":
            return _decided(command_id, command)
        if (no := checks.may_decide(command, user, role, None)) is not None:
            return Decision(command_id, (attempted(command, user, at, no),), no)
        return Decision(command_id, (became(command, kinds.REJECTED, user, at, reason),))

    def cancel(self, command_id: str, user: str, role: str, *, at: int, reason: str = "") -> Decision:
        """Take a request back before it is written; any operator may, for it is the safe side."""
        command = self._commands.get(command_id)
        if command is None or command.state not in ("awaiting_approval", "approved"):
            return _decided(command_id, command)
        if (no := checks.may_ask(role)) is not None:
            return Decision(command_id, (attempted(command, user, at, no),), no)
        return Decision(command_id, (became(command, kinds.CANCELLED, user, at, reason),))

    # ---- what the shell does

    def undecided(self) -> list[Command]:
        """Give the commands that are not written yet, the oldest first."""
        return [c for c in self._opened() if c.state in ("awaiting_approval", "approved")]

    def ready(self) -> list[Command]:
        """Give the commands that are to be written now, the oldest first."""
        return [c for c in self._opened() if c.state == "approved"]

    def sending(self, command_id: str, *, at: int) -> Decision:
        """Say that a command is about to be written; write only when this is recorded and applied."""
        command = self._commands.get(command_id)
        if command is None or command.state != "approved":
            return _decided(command_id, command)
        if at >= command.since + WRITE_NS:
            return _conflict(command_id, "too-late", "the command was not written in time", "ask again")
        return Decision(command_id, (became(command, kinds.SENDING, RULE, at),))

    def sent(self, command_id: str, *, at: int, failure: str | None = None) -> Decision:
        """Say how the write ended: acknowledged by the other side, or failed, in words."""
        command = self._commands.get(command_id)
        if command is None or command.state != "sending":
            return _decided(command_id, command)
        if failure is not None:
            return Decision(command_id, (failed(command, at, failure, "not-written"),))
        return Decision(command_id, (became(command, kinds.SENT, RULE, at),))

    def watched(self) -> list[str]:
        """Give the paths of the signals whose readings are waited for."""
        return sorted({c.read_back_path for c in self._opened() if c.state == "sent"})

    def on_reading(self, path: str, value: float, *, time: int, at: int) -> list[Draft]:
        """Take a usable reading of a watched signal: near enough, and from after the write, it confirms.

        "After the write" is after `sending`: that fact is recorded before the write, so what the write brought about
        cannot be older; while the acknowledgement may come in after the plant has already answered.

        Args:
            path: the signal.
            value: what it reads, in its unit.
            time: when the source says so [ns].
            at: plant time [ns].

        """
        body = {"read_back": value, "read_time": time}
        return [
            became(c, kinds.CONFIRMED, RULE, at, f"reads back {value:g}{after(c.unit)}", body)
            for c in self._opened()
            if c.state == "sent" and c.answered_by(path, value, time)
        ]

    def on_tick(self, now: int, readings: Mapping[str, float] | None = None) -> list[Draft]:
        """Let time pass: approvals expire, writes and read-backs time out.

        Args:
            now: plant time [ns].
            readings: last value by watched path, to say what was read instead.

        """
        return [d for c in self._opened() if (d := self._over(c, now, readings or {})) is not None]

    def recover(self, at: int) -> list[Draft]:
        """After a restart: end what was cut off, for nobody may write it a second time."""
        words = {"sending": (UNKNOWN_OUTCOME, "unknown"), "approved": (INTERRUPTED, "interrupted")}
        return [failed(c, at, *words[c.state]) for c in self._opened() if c.state in words]

    # ---- the fold

    def apply(self, fact: Fact | Draft) -> None:
        """Fold a fact in: the only way in which the gate changes. Others' facts and repeated ones change nothing."""
        if not fact.kind.startswith("Command"):
            return
        name = str(fact.body.get("command", ""))
        command = self._commands.get(name)
        if command is None:
            if "target" not in fact.body:
                return
            command = self._commands[name] = Command.begin(fact)
        elif not command.apply(fact):
            return
        if fact.kind == kinds.SENDING:  # from here on it may be in force
            self._written[command.target] = (_number(command.value), fact.at)
        if command.open:
            self._open[name] = None
        else:
            self._close(name)

    def _close(self, name: str) -> None:
        self._open.pop(name, None)
        self._closed.append(name)
        if len(self._closed) > KEPT:
            del self._commands[self._closed.popleft()]

    # ---- what is shown

    def view(self, command_id: str) -> dict[str, Any] | None:
        """Give a command as the API shows it, None where none is known."""
        command = self._commands.get(command_id)
        return command.view() if command else None

    def views(self, asset: str | None = None) -> list[dict[str, Any]]:
        """Give the commands, of an asset or of all, the newest first."""
        return [c.view() for c in reversed(self._commands.values()) if asset in (None, c.asset)]

    def get(self, command_id: str) -> Command | None:
        """Give a command, None where none is known; only `apply` may change it."""
        return self._commands.get(command_id)

    # ---- snapshot

    def to_notes(self) -> dict[str, Any]:
        """Give the whole state as plain JSON values."""
        return {
            "commands": [c.notes() for c in self._commands.values()], "open": list(self._open),
            "closed": list(self._closed), "written": {path: list(w) for path, w in self._written.items()},
        }  # fmt: skip

    def from_notes(self, notes: Mapping[str, Any]) -> None:
        """Take the state that `to_notes` gave."""
        self._commands = {c.id: c for c in map(Command.of, notes["commands"])}
        self._open, self._closed = dict.fromkeys(notes["open"]), deque(notes["closed"])
        self._written = {path: (value, at) for path, (value, at) in notes["written"].items()}

    # ---- private

    def _opened(self) -> list[Command]:
        return [self._commands[i] for i in self._open]

    def _as_it_stands(self, path: str, situation: Situation) -> Situation:
        """Count what was last written: as a change, and as the set-point where the plant reports none."""
        if path not in self._written:
            return situation
        value, at = self._written[path]
        changed = at if situation.changed is None else max(at, situation.changed)
        return replace(
            situation, changed=changed, current=value if situation.current is None else situation.current
        )

    def _occupied(self, path: str) -> Refusal | None:
        other = next((c for c in self._opened() if c.target == path), None)
        if other is None:
            return None
        state = other.state.replace("_", " ")
        return Refusal(
            "open-command", f"a command of {other.requested_by} for the same set-point is {state} ({other.id})",
            "wait until it has ended, or cancel it", "conflict",
        )  # fmt: skip

    def _over(self, command: Command, now: int, readings: Mapping[str, float]) -> Draft | None:
        waited, limit = now - command.since, command.timeout_ns
        if command.state == "awaiting_approval" and waited >= self._approval_ns:
            words = f"nobody decided within {self._approval_ns / SECOND:g} s"
            return became(command, kinds.CANCELLED, RULE, now, words, {"code": "expired"})
        if command.state == "approved" and waited >= WRITE_NS:
            return failed(command, now, "not written in time; ask again", "too-late")
        if command.state == "sending" and waited >= max(limit, WRITE_NS):
            return failed(command, now, UNKNOWN_OUTCOME, "unknown")
        if command.state == "sent" and waited >= limit:
            return failed(
                command, now, f"not read back within {limit / SECOND:g} s", "no-read-back", readings
            )
        return None


def fold(facts: Iterable[Fact | Draft], gate: Gate | None = None) -> Gate:
    """Fold facts into a gate, by default a new one."""
    folded = gate or Gate()
    for fact in facts:
        folded.apply(fact)
    return folded


def _conflict(command_id: str, code: str, message: str, remedy: str) -> Decision:
    return Decision(command_id, refusal=Refusal(code, message, remedy, "conflict"))


def _decided(command_id: str, command: Command | None) -> Decision:
    """Say that a command is not where this question could still be asked; nothing of it is recorded."""
    if command is not None:
        state = command.state.replace("_", " ")
        return _conflict(command_id, "decided", f"the command is {state} already", "read it again")
    no = Refusal("command-unknown", f"no command {command_id!r}", "see GET /api/v1/commands", "not-found")
    return Decision(command_id, refusal=no)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
