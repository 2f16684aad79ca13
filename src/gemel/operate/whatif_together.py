"""Which states of a beginning go together: as they are estimated just now, where who estimates says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gemel.operate.binding import Binding

ESTIMATED: Final = "estimated"  # the source of a doubt that an estimate's `sigma` tells


def of_estimates(bound: Binding, uncertain: Sequence[Mapping[str, Any]], groups: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give what varies together of what is drawn by its estimate's uncertainty.

    Args:
        bound: where it begins.
        uncertain: what is drawn.
        groups: ``paths`` and their ``correlation``, as `estimates_together` gives them.
    """
    drawn = {one["of"] for one in uncertain if one["source"] == ESTIMATED}
    name = {b.path: b.name for b in (*bound.states, *bound.parameters) if b.name in drawn}
    for group in groups:
        at = [i for i, path in enumerate(group["paths"]) if path in name]
        if len(at) > 1:
            correlation = [[float(group["correlation"][i][j]) for j in at] for i in at]
            yield {"names": [name[group["paths"][i]] for i in at], "correlation": correlation, "source": ESTIMATED}


def sentences(question: Mapping[str, Any]) -> list[str]:
    """Say which estimates vary together, and which are drawn each by itself for want of knowing how they go together."""
    groups = [g["names"] for g in question.get("together", ()) if g.get("source") == ESTIMATED]
    known = {name for names in groups for name in names}
    alone = [u["of"] for u in question.get("uncertain") or () if u.get("source") == ESTIMATED and u["of"] not in known]
    told = [f"vary together, as they are estimated: {', '.join(names)}" for names in groups]
    if len(alone) > 1:
        told.append(f"drawn each by itself, for how these estimates go together is not known: {', '.join(alone)}")
    return told
