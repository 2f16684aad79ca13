"""Overrides: a value that a person puts in the place of a property's lanes, with an owner, a reason and an end.

    request ─► `Requests` (a draft, or a word why not) ─► record ─► fact, at a tick ─► `Overrides` ─► held
    tick    ─► whose time is over ─► a draft `OverrideExpired`

An override changes what is *shown*. What is measured goes on being conditioned, stored and watched: alarms, read-backs
and the guards of commands look at the readings, so that nobody can hide an alarm or lift an interlock with a number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from gemel.errors import NotFoundError
from gemel.samples import Draft, Fact, Registry
from gemel.samples.clock import iso
from gemel.twin.properties import Held

SET: Final = "OverrideSet"
CLEARED: Final = "OverrideCleared"
EXPIRED: Final = "OverrideExpired"
RULE: Final = "gemel"


@dataclass(frozen=True, slots=True)
class Override:
    """An override in force.

    Args:
        id: its name.
        path: the property.
        value: in the declared unit; a state's code.
        owner: who set it.
        reason: why.
        at: when it was asked for [ns].
        until: when it ends by itself [ns].
        fact: position of the fact in the record.
        since: the tick at which it took effect [ns].

    """

    id: str
    path: str
    value: float
    owner: str
    reason: str
    at: int
    until: int
    fact: int = 0
    since: int = 0

    @classmethod
    def of(cls, fact: Fact, since: int) -> Self:
        """Read a fact that sets one."""
        body = fact.body
        return cls(
            str(body["override"]), fact.subject, float(body["value"]), fact.actor, fact.reason, fact.at, int(body["until"]),
            fact.seq, since,
        )  # fmt: skip


class Overrides:
    """The overrides in force, one a property; the last word counts.

    Args:
        registry: what its properties are called.

    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._by_path: dict[str, Override] = {}
        self.held: Mapping[int, Held] = {}  # by property; made anew with every change

    def __len__(self) -> int:
        return len(self._by_path)

    def on_fact(self, fact: Fact, now: int) -> list[int]:
        """Let a fact take effect; give the properties that changed."""
        if fact.kind == SET:
            return self._put(Override.of(fact, now))
        if fact.kind in (CLEARED, EXPIRED):
            ended = fact.body.get("override")
            return self._drop([o for o in self._by_path.values() if o.id == ended])
        return []

    def on_tick(self, now: int) -> tuple[list[int], list[Draft]]:
        """End those whose time is over; give the properties that changed, and the facts to record."""
        over = sorted((o for o in self._by_path.values() if o.until <= now), key=lambda o: (o.until, o.id))
        return (self._drop(over), [expired(o) for o in over]) if over else ([], [])

    def all(self) -> list[Override]:
        """Give those in force, the newest first."""
        return sorted(self._by_path.values(), key=lambda o: (-o.fact, o.id))

    def of(self, path: str) -> Override | None:
        """Give the override of a property."""
        return self._by_path.get(path)

    def after(self, facts: Iterable[Fact], now: int) -> "Overrides":
        """Give what will be in force once these facts take effect: what a request is decided by."""
        then = Overrides(self._registry)
        then._by_path = dict(self._by_path)
        for fact in facts:
            then.on_fact(fact, now)
        return then

    def to_notes(self) -> list[dict[str, Any]]:
        """Give the whole state as plain values."""
        return [asdict(o) for _, o in sorted(self._by_path.items())]

    def from_notes(self, notes: Sequence[Mapping[str, Any]]) -> None:
        """Take the state that `to_notes` gave."""
        self._by_path = {o.path: o for o in (Override(**note) for note in notes)}
        self._hold()

    def _put(self, override: Override) -> list[int]:
        self._by_path[override.path] = override
        self._hold()
        return self._numbers([override])

    def _drop(self, overrides: list[Override]) -> list[int]:
        for override in overrides:
            del self._by_path[override.path]
        self._hold()
        return self._numbers(overrides)

    def _hold(self) -> None:
        held = {}
        for override in self._by_path.values():
            for number in self._numbers([override]):
                held[number] = Held(override.value, override.at, override.since)
        self.held = held

    def _numbers(self, overrides: Iterable[Override]) -> list[int]:
        found = []
        for override in overrides:
            try:
                found.append(self._registry.index(override.path))
            except NotFoundError:  # of a property that the plant had before
                continue
        return found


def expired(override: Override) -> Draft:
    """Say that an override's time is over."""
    return Draft(
        id=f"override-expired-{override.id}", kind=EXPIRED, at=override.until, actor=RULE, subject=override.path,
        body={"override": override.id}, reason=f"its time was over at {iso(override.until)}", cause=set_id(override.id),
    )  # fmt: skip


def set_id(override: str) -> str:
    """Give the name of the fact that sets an override."""
    return f"override-set-{override}"


def held_at(facts: Iterable[Fact], at: int, registry: Registry) -> Overrides:
    """Give the overrides that were in force at a time [ns], from the facts known then, in order."""
    then = Overrides(registry)
    for fact in facts:
        if fact.at <= at:
            then.on_fact(fact, fact.at)
    then.on_tick(at)
    return then
