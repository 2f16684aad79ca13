"""Whether what a fit leaves over is noise: white, normal, and unrelated to the inputs.

Where it is not, the model is missing something, and intervals that assume white noise are too narrow.
Ljung, G. M. and Box, G. E. P. (1978), On a measure of lack of fit in time series models, Biometrika 65(2);
Jarque, C. M. and Bera, A. K. (1987), A test for normality of observations and regression residuals, Int. Stat.
Review 55(2); cross-correlation with the inputs as in Ljung, L. (1999), System Identification, section 16.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.samples.batch import F64

LAGS: Final = 20
LEVEL: Final = 0.01  # of each test
NORMAL_99: Final = 2.576  # two-sided 99 % quantile of the normal distribution


@dataclass(frozen=True)
class Diagnosis:
    """What the residuals of one output look like.

    Args:
        output: name.
        rms, bias: in the output's unit (SI).
        first_correlation: of neighbours; 0 for white noise.
        whiteness_p: of Ljung and Box; small: not white.
        normality_p: of Jarque and Bera; small: not normal.
        worst_input, input_correlation: the input they still go with most, and by how much.
        input_bound: above it the correlation is significant at 1 %.
    """

    output: str
    rms: float
    bias: float
    first_correlation: float
    whiteness_p: float
    normality_p: float
    worst_input: str
    input_correlation: float
    input_bound: float

    @property
    def white(self) -> bool:
        """Whether nothing speaks against whiteness at 1 %."""
        return self.whiteness_p >= LEVEL

    def sentences(self) -> list[str]:
        """Say it in words."""
        white = (
            "white"
            if self.white
            else f"not white (neighbours correlate by {self.first_correlation:.2f}): something is not modelled"
        )
        normal = "normal" if self.normality_p >= LEVEL else "not normal"
        said = [f"residuals of {self.output} are {white}", f"they are {normal}"]
        if abs(self.input_correlation) > self.input_bound:
            said.append(
                f"they go with {self.worst_input} ({self.input_correlation:+.2f}): its effect is not fully modelled"
            )
        return said


def diagnose(output: str, residuals: F64, inputs: F64, names: Sequence[str]) -> Diagnosis:
    """Look at the residuals [steps] of an output, NaN where there is no reading; `inputs` is [steps, inputs]."""
    known = np.isfinite(residuals)
    r = residuals[known]
    n, rms, bias = (
        len(r),
        float(np.sqrt(np.mean(r**2))) if len(r) else np.nan,
        float(r.mean()) if len(r) else np.nan,
    )
    filled = np.where(known, residuals - bias, 0.0)
    own = _correlations(filled, filled)
    worst, size = _worst_input(filled, inputs, names)
    bound = NORMAL_99 * _bartlett(own, n)
    return Diagnosis(
        output,
        rms,
        bias,
        float(own[1]) if len(own) > 1 else 0.0,
        _ljung_box(own, n),
        _jarque_bera(r),
        worst,
        size,
        bound,
    )


def _correlations(a: F64, b: F64) -> F64:
    n, scale = len(a), float(np.sqrt((a @ a) * (b @ b)))
    lags = min(LAGS, n - 1)
    if scale <= 0:
        return np.zeros(lags + 1)
    return np.array([a[lag:] @ b[: n - lag] for lag in range(lags + 1)]) / scale


def _ljung_box(own: F64, n: int) -> float:
    from scipy.stats import chi2

    lags = np.arange(1, len(own))
    if not len(lags):
        return 1.0
    return float(chi2.sf(n * (n + 2) * np.sum(own[1:] ** 2 / (n - lags)), len(lags)))


def _jarque_bera(r: F64) -> float:
    from scipy.stats import chi2

    sd = float(r.std()) if len(r) else 0.0
    if sd <= 0:
        return 1.0
    z = (r - r.mean()) / sd
    return float(chi2.sf(len(r) / 6 * ((z**3).mean() ** 2 + ((z**4).mean() - 3) ** 2 / 4), 2))


def _worst_input(r: F64, inputs: F64, names: Sequence[str]) -> tuple[str, float]:
    worst, size = "", 0.0
    for name, column in zip(names, np.asarray(inputs).T, strict=True):
        found = _correlations(r, column - column.mean())  # residuals after the input
        at = float(found[np.argmax(np.abs(found))])
        if abs(at) > abs(size):
            worst, size = name, at
    return worst, size


def _bartlett(own: F64, n: int) -> float:
    """Give the standard deviation of a correlation with something unrelated, correlated residuals considered."""
    return float(np.sqrt((1 + 2 * np.sum(np.maximum(own[1:], 0.0))) / max(n, 1)))
