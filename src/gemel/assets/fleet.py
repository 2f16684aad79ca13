"""All assets of a plant as columns: no object per asset, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.problem import no_asset
from gemel.samples.batch import F64, I32
from gemel.samples.pathindex import PathIndex
from gemel.samples.texts import Texts


@dataclass(frozen=True, eq=False)
class Fleet:
    """The assets, a row each, in the order of the plant file.

    Args:
        root: enterprise/site.
        names, at, titles, descriptions: as in the plant file; all but the names with each text kept once.
        types: name of the type.
        template: which template of the plant says what the asset has.
        columns: what a fleet's table says besides; empty where it says nothing.
        parameters: values by name, in the unit of the type's parameter; NaN where none is given.
        formerly: what the plant file says an asset was called, by row; few have it.
    """

    root: str
    names: Texts
    at: Texts
    titles: Texts
    descriptions: Texts
    types: Texts
    template: I32
    columns: Mapping[str, Texts]
    parameters: Mapping[str, F64]
    formerly: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def paths(self) -> Texts:
        """Path of each asset: enterprise/site/…/name."""
        at = self.at.plain
        heads = pc.if_else(pc.equal(at, ""), "", pc.binary_join_element_wise(at, "", "/"))
        return Texts(pc.binary_join_element_wise(f"{self.root}/", heads, self.names.plain, ""))

    @cached_property
    def found(self) -> PathIndex:
        """Where each path stands."""
        return PathIndex.of(self.paths.array)

    def find(self, path: str) -> int | None:
        """Give the row of an asset; None where there is none of that path."""
        return next(iter(self.found.find(path)), None)

    def row(self, path: str) -> int:
        """Give the row of an asset; raises NotFoundError where there is none of that path."""
        found = self.find(path)
        if found is None:
            raise no_asset(path)
        return found

    def values(self, row: int) -> dict[str, str]:
        """Give what the placeholders of topics and payloads stand for."""
        own = {name: column[row] for name, column in self.columns.items() if column[row]}
        return {
            **own,
            "asset": self.names[row],
            "at": self.at[row],
            "path": self.paths[row],
            "plant": self.root,
            "type": self.types[row],
        }


class _Column:
    """Gathers texts: single ones, and whole columns as they are."""

    def __init__(self) -> None:
        self._parts: list[pa.Array] = []
        self._single: list[str] = []
        self.length = 0

    def add(self, texts: Sequence[str]) -> None:
        self.length += len(texts)
        if isinstance(texts, Texts) and len(texts) > 1:
            self._close()
            self._parts.append(texts.plain)
        else:
            self._single += texts

    def fill(self, upto: int) -> None:
        """Say nothing for the rows up to one."""
        if upto > self.length:
            self.add(Texts.one("", upto - self.length))

    def _close(self) -> None:
        if self._single:
            self._parts.append(pa.array(self._single, pa.string()))
            self._single = []

    def build(self, *, alike: bool) -> Texts:
        """Give the column; `alike`: few different texts, each is kept once."""
        self._close()
        whole = pa.concat_arrays(self._parts) if self._parts else pa.array([], pa.string())
        return Texts(whole.dictionary_encode() if alike else whole)


class FleetBuilder:
    """Gathers assets, a block at a time, into columns."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._names = _Column()
        self._alike = {name: _Column() for name in ("at", "titles", "descriptions", "types")}
        self._formerly: dict[int, str] = {}
        self._template: list[I32] = []
        self._columns: dict[str, _Column] = {}
        self._parameters: dict[str, dict[int, F64]] = {}

    def add(
        self, names: Sequence[str], *, at: Sequence[str], titles: Sequence[str], description: str, type_name: str, template: int,
        columns: Mapping[str, Sequence[str]], parameters: Mapping[str, F64], formerly: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Append a block of assets of one template."""
        start, n = self._names.length, len(names)
        self._formerly |= {start + i: word for i, word in enumerate(formerly) if word}
        self._names.add(names)
        told = (at, titles, Texts.one(description, n), Texts.one(type_name, n))
        for column, texts in zip(self._alike.values(), told, strict=True):
            column.add(texts)
        self._template.append(np.full(n, template, np.int32))
        for name, texts in columns.items():
            column = self._columns.setdefault(name, _Column())
            column.fill(start)
            column.add(texts)
        for name, numbers in parameters.items():
            self._parameters.setdefault(name, {})[start] = numbers

    def build(self) -> Fleet:
        """Give the columns."""
        n = self._names.length
        parameters = {}
        for name, parts in self._parameters.items():
            numbers = np.full(n, np.nan)
            for start, part in parts.items():
                numbers[start : start + len(part)] = part
            parameters[name] = numbers
        for column in self._columns.values():
            column.fill(n)
        return Fleet(
            self.root, self._names.build(alike=False), **{name: c.build(alike=True) for name, c in self._alike.items()},
            template=np.concatenate([np.zeros(0, np.int32), *self._template]),
            columns={name: c.build(alike=False) for name, c in self._columns.items()},
            parameters=parameters, formerly=self._formerly,
        )  # fmt: skip
