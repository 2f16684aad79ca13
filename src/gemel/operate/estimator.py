"""Follows the log and estimates: frames and ticks in, frames on the estimated lane out. A function of log and snapshot.

readings (source numbers) -> checks, of the signals concerned only -> filters, at ticks -> frames under one producer

A *life* begins at a position of the log and has a producer of its own; its frames are numbered without gaps. Gone on
with from a snapshot, the same log gives the same frames under the same numbers, so that nothing is told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Checks
from gemel.bus import Frame, FrameHeader, encode_frame
from gemel.condition import Conditioner
from gemel.estimate.blame import SURE
from gemel.estimate.particles import Whole
from gemel.estimate.questions import Back, Left, Question
from gemel.estimate.reconciled import Reconciling
from gemel.estimate.watch import Watch
from gemel.operate.estimates_beyond import beyond
from gemel.operate.estimates_declared import PRODUCER
from gemel.operate.estimates_kind import Kind
from gemel.operate.estimates_together import Group, groups
from gemel.operate.estimates_whole import Following
from gemel.operate.estimating import Estimating
from gemel.operate.instead import Instead
from gemel.operate.numbering import Numbering
from gemel.operate.partition import Producers
from gemel.operate.residual_turns import Turn, blamed, ended, turn
from gemel.operate.residuals_in import CLEARED, HEARD
from gemel.operate.under_way import UnderWay
from gemel.operate.weighing import Weighing
from gemel.samples import Batch, Fact, Registry, Snapshot
from gemel.samples.batch import F64, I32
from gemel.twin.releases import Releases

log = logging.getLogger(__name__)
ROWS: Final = 8192  # in a frame
CHANGE: Final = 0.2  # of a followed parameter, where the process changes
PLACES: Final = 24  # who may be wrong, at most, for a long past to be weighed by
FORMAT: Final = 5  # of the snapshot


@dataclass(frozen=True)
class Told:
    """A frame that is to be in the log: its number, and its bytes."""

    sequence: int
    data: bytes


class Estimator:
    """The filters of a plant's machines, kept at a position of the log.

    Args:
        kinds: the machines.
        registry: numbers their signals.
        checks: of all signals.
        position: last position of the log that is behind; a life begins there.
        others: registries that frames may be numbered by besides, by digest.
        under: told which of the kinds is computed with.
    """

    def __init__(
        self, kinds: list[Kind], registry: Registry, checks: Checks, position: int,
        others: Mapping[str, Registry] | None = None, under: UnderWay | None = None,
    ) -> None:  # fmt: skip
        self.kinds, self._registry, self._others = list(kinds), registry, dict(others or {})
        self._under = under or UnderWay()
        self.planned = kinds  # with what the plant file says of parameters
        self._heard: list[Fact] = []  # releases that no tick has come to yet
        self._releases, self.facts, self.known = Releases(), 0, 0
        read = [np.concatenate((k.wires.inputs.ravel(), k.wires.outputs.ravel())) for k in kinds]
        numbers = np.unique(np.concatenate([*read, np.zeros(0, np.int32)]))
        self._numbers: I32 = numbers[numbers >= 0].astype(np.int32)
        self._conditioner = Conditioner(_some(checks, self._numbers))
        self._checks = _some(checks, self._numbers)
        self._producers = Producers()
        self._maps: dict[str, Numbering] = {}
        self._loops: list[Estimating] = []
        self._watches = [Watch(k.problem, k.p, k.wires.outputs >= 0, process_of(k), _patience(k, checks), lasting=lasting(k)) for k in kinds]
        self._insteads = [Instead(k.wires.outputs.shape) for k in kinds]
        self._weighings = [Weighing(of=k) for k in kinds]
        self.turns: list[Turn] = []  # what the last message had residuals do
        self._ended: list[list[str]] = []  # what a life before this left open: the word that ends it, and the signal
        self.position, self.begun, self.time, self.sequence = position, position, 0, 0

    @property
    def producer(self) -> str:
        """The name of this life."""
        return f"{PRODUCER}{self.begun:x}"

    @property
    def versions(self) -> list[str]:
        """What the values come from, by kind; with the registry it tells whether a snapshot can be gone on from."""
        return [f"{k.version} {' '.join(k.assets)}" for k in self.planned]

    def know(self, facts: Sequence[Fact], upto: int) -> None:
        """Hear what was released and taken back up to a position of the record; it counts from the tick that names it."""
        self._heard += [f for f in facts if f.seq > self.known]
        self.known = max(self.known, upto)

    @property
    def substituted(self) -> int:
        """For how many sensors something else is believed than they read."""
        return sum(int((one.why > 0).sum()) for one in self._insteads)

    @property
    def beyond(self) -> list[str]:
        """Which inputs are beyond the range that their model declares, in words; the first ten."""
        pairs = zip(self.kinds, self._loops, strict=False)
        return [said for kind, loop in pairs for said in beyond(kind, loop, self._registry)][:10]

    def together(self, assets: Collection[str]) -> list[Group]:
        """Give how what is estimated of some assets goes together, as it is believed now."""
        pairs = zip(self.kinds, self._loops, strict=False)
        return [group for kind, loop in pairs for group in groups(kind, loop.belief, self._registry, assets)]

    def rehearsals(self) -> dict[int, Callable[[], Question | None]]:
        """Give, by number of each kind of which people can ask who is wrong, what gives a question like those to come."""
        return {i: w.rehearsal for i, w in enumerate(self._watches) if not isinstance(self.kinds[i].problem, Whole)}

    def take(self, frame: Frame, position: int) -> Iterator[Told]:
        """Take the next frame of the log; give what is to be in the log because of it."""
        self.position = position
        self.turns = []
        if frame.header.kind == "tick":
            if not self._loops:
                self._take_up(frame.header.facts)  # a life begins with what is in force
            yield from self._tick(frame.header.time)
            self._take_up(frame.header.facts)
        elif frame.header.producer != self.producer and self._producers.first_time(frame.header):
            self._rows(frame)

    def _rows(self, frame: Frame) -> None:
        rows = self._mine(frame)
        rows = rows.take(~self._conditioner.too_late(rows))  # older than the lag keeps
        conditioned = self._conditioner.process(rows).rows
        if len(conditioned):
            named = conditioned.with_columns(signal=self._numbers[conditioned.signal])
            for loop in self._loops:
                loop.take(named)

    def _mine(self, frame: Frame) -> Batch:
        """Give a frame's rows of the signals that are read, under small numbers."""
        rows, digest = frame.batch, frame.header.registry
        if digest != self._registry.digest:
            if (other := self._others.get(digest)) is None:
                return Batch.empty()
            numbering = self._maps.setdefault(digest, Numbering.of(other, self._registry))
            rows = numbering.rows(rows)
        at = np.searchsorted(self._numbers, rows.signal).clip(max=max(len(self._numbers) - 1, 0))
        mine = self._numbers[at] == rows.signal if len(self._numbers) else np.zeros(len(rows), np.bool_)
        return rows.take(mine).with_columns(signal=at[mine].astype(np.int32), sigma=None)

    def _tick(self, now: int) -> Iterator[Told]:
        self.time = max(self.time, now)
        if self._ended:
            self._end()
        if not self._loops:
            self._loops = self._begin(len(self.kinds))
        self._conditioner.advance(self.time)
        for i, kind in enumerate(self.kinds):
            with self._under.of(self.planned[i]):
                rows = self._stepped(i)
            for start in range(0, len(rows), ROWS):
                yield self._framed(rows[start : start + ROWS], kind.version)

    def _stepped(self, i: int) -> Batch:
        """Have the machines of a kind step to the tick; give their rows."""
        loop = self._loops[i]
        rows, estimates = loop.tick(self.time)
        newest = estimates[len(estimates) - len(loop.met) :]  # behind those that were made again
        for (at, u, y), estimate in zip(loop.met, newest, strict=True):
            self._watch(i, (at, u, y, estimate))
            self._under.on()
        return rows

    def _take_up(self, facts: int) -> None:
        """Take up what was released by now; readings not yet met are met with it."""
        self.facts = max(self.facts, facts)
        due = [f for f in self._heard if f.seq <= self.facts]
        if not due:
            return
        self._heard = [f for f in self._heard if f.seq > self.facts]
        self._releases.take_all(due)
        changed = {f.subject for f in due}
        for i, kind in enumerate(self.kinds):
            if mine := kind.concerned(changed):
                self._under.came.discard(self.planned[i])  # it may be compiled anew
                with self._under.of(self.planned[i]):
                    self._adopt(i, mine)

    def _adopt(self, i: int, assets: Sequence[str]) -> None:
        former, self.kinds[i] = self.kinds[i], self.kinds[i].under(self._releases, assets)
        kind = self.kinds[i]
        if self._loops:
            self._loops[i].adopt(kind.predicts, kind.given, kind.begin)
        for m in [kind.assets.index(a) for a in assets]:
            at = self._loops[i].at - 1 if self._loops else 0
            self._weighings[i].forget(m)
            for found in self._watches[i].adopt(m, kind.p[m], at):
                nothing = float("nan"), float("nan"), float("nan")
                self.turns.append(turn(former, found, self._loops[i].time(at), self.producer, nothing, self._registry))
            if self._loops:
                self._loops[i].distrusted[m] = False

    def _watch(self, i: int, met: tuple[int, F64, F64, Any]) -> None:
        at, u, y, estimate = met
        kind, weighing, loop = self.kinds[i], self._weighings[i], self._loops[i]
        expected, sd = np.asarray(estimate.innovation.expected), np.asarray(estimate.innovation.sd)
        believed = np.asarray(estimate.mean)[:, : len(kind.problem.model.states)]
        out = self._watches[i].out
        answered = [left for left in weighing.due(at) if out[left.machine, left.output]]
        for found in (*answered, *self._watches[i].meet(at, u, y, (y - expected) / sd, believed)):
            if isinstance(found, Question):
                weighing.ask(found)
                continue
            place = found.machine, found.output
            shown = float(y[place]), float(expected[place]), float(sd[place])
            self._turned(i, found, shown, bool(loop.aside(estimate)[place]))
        self._substituted(i, at, loop.aside(estimate))

    def _substituted(self, i: int, at: int, aside: npt.NDArray[np.bool_]) -> None:
        """Say of which sensors something else is believed than they read, and of which no more."""
        kind, loop, watch = self.kinds[i], self._loops[i], self._watches[i]
        reads = np.any(~watch.missing.gone & (kind.wires.outputs >= 0), axis=1, keepdims=True)  # one that reads nothing at all is silent
        gone = watch.missing.gone & reads, watch.missing.away
        for place in self._insteads[i].meet(at, aside, loop.distrusted, gone):
            self.turns.append(self._insteads[i].turn(kind, place, loop.time(at), (at, self.producer, self._registry)))

    def _turned(self, i: int, found: Left | Back, shown: tuple[float, float, float], aside: bool) -> None:
        kind, loop = self.kinds[i], self._loops[i]
        gone = self._watches[i].missing.gone[found.machine]
        self.turns.append(
            turn(kind, found, loop.time(found.at), self.producer, shown, self._registry, aside=aside, gone=gone)
        )
        if isinstance(found, Left) and found.verdict is None:
            return
        loop.distrusted[found.machine] = False
        if isinstance(found, Left) and found.verdict is not None and found.verdict.against >= SURE:
            self._watches[i].convict(found.machine)
        if isinstance(found, Left) and (sensor := blamed(kind, found, gone)) >= 0:
            loop.distrusted[found.machine, sensor] = True

    def _begin(self, n: int) -> list[Estimating]:
        """Begin the filters of the first so many kinds."""
        found = []
        for kind, planned in zip(self.kinds[:n], self.planned, strict=False):
            with self._under.of(planned):
                found.append(self._loop(kind, self.time))
                found[-1].on = self._under.on
        return found

    @staticmethod
    def _loop(kind: Kind, now: int) -> Estimating:
        every = round(kind.problem.dt * 1e9)
        loop = Following if isinstance(kind.predicts, Whole) else Estimating
        return loop(
            kind.predicts, kind.method, kind.wires, kind.given, start_ns=now // every * every, begin=kind.begin, held=kind.held,
        )  # fmt: skip

    def _framed(self, rows: Batch, version: str) -> Told:
        self.sequence += 1
        header = FrameHeader(kind="samples", partition=0, producer=self.producer, sequence=self.sequence, version=version,
                             registry=self._registry.digest)  # fmt: skip
        return Told(self.sequence, encode_frame(header, rows))

    # ---- what is kept

    def snapshot(self) -> Snapshot:
        """Give the state as a value."""
        arrays: dict[str, npt.NDArray[Any]] = {"numbers": self._numbers}
        arrays |= {f"condition.{k}": np.asarray(_whole(v)) for k, v in self._conditioner.state().items()}
        for i, loop in enumerate(self._loops):
            arrays |= {f"kind{i}.{k}": v for k, v in loop.state().items()}
        for i, (watch, weighing) in enumerate(zip(self._watches, self._weighings, strict=True)):
            arrays |= {f"watch{i}.{k}": v for k, v in watch.state().items()}
            arrays |= {f"weighing{i}.{k}": v for k, v in weighing.state().items()}
            arrays |= {f"instead{i}.{k}": v for k, v in self._insteads[i].state().items()}
        notes = {"format": FORMAT, "begun": self.begun, "sequence": self.sequence, "versions": self.versions, "opened": self._opened(),
                 "loops": len(self._loops), "facts": self.facts, "producers": self._producers.notes()}  # fmt: skip
        return Snapshot(0, self.position, 0, self.time, self._registry.digest, arrays, notes)

    def restore(self, snapshot: Snapshot) -> bool:
        """Go on from a snapshot; tell whether it is of these machines, models and parameters: else nothing is taken."""
        notes, arrays = snapshot.notes, snapshot.arrays
        same = notes.get("format") == FORMAT and notes["versions"] == self.versions
        if not same or not np.array_equal(arrays["numbers"], self._numbers):
            return False
        self.position, self.begun, self.time, self.sequence = snapshot.sequence, notes["begun"], snapshot.time, notes["sequence"]
        self._producers = Producers(notes["producers"])
        self._take_up(notes["facts"])  # before there are loops: the models are then those that were in force
        self.turns = []
        self._conditioner = Conditioner.restore(self._checks, _part(arrays, "condition."))
        self._loops = self._begin(notes["loops"])
        self._ended = [] if self._loops else list(notes["opened"])
        for i in range(len(self.kinds)):
            self._taken(i, i, arrays)
        return True

    def carry(self, snapshot: Snapshot) -> bool:
        """Begin a life behind another, of other kinds of the same plant: those that are as they were go on, the others begin.

        Tells whether one goes on; what stands open of the others, by the record, is ended with the first tick.
        """
        notes = snapshot.notes
        if not self.follow(snapshot):
            return False
        was = {version: i for i, version in enumerate(notes["versions"][: notes["loops"]])}
        goes_on = {i: was[version] for i, version in enumerate(self.versions) if version in was}
        if not goes_on or snapshot.registry != self._registry.digest or snapshot.sequence <= notes["begun"]:
            return False
        self.position = self.begun = snapshot.sequence
        self.time, self._producers = snapshot.time, Producers(notes["producers"])
        self._take_up(notes["facts"])
        self.turns = []
        self._conditioner.advance(self.time)
        self._loops = self._begin(len(self.kinds))
        for i, former in goes_on.items():
            self._taken(i, former, snapshot.arrays)
        return True

    def follow(self, snapshot: Snapshot) -> bool:
        """Know what a life before this one left open in the record; tells whether its snapshot can be read."""
        if snapshot.notes.get("format") != FORMAT:
            return False
        self._ended = list(snapshot.notes["opened"])
        return True

    def _taken(self, i: int, former: int, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what a snapshot has of a kind, by its place there."""
        if i < len(self._loops):
            self._loops[i].restore(_part(arrays, f"kind{former}."))
        self._watches[i].restore(_part(arrays, f"watch{former}."))
        self._weighings[i].restore(_part(arrays, f"weighing{former}."), self._watches[i])
        self._insteads[i].restore(_part(arrays, f"instead{former}."))

    def _opened(self) -> list[list[str]]:
        """Give what stands open in the record, as the word that ends it and the signal; what is yet to be ended too."""
        found = list(self._ended)
        for kind, watch, instead in zip(self.kinds, self._watches, self._insteads, strict=True):
            for word, open_ in ((CLEARED, watch.out), (HEARD, instead.why > 0)):
                found += [[word, self._registry.paths[n]] for n in kind.wires.outputs[open_].tolist()]
        return found

    def _end(self) -> None:
        """End what stands open of a former life, unless it is open here too."""
        here = {n for k in self.kinds for n in k.wires.outputs.ravel().tolist() if n >= 0}
        estimated, still = {self._registry.paths[n] for n in here}, self._opened()[len(self._ended) :]
        for word, path in self._ended:
            if path in estimated and [word, path] not in still:
                self.turns.append(ended(word, path, self.time, self.producer))
        self._ended = []


def lasting(kind: Kind) -> bool:
    """Tell whether who is wrong is weighed by a long past: the flows of balances are anew at each instant, an FMU has no equations.

    Of a large system there are so many who may be wrong that the filters would wait for minutes.
    """
    places = int((kind.wires.outputs >= 0).any(0).sum()) + len(kind.problem.model.states) + len(process_of(kind))
    return places <= PLACES and not isinstance(kind.method, Reconciling) and not isinstance(kind.problem, Whole)


def process_of(kind: Kind) -> dict[str, float]:
    """Give the parameters that are followed, with the change to be expected of each where the process changes."""
    model, names = kind.problem.model, kind.problem.estimated
    return {n: float(max(abs(kind.p[:, model.place("parameters", n)]).mean() * CHANGE, 1e-9)) for n in names} | dict(kind.changes)


def _patience(kind: Kind, checks: Checks) -> npt.NDArray[np.int64]:
    """Give the instants that each sensor may be silent for before it is stale [machines, outputs]; -1 where there is none."""
    of = kind.wires.outputs
    stale = np.where(of >= 0, checks.each("stale_after")[of], 0)
    return np.asarray(stale // round(kind.problem.dt * 1e9), np.int64)


def _part(arrays: Mapping[str, npt.NDArray[Any]], head: str) -> dict[str, npt.NDArray[Any]]:
    return {k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)}


def _whole(column: Any) -> Any:
    return np.concatenate(column.pieces) if hasattr(column, "pieces") else column


def _some(checks: Checks, numbers: I32) -> Checks:
    """Give the checks of some signals, a row each."""
    names = [f.name for f in fields(checks) if f.name not in ("lateness", "future_tolerance", "jitter_tolerance", "kind")]
    columns: dict[str, Any] = {name: checks.each(name)[numbers] for name in names}
    return replace(checks, kind=None, **columns)
