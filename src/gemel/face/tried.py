"""What would be: what-if, remaining life and calibration, computed where one looks and written nowhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa

from gemel.errors import StorageError
from gemel.face.asks import Paths, at_text
from gemel.face.calibrate import Calibrated
from gemel.face.calibrate import answer as calibrated
from gemel.face.instants import Instant, Span
from gemel.face.life import Life, foretold, seconds
from gemel.face.missing import together
from gemel.face.series import Series
from gemel.face.whatif import Asked, WhatIf, answer
from gemel.operate.view_calibrations import in_force


class Tried(Series):
    """The part of a twin that tries out."""

    def whatif(
        self, asset: str, change: Asked, *, at: Instant | None = None, fork: str | None = None, horizon: Span = "24h", members: int | None = None, seed: int = 0,
        told: Callable[[float], bool] = lambda done: True, **question: Any,
    ) -> WhatIf:  # fmt: skip
        """Ask what would come of a change, from the state of now or of a past time; computed here, written nowhere.

        Args:
            asset: whose type has a dynamic model; several divided by ``+``; an area.
            change: ``"load=+15%"``, the `Path` of a schedule or of orders, several (one scenario), or up to five scenarios by name.
            at: from this time's state; now, if left out.
            fork: from the state that is kept under this name.
            horizon: how far ahead: ``"24h"``, ``"1 year"``.
            members: of the ensemble; None: 1000, of an FMU 100.
            seed: of what is drawn: the same seed gives the same answer.
            told: takes how much is done (0 to 1), gives whether to go on.
            question: `kpis` (figures: names, or lines as ``"peak={max: power}"``), `indices`, `uncertain`, `watch`, `step_s`, `points`, `precision`, `leap`, `engine` as in ``POST /api/v1/scenarios``.

        Raises NotFoundError where the asset's type has no dynamic model, ModelError where that has no such quantity.
        """
        begun = self._json("/whatif", asset=asset, at=at_text(at), fork=fork, warm=False)
        asked = {"horizon_s": seconds(horizon), "members": members, "seed": seed, **question}
        return answer(begun, change, begun["at"], self.plant, told, **asked)

    def remaining_life(
        self, asset: str, of: str = "", *, maintain: Paths = (), at: Instant | None = None, horizon: Span | None = None,
        members: int = 2000, seed: int = 0, told: Callable[[float], bool] = lambda done: True, **change: str,
    ) -> Life:  # fmt: skip
        """Ask how long something lives if all goes on, and with a change; computed here, written nowhere.

        Args:
            asset: whose type says under `degradation` what wears out.
            of: which of them; the first, if left out.
            maintain: ``"overhaul"`` (now) or ``"overhaul@30d"``.
            at: from what was known at this time; now, if left out.
            horizon: how far ahead; what the plant file says, if left out.
            members: of the ensemble.
            seed: of what is drawn: the same seed gives the same answer.
            told: takes how much is done (0 to 1), gives whether to go on.
            change: what drives it, by signal or by word: ``load="+15%"``, ``speed="2400 rpm"``.

        Raises NotFoundError where nothing wears out, or nothing of the name of a change drives it.
        """
        changes = [f"{name}={how}" for name, how in change.items()]
        upkeep = [maintain] if isinstance(maintain, str) else list(maintain)
        spec = self._json("/life/record", asset=asset, of=of or None, at=at_text(at), change=changes or None, maintain=upkeep or None)
        spec |= {"members": members, "seed": seed}
        if horizon is not None:
            spec["horizon_s"] = seconds(horizon)
        return foretold(spec, told)

    def calibrate(
        self, asset: str, start: Instant | None = None, end: Instant | None = None, *,
        told: Callable[[float], bool] = lambda done: True, **wish: Any,
    ) -> Calibrated:  # fmt: skip
        """Fit the parameters of an asset's model to its history, against those in force; computed here, written nowhere.

        Args:
            asset: path; its type has a dynamic model.
            start: of the history; an hour before its end, if left out.
            end: of the history; now, if left out.
            told: takes how much is done (0 to 1), gives whether to go on.
            wish: `parameters`, `step_s`, `unseen`, `running`, `regimes`, `block_s`, `most`, `lead`, `starts`, `seed`, `blamed`, `blame`, `hybrid`
                as in ``POST /api/v1/assets/{path}/calibrations``.

        Raises ModelError where the asset's type has no dynamic model, or the history nothing to fit.
        """
        try:
            versions = self._json("/releases", asset=asset)["items"]
        except StorageError:  # the record is asked of a running twin; else what the plant file says is in force
            versions = []
        champion = in_force(versions)

        lost = []

        def rows(line: Any) -> pa.Table:
            found = self.history(line.path, start, end, lane=line.spec.lane)
            lost.append(found.missing)
            return found.arrow

        return replace(calibrated(self.plant, asset, wish, rows, champion, told), missing=together(lost))
