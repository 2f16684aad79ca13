"""What the derived signals of a plant are made of: each expression once a type, with the signals of all its assets as columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.assets.pairs import Pairs
from gemel.assets.rollups import RollupPlan
from gemel.assets.rules import EventRules
from gemel.assets.sync import Sync
from gemel.samples.batch import F64, I32, I64
from gemel.samples.expression import Expression

NONE: Final = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One leaf of an expression, for all assets of a type.

    Args:
        over: the relation whose members it runs over; empty: one value an asset.
        signal: their numbers, one an asset or one a member; empty for a parameter.
        constant: values of a parameter, one an asset; None for a signal.
        scale, offset: into the unit of the leaf, as long as `signal`; None where nothing is converted.
    """

    over: str
    signal: I32
    constant: F64 | None = None
    scale: F64 | None = None
    offset: F64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A derived signal of all assets of a type.

    Args:
        type, name, lane: of whose signal this is.
        expression: what gives it.
        target: number of the derived signal of each asset.
        inputs: one for each leaf of the expression.
        counts: for each relation how many members each asset has.
        low, high: what its values may be; NaN: any.
    """

    type: str
    name: str
    lane: str
    expression: Expression
    target: I32
    inputs: tuple[Input, ...]
    counts: Mapping[str, I64]
    low: float = float("nan")
    high: float = float("nan")

    def numbered(self, numbers: I32) -> "Program":
        """Give the same with the numbers of another registry."""
        inputs = tuple(replace(i, signal=numbers[i.signal]) for i in self.inputs)
        return replace(self, target=numbers[self.target], inputs=inputs)

    def edges(self) -> Iterator[tuple[I32, npt.NDArray[np.intp]]]:
        """Give what is read: signals, and the place of the asset that reads each."""
        for i in self.inputs:
            places = np.arange(len(self.target))
            yield i.signal, (np.repeat(places, self.counts[i.over]) if i.over else places[: len(i.signal)])


@dataclass(frozen=True, eq=False)
class Derivations:
    """All derived signals of a plant.

    Their instances, a derived signal of an asset each, are counted through all programs, one after another.

    Args:
        programs: one for each derived signal of each type.
        level: of each instance: 0 rests on measured signals only, 1 on those of level 0 …
        events: the rules whose conditions are among them.
        rollups: what is brought together over time, by kind of window.
        pairs: lanes that are to agree.
        sync: signals whose changes become facts.
    """

    programs: tuple[Program, ...] = ()
    level: I32 = field(default_factory=NONE.copy)
    events: EventRules = field(default_factory=EventRules)
    rollups: tuple[RollupPlan, ...] = ()
    pairs: Pairs = field(default_factory=Pairs)
    sync: Sync = field(default_factory=Sync)

    @cached_property
    def target(self) -> I32:
        """Number of the derived signal of each instance."""
        return np.concatenate([NONE, *(p.target for p in self.programs)]).astype(np.int32)

    @cached_property
    def first(self) -> I64:
        """The first instance of each program, and how many there are in all."""
        return np.cumsum([0, *(len(p.target) for p in self.programs)]).astype(np.int64)

    def edges(self) -> tuple[I32, I64]:
        """Give what is read: signals, and the instance that reads each; each pair once."""
        signals, instances = [NONE], [np.empty(0, np.int64)]
        for start, program in zip(self.first, self.programs, strict=False):
            for signal, place in program.edges():
                signals.append(signal)
                instances.append(place + start)
        read = np.concatenate(signals).astype(np.int64)
        span = int(read.max(initial=0)) + 1
        pairs = np.unique(np.concatenate(instances) * span + read)
        return (pairs % span).astype(np.int32), pairs // span

    def numbered(self, numbers: I32) -> "Derivations":
        """Give the same with the numbers of another registry."""
        programs = tuple(p.numbered(numbers) for p in self.programs)
        return Derivations(
            programs, self.level, self.events, tuple(r.numbered(numbers) for r in self.rollups)
        )
