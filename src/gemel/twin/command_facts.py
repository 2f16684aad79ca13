"""What becomes of a command, as drafts of facts.

A fact's id is made from the command's and the kind: a second approval, a second sending, is the same fact, and the
record keeps one.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from gemel.samples import Draft
from gemel.samples.units import after
from gemel.twin import command_state as kinds
from gemel.twin.command_decision import Refusal, Situation, Spec
from gemel.twin.command_state import Command

RULE: Final = "gemel"  # the actor where a rule of the twin acted


def fact_id(command: str, kind: str) -> str:
    """Name a command's fact of a kind.

    >>> fact_id("7f", "CommandSending")
    '7f.sending'
    """
    return f"{command}.{kind.removeprefix('Command').lower()}"


def target(spec: Spec) -> str:
    """Give the path of what a command sets."""
    return f"{spec.asset}/{spec.sets or spec.name}"


def asked(
    spec: Spec,
    value: float,
    user: str,
    at: int,
    situation: Situation,
    command_id: str,
    reason: str,
    no: Refusal | None,
) -> Draft:
    """Say that a command was asked for; refused at once, that is one fact with all that was asked for.

    Not a request and then its refusal: a crash between the two would leave the request standing.
    """
    body = {
        "command": command_id, "asset": spec.asset, "name": spec.name, "target": target(spec), "unit": spec.unit,
        "value": value if math.isfinite(value) else None, "asked_because": reason, "approval": spec.approval,
        "read_back": f"{spec.asset}/{spec.read_back}" if spec.read_back else "",
        "tolerance": spec.tolerance or 0.0, "timeout_ns": spec.timeout_ns, "before": situation.current,
        "rested_on": {name: r.value for name, r in situation.rests_on.items()},
    }  # fmt: skip
    kind = kinds.REQUESTED if no is None else kinds.REFUSED
    if no is not None:
        body |= {"code": no.code, "remedy": no.remedy}
    return Draft(
        id=fact_id(command_id, kind), kind=kind, at=at, actor=user, subject=f"{spec.asset}/{spec.name}", body=body,
        reason=reason if no is None else no.message,
    )  # fmt: skip


def became(
    command: Command,
    kind: str,
    by: str,
    at: int,
    reason: str = "",
    body: Mapping[str, Any] | None = None,
    once: str = "",
) -> Draft:
    """Say what became of a command; `once` names the fact where a kind can come more than once."""
    return Draft(
        id=once or fact_id(command.id, kind), kind=kind, at=at, actor=by, subject=f"{command.asset}/{command.name}",
        body={"command": command.id, "value": command.value, **(body or {})}, reason=reason, cause=command.facts[-1],
    )  # fmt: skip


def attempted(command: Command, user: str, at: int, no: Refusal) -> Draft:
    """Say that somebody tried to decide who may not; the command stays as it is."""
    body = {"attempt": True, "code": no.code, "remedy": no.remedy}
    once = f"{command.id}.refused.{len(command.facts)}"
    return became(command, kinds.REFUSED, user, at, no.message, body, once)


def failed(
    command: Command, at: int, words: str, code: str, readings: Mapping[str, float] | None = None
) -> Draft:
    """Say that a command failed, and what is read in its place where that is known."""
    read = (readings or {}).get(command.read_back_path)
    if read is None or not math.isfinite(read):
        return became(command, kinds.FAILED, RULE, at, words, {"code": code})
    words += f": it reads {read:g}{after(command.unit)}"
    return became(command, kinds.FAILED, RULE, at, words, {"code": code, "read_back": read})
