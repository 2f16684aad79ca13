"""How faithful the models of assets proved over time, folded from facts: pure.

`ModelJudged` says, of a stretch of data that neither had seen, how well the version in force and whoever runs beside it
(in shadow) explained the readings, and what was decided. Of each asset the last is kept whole: the next run goes on from it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gemel.samples import Draft, Fact

JUDGED: Final = "ModelJudged"
KEPT: Final = 1000  # scores of an asset in memory: three years of nights; the record has all


class Score(NamedTuple):
    """One judgement, for a table or a small trend.

    Args:
        asset: its path.
        at: plant time at which the data end [ns].
        version: in force then.
        fidelity: by output, the explained part of the readings' variation; empty where nothing could be judged.
        shadow: the same of whoever ran beside; empty where nobody did.
        decision: ``kept``, ``released``, ``proposed``, ``beside``, ``promoted``, ``dropped`` or ``failed``.
        words: why.
        fact: position in the record.
    """

    asset: str
    at: int
    version: int
    fidelity: Mapping[str, float]
    shadow: Mapping[str, float]
    decision: str
    words: str
    fact: int


class Judgements:
    """All scores and each asset's last judgement."""

    def __init__(self) -> None:
        self._scores: dict[str, list[Score]] = {}
        self._last: dict[str, Mapping[str, Any]] = {}

    def take(self, fact: Fact) -> None:
        """Fold a fact in."""
        if fact.kind != JUDGED:
            return
        body = fact.body
        scores = self._scores.setdefault(fact.subject, [])
        scores.append(
            Score(fact.subject, int(body["due"]), int(body["version"]), body.get("fidelity") or {}, body.get("shadow_fidelity") or {},
                  str(body["decision"]), str(body.get("words", "")), fact.seq)
        )  # fmt: skip
        del scores[:-KEPT]
        self._last[fact.subject] = body

    def last(self, asset: str) -> Mapping[str, Any] | None:
        """Give an asset's last judgement, whole; None where there is none."""
        return self._last.get(asset)

    def until(self) -> dict[str, int]:
        """Give up to when each asset was judged [ns]."""
        return {asset: int(body["due"]) for asset, body in self._last.items()}

    def scores(self, asset: str | None = None) -> list[Score]:
        """Give the scores of an asset or of all, the oldest first."""
        if asset is not None:
            return list(self._scores.get(asset, ()))
        return sorted((s for some in self._scores.values() for s in some), key=lambda s: s.fact)


def judged(asset: str, body: Mapping[str, Any], at: int) -> Draft:
    """Give the fact that a model was judged; of one asset and moment there is one."""
    return Draft(id=f"judged-{asset}-{body['due']}", kind=JUDGED, at=at, actor="gemel", subject=asset, body=dict(body))
