"""Which signals somebody means: by a whole path, by its last parts, or by a pattern in which * stands for anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gemel.errors import NotFoundError
from gemel.samples.registry import LANES, Registry


@dataclass(frozen=True, slots=True)
class Selected:
    """A signal, and how to call it: as it was asked for where that named it alone, else by its path."""

    signal: int
    name: str


def select(registry: Registry, patterns: Sequence[str], lane: str | None = None) -> list[Selected]:
    """Give the signals that patterns mean, in their order, each once; raises NotFoundError for one that means none.

    Args:
        registry: the signals there are; those that the plant no longer has are meant by their whole path only.
        patterns: whole paths, their last parts (``pump-1/flow``), or either with ``*``.
        lane: of these properties; None: the first there is, in order of precedence, measured before override.

    >>> r = Registry.of([{"path": "a/b/pump-1/flow"}, {"path": "a/b/pump-2/flow"}])
    >>> [s.name for s in select(r, ["pump-2/flow", "*flow"])]
    ['pump-2/flow', 'a/b/pump-1/flow']
    """
    found: dict[int, Selected] = {}
    for pattern in patterns:
        meant = _meant(registry, pattern, lane)
        if not meant:
            on = f" on the lane {lane}" if lane else ""
            raise NotFoundError(
                f"no signal is called {pattern[:200]!r}{on}", remedy="see GET /api/v1/signals"
            )
        alone = len(meant) == 1 and "*" not in pattern
        for signal in meant:
            found.setdefault(signal, Selected(signal, pattern if alone else registry.paths[signal]))
    return list(found.values())


def _meant(registry: Registry, pattern: str, lane: str | None) -> list[int]:
    lanes = registry.lanes_of(pattern)
    if lanes:
        shown = _shown(lanes) if lane is None else lanes.get(lane)
        return [] if shown is None else [shown]
    paths = registry.paths.array
    if "*" in pattern:
        fits = pc.match_like(paths, _like(pattern))
        fits = pc.or_(fits, pc.match_like(paths, _like(f"*/{pattern}")))
    else:
        fits = pc.ends_with(paths, f"/{pattern.strip('/')}")
    rows = np.flatnonzero(np.asarray(fits.fill_null(pa.scalar(False))) & ~registry.retired)
    return _by_lane(registry, rows.tolist(), lane)


def _by_lane(registry: Registry, rows: list[int], lane: str | None) -> list[int]:
    """Keep the rows of a lane, or of each property's first."""
    if len(set(registry.lanes.words)) < 2 and lane is None:
        return rows
    if lane is not None:
        return [row for row in rows if registry.lanes[row] == lane]
    by_path: dict[str, dict[str, int]] = {}
    for row in rows:
        by_path.setdefault(registry.paths[row], {})[registry.lanes[row]] = row
    return [shown for lanes in by_path.values() if (shown := _shown(lanes)) is not None]


def _shown(lanes: dict[str, int]) -> int | None:
    return next((lanes[lane] for lane in ("measured", *LANES) if lane in lanes), None)


def _like(pattern: str) -> str:
    r"""Write a pattern as SQL's LIKE does: % for any text.

    >>> _like("a_b*")
    'a\\_b%'
    """
    return pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
