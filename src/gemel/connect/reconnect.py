"""When to dial, wait, and give up waiting: a pure state machine, events in, instructions out.

    Opened -> Dial -> Connected | Failed -> Wait(backoff) -> Waited -> Dial …        Closed ends it from anywhere

The shell that has sockets and timers feeds it; tests feed it stimuli and read the instructions.
Backoff is exponential with full jitter (Brooker, "Exponential Backoff And Jitter", 2015), so that a thousand
twins do not dial a restarted broker in the same instant.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal

from gemel.connect.contract import State

Event = Literal["opened", "connected", "failed", "lost", "waited", "closed"]


@dataclass(frozen=True, slots=True)
class Dial:
    """Make a connection and report `connected` or `failed`."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Report `waited` after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Leave the device in good order, whatever state the line is in."""


Instruction = Dial | Wait | HangUp


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between tries: a random part of least * 2^failures, never above most, never below least/2 [s]."""

    least: float = 0.2
    most: float = 5.0

    def wait(self, failures: int, random: Random) -> float:
        """Draw the wait before the next try [s]."""
        ceiling = min(self.most, self.least * 2.0 ** min(failures, 30))
        return max(self.least / 2, random.random() * ceiling)


@dataclass(frozen=True, slots=True)
class Line:
    """Where a connection stands.

    Args:
        state: closed, connecting, connected or waiting.
        failures: tries that failed since the last connection that stood.
        connections: connections made since it was opened.

    """

    state: State = "closed"
    failures: int = 0
    connections: int = 0


_DEFAULT: Final = Backoff()


def step(
    line: Line, event: Event, random: Random, backoff: Backoff = _DEFAULT
) -> tuple[Line, tuple[Instruction, ...]]:
    """Take one event; give the new state and what to do. Events that do not fit the state change nothing."""
    match line.state, event:
        case "closed", "opened":
            return Line("connecting"), (Dial(),)
        case "closed", _:
            return line, ()
        case _, "closed":
            return replace(line, state="closed"), (HangUp(),)
        case "connecting", "connected":
            return Line("connected", 0, line.connections + 1), ()
        case ("connecting", "failed") | ("connecting", "lost") | ("connected", "lost"):
            wait = backoff.wait(line.failures, random)
            return replace(line, state="waiting", failures=line.failures + 1), (Wait(wait),)
        case "waiting", "waited":
            return replace(line, state="connecting"), (Dial(),)
        case _:
            return line, ()
