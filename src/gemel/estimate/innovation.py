"""What was expected of the readings and how far they were from it; how much of a reading that does not fit is used."""

from __future__ import annotations

from typing import Any, NamedTuple

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.problem import Robust


class Innovation(NamedTuple):
    """Readings against what was expected of them before they came.

    Args:
        expected: of each output [outputs].
        sd: standard deviation of reading less expected [outputs].
        off: reading less expected [outputs], NaN where there was no reading.
        weight: how much of each reading was used, 0 to 1 [outputs].
        nis: normalised innovation squared, of those used (Bar-Shalom, Y., Li, X. R., Kirubarajan, T. (2001),
            Estimation with Applications to Tracking and Navigation, eq. 5.4.2-9): chi-squared where all is right.
        likelihood: logarithm of the density of those used.
        heard: which sensors are listened to [outputs]; None: all.
        spread: covariance of readings less expected, as believed [outputs, outputs]; None: not said.
        gain: by how much the outputs follow the readings, H K [outputs, outputs]; None: not said.
    """

    expected: Array
    sd: Array
    off: Array
    weight: Array
    nis: Array
    likelihood: Array
    heard: Array | None = None
    spread: Array | None = None
    gain: Array | None = None


def weighed(off: Array, sd: Array, sensor: Array, robust: Robust | None) -> tuple[Any, Any, Any]:
    """Give innovations (0 where unused), standard deviations of the sensors as believed, and weights (0: unused).

    A reading with the weight w counts as one whose standard deviation is 1/w times the sensor's.
    """
    jnp = maths.loaded()
    there = jnp.isfinite(off)
    far = jnp.abs(jnp.where(there, off, 0.0)) / sd
    weight = jnp.where(there, 1.0, 0.0)
    if robust is not None:
        weight *= jnp.minimum(1.0, robust.knee / jnp.maximum(far, 1e-9)) * (far <= robust.gate)
    used = weight > 0
    return jnp.where(used, off, 0.0), jnp.where(used, sensor / jnp.where(used, weight, 1.0), sensor), weight
