"""Joins dynamic models to readings: what is the state, what are the parameters, who is wrong. Pure.

Problem (model + noises) -> a method (Unscented, Ensemble) -> `step`: expected against read -> Estimate
                                                              -> residuals -> who is wrong
"""

from gemel.estimate.consistency import coverage, nees_band
from gemel.estimate.ensemble import Ensemble
from gemel.estimate.lag import Lag
from gemel.estimate.problem import Instant, Noise, Problem, Robust
from gemel.estimate.track import Estimate, Method, step, track
from gemel.estimate.unscented import Unscented

__all__ = [
    "Ensemble",
    "Estimate",
    "Instant",
    "Lag",
    "Method",
    "Noise",
    "Problem",
    "Robust",
    "Unscented",
    "coverage",
    "nees_band",
    "step",
    "track",
]
