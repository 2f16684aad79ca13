"""What serve asks of calibrations; times are [ns]."""

from collections.abc import Mapping
from typing import Any, Protocol

from gemel.serve.port_jobs import Job


class Calibrated(Protocol):
    """The part of a twin that calibrates."""

    async def calibration_ask(
        self, asset: str, wish: Mapping[str, Any], span: tuple[int, int], title: str, by: str
    ) -> Job:
        """Ask for a calibration on the history of a span; raises NotFoundError, ModelError, RefusedError."""
