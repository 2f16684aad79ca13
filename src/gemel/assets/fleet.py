"""All assets of a plant as columns: no object per asset, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gemel.samples.batch import F64, I32


@dataclass(frozen=True, eq=False)
class Fleet:
    """The assets, a row each, in the order of the plant file.

    Args:
        root: enterprise/site.
        names, at, titles, descriptions: as in the plant file.
        types: name of the type.
        template: which template of the plant says what the asset has.
        columns: what a fleet's table says besides; empty where it says nothing.
        parameters: values by name, in the unit of the type's parameter; NaN where none is given.
        formerly: what the plant file says an asset was called, by row; few have it.
    """

    root: str
    names: Sequence[str]
    at: Sequence[str]
    titles: Sequence[str]
    descriptions: Sequence[str]
    types: Sequence[str]
    template: I32
    columns: Mapping[str, Sequence[str]]
    parameters: Mapping[str, F64]
    formerly: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def paths(self) -> list[str]:
        """Path of each asset: enterprise/site/…/name."""
        head = self.root + "/"
        return [
            f"{head}{at}/{name}" if at else head + name for at, name in zip(self.at, self.names, strict=True)
        ]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {path: row for row, path in enumerate(self.paths)}

    def find(self, path: str) -> int | None:
        """Give the row of an asset; None where there is none of that path."""
        return self._rows.get(path)

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


class FleetBuilder:
    """Gathers assets, a block at a time, into columns."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.names: list[str] = []
        self._at: list[str] = []
        self._titles: list[str] = []
        self._descriptions: list[str] = []
        self._types: list[str] = []
        self._formerly: dict[int, str] = {}
        self._template: list[int] = []
        self._columns: dict[str, dict[int, Sequence[str]]] = {}
        self._parameters: dict[str, dict[int, F64]] = {}

    def add(
        self, names: Sequence[str], *, at: Sequence[str], titles: Sequence[str], description: str, type_name: str, template: int,
        columns: Mapping[str, Sequence[str]], parameters: Mapping[str, F64], formerly: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Append a block of assets of one template."""
        start, n = len(self.names), len(names)
        self._formerly |= {start + i: word for i, word in enumerate(formerly) if word}
        self.names += names
        self._at += at
        self._titles += titles
        self._descriptions += [description] * n
        self._types += [type_name] * n
        self._template += [template] * n
        for name, column in columns.items():
            self._columns.setdefault(name, {})[start] = column
        for name, numbers in parameters.items():
            self._parameters.setdefault(name, {})[start] = numbers

    def build(self) -> Fleet:
        """Give the columns."""
        n = len(self.names)
        columns = {}
        for name, blocks in self._columns.items():
            texts = [""] * n
            for start, block in blocks.items():
                texts[start : start + len(block)] = block
            columns[name] = texts
        parameters = {}
        for name, parts in self._parameters.items():
            numbers = np.full(n, np.nan)
            for start, part in parts.items():
                numbers[start : start + len(part)] = part
            parameters[name] = numbers
        return Fleet(
            self.root, self.names, self._at, self._titles, self._descriptions, self._types,
            np.array(self._template, dtype=np.int32), columns, parameters, self._formerly,
        )  # fmt: skip
