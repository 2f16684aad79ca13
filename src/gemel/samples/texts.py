"""A column of texts that reads like a list: no Python string exists until somebody looks at it.

Five million paths as Python strings are half a gigabyte in every process; as an Arrow column they are the bytes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, overload

import pyarrow as pa

BLOCK: Final = 8192  # rows made into strings at once while one runs through all


class Texts(Sequence[str]):
    """Texts in an Arrow column, plain or dictionary-encoded; a missing one is empty.

    >>> t = Texts.of(["a", "b"])
    >>> t[1], len(t), t == ["a", "b"]
    ('b', 2, True)
    """

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Texts":
        """Take texts that are there already."""
        return texts if isinstance(texts, Texts) else cls(pa.array(texts, pa.string()))

    @classmethod
    def one(cls, text: str, n: int) -> "Texts":
        """Say the same text `n` times, storing it once."""
        codes = pa.repeat(pa.scalar(0, pa.int32()), n)
        return cls(pa.DictionaryArray.from_arrays(codes, pa.array([text], pa.string())))

    @property
    def plain(self) -> pa.Array:
        """The column as plain strings."""
        return self.array.cast(pa.string()) if pa.types.is_dictionary(self.array.type) else self.array

    def where(self, wanted: pa.Array) -> "Texts":
        """Give the texts where an Arrow column of booleans is true."""
        return Texts(self.array.filter(wanted))

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> "Texts": ...
    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            if at.step not in (None, 1):
                return Texts(self.array.take(pa.array(range(*at.indices(len(self))), pa.int64())))
            first, last, _ = at.indices(len(self))
            return Texts(self.array.slice(first, max(last - first, 0)))
        return self.array[int(at)].as_py() or ""

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BLOCK):
            for text in self.array.slice(start, BLOCK).to_pylist():
                yield text or ""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Texts):
            return bool(self.plain.equals(other.plain))
        return isinstance(other, Sequence) and len(other) == len(self) and list(self) == list(other)

    def __hash__(self) -> int:
        raise TypeError("texts are compared like a list, and have no hash like one")

    def __repr__(self) -> str:
        return f"Texts({self[:5].array.to_pylist()}{' …' if len(self) > 5 else ''}, {len(self)})"
