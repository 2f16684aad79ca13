"""One partition of the twin: condition, fold, alarms. A deterministic function of log and snapshot.

Frames and ticks go in, effects come out: rows to store, facts to record, signals to show. Nothing here reads a
clock or waits for anything; the shell around it (`fold`) does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import AlarmLimit, Checks, Derivations
from gemel.bus import Frame, FrameHeader, broken
from gemel.condition import Conditioner, Existing
from gemel.operate.carry import carried, renamed
from gemel.operate.numbering import Numbering
from gemel.samples import Batch, Draft, Fact, Registry, Snapshot
from gemel.samples.batch import I32, I64
from gemel.twin.agreement import Agreement
from gemel.twin.alarm_facts import Transition
from gemel.twin.alarms import Alarms
from gemel.twin.changes import Changes
from gemel.twin.derived import Derived
from gemel.twin.derived_rows import Stored
from gemel.twin.desired import Wishes
from gemel.twin.events import Events
from gemel.twin.lanes import NEVER, Lanes
from gemel.twin.origins import Origins, packed
from gemel.twin.overrides import Overrides
from gemel.twin.properties import Properties
from gemel.twin.rollups import Rollups
from gemel.twin.staleness import Staleness

PLANT_APPLIED: Final = "PlantApplied"
EXPRESSIONS: Final = "expressions"  # who derives; its version is the plant file's
PRODUCERS_KEPT: Final = 64
HOLES: Final = 4096  # frames of a producer noted one by one; only a few are ever on their way together

Lookup = Callable[[Batch], Existing]
Version = tuple[str, str]  # digest of the plant file, digest of the registry
Versions = Callable[
    [Version], "Partition | None"
]  # gives the partition of a version as it is before anything was heard


@dataclass(slots=True)
class Effects:
    """What a step asks of the shell."""

    rows: Batch
    drafts: list[Draft] = field(default_factory=list)
    turned: list[int] = field(default_factory=list)  # properties that show something else, without a row of theirs


def _no_versions(version: Version) -> None:
    """Know no other version of the plant."""


class Producers:
    """Which frames of which producer were seen: a frame stored twice is folded once, a missing one is news."""

    def __init__(self, seen: Mapping[str, Any] | None = None) -> None:
        self._upto: dict[str, int] = {}
        self._beyond: dict[str, set[int]] = {}
        for producer, (upto, beyond) in (seen or {}).items():
            self._upto[producer], self._beyond[producer] = upto, set(beyond)

    def first_time(self, header: FrameHeader) -> bool:
        """Note a frame; tell whether it is new."""
        p, n = header.producer, header.sequence
        upto, beyond = self._upto.get(p, 0), self._beyond.setdefault(p, set())
        if n <= upto or n in beyond:
            return False
        beyond.add(n)
        if len(beyond) > HOLES:  # what is missing there was torn or trimmed: it does not come any more
            upto = min(beyond) - 1
        while upto + 1 in beyond:
            upto += 1
            beyond.discard(upto)
        self._upto.pop(p, None)
        self._upto[p] = upto  # most recent last
        while len(self._upto) > PRODUCERS_KEPT:
            oldest = next(iter(self._upto))
            del self._upto[oldest], self._beyond[oldest]
        return True

    def notes(self) -> dict[str, Any]:
        """Give plain values for a snapshot."""
        return {p: [n, sorted(self._beyond.get(p, ()))] for p, n in self._upto.items()}


class Partition:
    """State of a partition at a position of its log."""

    def __init__(
        self, number: int, registry: Registry, checks: Checks, limits: Sequence[AlarmLimit],
        derivations: Derivations | None = None,
    ) -> None:  # fmt: skip
        self.number = number
        self.registry = registry
        self.checks = checks
        self.conditioner = Conditioner(checks, len(registry))
        self.lanes = Lanes(len(registry))
        self.derived = Derived(derivations or Derivations(), checks.each("stale_after"))
        self.events = Events(self.derived.plan.events, len(registry))
        self.rollups = Rollups(self.derived.plan.rollups, checks.each("stale_after"))
        self.stored: Stored | None = None  # asked about what a late reading falls into
        self.alarms = Alarms(limits, registry)
        self.properties = Properties.of_registry(registry)
        self.overrides = Overrides(registry)
        self.desired = Wishes()
        self.agreement = Agreement(self.derived.plan.pairs, registry)
        self.changes = Changes(self.derived.plan.sync, registry, number)
        self.producers = Producers()
        self.origins = Origins()
        self.position = 0
        self.facts = 0
        self.time = 0
        self.newest = 0  # greatest believable source time seen [ns]
        self.staleness = Staleness(checks)
        self.turned = np.zeros(0, np.int32)  # signals that the last tick found stale, or fresh again
        self.version: Version = ("", registry.digest)  # plant file and registry that are in force
        self.versions: Versions = _no_versions
        self._others: dict[str, Registry] = {}
        self._maps: dict[str, Numbering] = {}

    @property
    def stale(self) -> npt.NDArray[np.bool_]:
        """Which signals are silent for longer than they may be."""
        return self.staleness.stale

    def know(self, other: Registry, digest: str = "") -> None:
        """Learn another registry, so that frames numbered by it can be read; `digest` is what they call it."""
        self._others[digest or other.digest] = other

    def knows(self, digest: str) -> bool:
        """Tell whether frames numbered by this registry can be read."""
        return digest == self.registry.digest or digest in self._others

    def _numbering(self, digest: str) -> Numbering | None:
        """Give what the numbers of another registry mean here; made when its first frame comes."""
        if digest == self.registry.digest:
            return None
        if digest not in self._maps:
            self._maps[digest] = Numbering.of(self._others[digest], self.registry)
        return self._maps[digest]

    def rows_of(self, frame: Frame) -> Batch:
        """Give a frame's rows under this registry's numbers; none of a frame seen before.

        Raises StorageError where its numbers mean nothing here.
        """
        if not self.knows(frame.header.registry):
            raise broken("it is numbered by a registry that is not known here")
        numbers = self._numbering(frame.header.registry)
        signals = len(self.registry) if numbers is None else len(numbers)
        if len(frame.batch) and not 0 <= frame.batch.signal.min() <= frame.batch.signal.max() < signals:
            raise broken("it speaks of signals that its registry does not have")
        if not self.producers.first_time(frame.header):
            return Batch.empty()
        if numbers is None:
            return frame.batch
        return numbers.rows(frame.batch)

    def origin(self, header: FrameHeader, sequence: int) -> int:
        """Give the origin of a frame's rows, as the lanes keep it."""
        return packed(sequence, self.origins.code(header.producer, header.version))

    def fold(self, batch: Batch, sequence: int, lookup: Lookup, origin: I64 | None = None) -> Effects:
        """Condition and fold rows that end at a position of the log; `origin` is that of each row."""
        self.position = sequence
        if not len(batch):
            return Effects(Batch.empty())
        late = self.conditioner.too_late(batch)
        existing = lookup(batch.take(late)) if late.any() else None
        conditioned = self.conditioner.process(batch, existing)
        rows = conditioned.rows
        came = np.zeros(len(rows), np.int64) if origin is None else origin[conditioned.position]
        if len(self.changes):
            self.changes.on_rows(rows.take(conditioned.news), came[conditioned.news])
        given, drafts, _ = self._take_in(rows, came, f"samples.{self.number}:{sequence}")
        return Effects(Batch.concat([rows, given]) if len(given) else rows, drafts)

    def fold_stored(self, rows: Batch, sequence: int, origin: I64) -> Effects:
        """Fold rows that the history has and the state lost: judged already, and not to be stored again."""
        self.position = sequence
        given, drafts, changed = self._take_in(rows, origin, f"samples.{self.number}:{sequence}")
        return Effects(given, drafts, changed.tolist())

    def _take_in(self, rows: Batch, came: I64, cause: str) -> tuple[Batch, list[Draft], I32]:
        """Fold conditioned rows; give what is derived of them, what is to be recorded, and which signals changed."""
        drafts: list[Draft] = []
        if len(given := self.derived.on_rows(rows)):
            rows = Batch.concat([rows, given])
            came = np.append(came, np.full(len(given), self._derived_origin(0)))
            drafts = self.events.on_rows(given, cause)
        self.rollups.on_rows(rows)
        changed = self.lanes.fold(rows, came)
        self.staleness.heard(changed)
        if len(changed):
            self.newest = max(self.newest, int(self.lanes.latest.time[changed].max()))
        return given, drafts + _drafts(self.alarms.on_rows(rows, cause)), changed

    def tick(self, header: FrameHeader, sequence: int, facts: Iterable[Fact]) -> Effects:
        """Let the plant's time pass: facts, staleness and delays take effect here only."""
        self.position = sequence
        self.time = max(self.time, header.time)
        self.facts = max(self.facts, header.facts)
        drafts: list[Draft] = []
        turned: list[int] = []
        cause = f"samples.{self.number}:{sequence}"
        for fact in facts:
            if fact.kind == PLANT_APPLIED:
                drafts += self._become(fact, cause)
            self.alarms.on_fact(fact)
            drafts += _drafts(self.alarms.on_residual(fact))
            turned += self.overrides.on_fact(fact, self.time)
            self.desired.on_fact(fact)
        over, ended = self.overrides.on_tick(self.time)
        self.conditioner.advance(self.time)
        given = self._compute()
        if len(given):
            self.lanes.fold(given, np.full(len(given), self._derived_origin(sequence)))
        self.desired.on_tick(self.time, self._reported)
        self.origins.tidy((self.lanes.latest.origin, self.lanes.former.origin))
        self.turned = self.staleness.tick(self.time, self.lanes.latest.time)
        events = self.events.on_rows(given, cause) + self.events.on_tick(self.time)
        events += self.agreement.on_tick(self.time, self.lanes, self.stale) + self.changes.on_tick(self.time)
        transitions = self.alarms.on_rows(given, cause) + self.alarms.on_tick(self.time)
        return Effects(given, drafts + ended + events + _drafts(transitions), turned + over)

    def _reported(self, path: str) -> tuple[float, int] | None:
        """Give the newest usable reading of a property's first lane, and its time [ns]."""
        signal = self.registry.find(path, None)
        if signal is None:
            return None
        row = self.lanes.usable(np.array([signal]))
        value, time = float(row.value[0]), int(row.time[0])
        return (value, time) if time != NEVER and np.isfinite(value) else None

    def _derived_origin(self, sequence: int) -> int:
        """Give the origin of what was derived at a tick: by the expressions of the plant file in force."""
        return packed(sequence, self.origins.code(EXPRESSIONS, self.version[0][:12]))

    def _compute(self) -> Batch:
        """Give derived rows, and those of roll-ups; what is derived from a roll-up follows at the next tick."""
        watermark = self.conditioner.watermark
        given = self.derived.on_tick(self.time, watermark, self.stored)
        self.rollups.on_rows(given)
        rolled = self.rollups.on_tick(self.time, watermark, self.stored)
        self.rollups.on_rows(rolled)
        more = self.derived.on_rows(rolled)
        return Batch.concat([given, rolled, more])

    def _become(self, fact: Fact, cause: str) -> list[Draft]:
        """Go on under another plant: rebuilt from its own snapshot, everything else as it stands.

        A version that is not kept (the record is older than the keeping) changes nothing. Gives the facts that close
        alarms which the plant no longer has.
        """
        named = str(fact.body.get("digest", "")), str(fact.body.get("registry", ""))
        fresh = None if named == self.version else self.versions(named)
        if fresh is None:
            return []
        snapshot = carried(self.snapshot(), self.registry, fresh.registry)
        fresh.load(snapshot)
        names = renamed(self.alarms.ids(), self.registry, fresh.registry)
        drafts = self.alarms.withdrawn(names, fresh.alarms, self.time, cause)
        self._take(fresh)
        return drafts

    def _take(self, fresh: "Partition") -> None:
        """Be another partition: whoever holds this one goes on holding the one in force."""
        kept, stored = self.versions, self.stored
        former = {self.registry.digest: self.registry, **self._others}
        self.__dict__.update(fresh.__dict__)
        self.versions, self.stored = kept, stored
        self._others = {**former, **self._others}
        self._others.pop(self.registry.digest, None)

    def snapshot(self, copied: bool = True) -> Snapshot:
        """Give the state as a value; nothing in it changes later, or it is not `copied` and only to be written at once."""
        arrays: dict[str, Any] = {
            **{f"lanes.{k}": v for k, v in self.lanes.arrays(copied).items()},
            **{f"condition.{k}": v for k, v in self.conditioner.state(copied).items()},
            **{f"derived.{k}": v for k, v in self.derived.state().items()},
            **{f"events.{k}": v for k, v in self.events.state().items()},
            **{f"staleness.{k}": v for k, v in self.staleness.arrays().items()},
            **{f"alarms.{k}": v for k, v in self.alarms.arrays().items()},
            **{f"rollups.{k}": v for k, v in self.rollups.state().items()},
            **{f"agreement.{k}": v for k, v in self.agreement.state().items()},
            **{f"changes.{k}": v for k, v in self.changes.state().items()},
        }
        notes = {"producers": self.producers.notes(), "alarms": self.alarms.notes(), "newest": self.newest,
                 "overrides": self.overrides.to_notes(), "plant": self.version[0],
                 "origins": self.origins.to_notes(), "desired": self.desired.to_notes()}  # fmt: skip
        return Snapshot(
            self.number, self.position, self.facts, self.time, self.registry.digest, arrays, notes
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Take the state of a snapshot, or nothing of it where it cannot be read; signals added since saw nothing.

        A snapshot names the plant that it was taken under: that one is in force again, until the log says otherwise.
        """
        named = str(snapshot.notes.get("plant", "")), snapshot.registry
        if named[0] and named != self.version and (fresh := self.versions(named)) is not None:
            fresh.load(snapshot)
            self._take(fresh)
        else:
            self.load(snapshot)

    def load(self, snapshot: Snapshot) -> None:
        """Take the state of a snapshot under the plant that is in force here."""

        def part(head: str) -> dict[str, npt.NDArray[Any]]:
            return {k.removeprefix(head): v for k, v in snapshot.arrays.items() if k.startswith(head)}

        lanes = Lanes.restore(len(self.registry), part("lanes."))
        conditioner = Conditioner.restore(self.checks, part("condition."))
        derived = Derived(self.derived.plan, self.checks.each("stale_after"))
        derived.restore(part("derived."), lanes)
        events = Events(self.derived.plan.events, len(self.registry))
        events.restore(part("events."))
        rollups = Rollups(self.derived.plan.rollups, self.checks.each("stale_after"))
        rollups.restore(part("rollups."))
        producers = Producers(snapshot.notes["producers"])
        self.alarms.from_notes(snapshot.notes["alarms"], part("alarms."))
        self.overrides.from_notes(snapshot.notes.get("overrides", []))
        self.desired.from_notes(snapshot.notes.get("desired", {}))
        self.origins.from_notes(snapshot.notes.get("origins", []))
        self.lanes, self.conditioner, self.producers = lanes, conditioner, producers
        self.derived, self.events, self.rollups = derived, events, rollups
        self.agreement = Agreement(derived.plan.pairs, self.registry)
        self.agreement.restore(part("agreement."))
        self.changes = Changes(derived.plan.sync, self.registry, self.number)
        self.changes.restore(part("changes."))
        self.newest = int(snapshot.notes["newest"])
        self.position, self.facts, self.time = snapshot.sequence, snapshot.facts, snapshot.time
        self.staleness.restore(part("staleness."), self.time, lanes.latest.time)


def _drafts(transitions: Iterable[Transition]) -> list[Draft]:
    return [t.draft for t in transitions]
