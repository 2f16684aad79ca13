"""Which column of a file is which signal: by what the user says, by path, by JSON path, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gemel.connect.jsonpath import parse_path
from gemel.connect.plan import Sources
from gemel.errors import AssetError
from gemel.samples import Registry


@dataclass(frozen=True, slots=True)
class Matched:
    """What was matched: rows of the sources by column, and the columns that nothing asks for."""

    row_of: Mapping[str, int]
    left_over: tuple[str, ...]


def match_columns(
    names: Sequence[str], sources: Sources, registry: Registry, given: Mapping[str, str] | None = None
) -> Matched:
    """Match columns with the signals of a connection.

    In this order: as given; a path of a signal or its end (``pump-1/flow``); the last key of its JSON path; its
    name. Case does not matter. Raises AssetError where a column fits several signals, or a given name fits none.
    """
    given = given or {}
    paths = [registry.paths[s] for s in sources.signal.tolist()]
    unknown = [column for column in given if column not in names]
    if unknown:
        raise AssetError(
            f"no file has the column {unknown[0]!r}",
            code="column",
            remedy=f"the columns are {', '.join(names)}",
        )
    row_of: dict[str, int] = {}
    for name in names:
        found = _given(given[name], paths) if name in given else _find(name, paths, sources)
        if found is not None:
            row_of[name] = found
    twice = [name for name in row_of if list(row_of.values()).count(row_of[name]) > 1]
    if twice:
        raise AssetError(f"the columns {', '.join(twice)} are all taken for {paths[row_of[twice[0]]]}", code="column",
                         remedy="say which is which with --map COLUMN=SIGNAL")  # fmt: skip
    return Matched(row_of, tuple(name for name in names if name not in row_of))


def _given(signal: str, paths: Sequence[str]) -> int:
    fits = _ends_with(signal, paths)
    if len(fits) != 1:
        word = "no signal" if not fits else "more than one signal"
        raise AssetError(
            f"{signal!r} is the path of {word} of this connection",
            code="column",
            remedy=f"paths are like {paths[0]}",
        )
    return fits[0]


def _find(name: str, paths: Sequence[str], sources: Sources) -> int | None:
    ways: tuple[Callable[[], list[int]], ...] = (
        lambda: _ends_with(name.replace(".", "/"), paths) if "/" in name or "." in name else [],
        lambda: [i for i, path in enumerate(sources.path) if path and _last_key(path) == _plain(name)],
        lambda: [i for i, path in enumerate(paths) if _plain(path.rsplit("/", 1)[-1]) == _plain(name)],
    )
    for way in ways:
        fits = way()
        if len(fits) > 1:
            several = ", ".join(paths[i] for i in fits[:3])
            raise AssetError(
                f"the column {name!r} may be {several}",
                code="column",
                remedy=f"say which with --map {name!r}=SIGNAL",
            )
        if fits:
            return fits[0]
    return None


def _ends_with(end: str, paths: Sequence[str]) -> list[int]:
    tail = "/" + end.strip("/").lower()
    return [i for i, path in enumerate(paths) if ("/" + path.lower()).endswith(tail)]


def _last_key(path: str) -> str:
    keys = [key for key in parse_path(path) if isinstance(key, str)]
    return _plain(keys[-1]) if keys else ""


def _plain(name: str) -> str:
    """Give a name without what people write differently: case, spaces, underscores, hyphens."""
    return "".join(c for c in name.lower() if c not in " _-")
