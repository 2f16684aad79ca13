"""How wide the bands of outputs are, by the filter's own readings: noises are declared once, what they come to is seen.

A filter whose noises are too large for how things are is off by less than it says, and one whose are too small by
more. Its innovations ν tell by how much, whatever gain it runs with (Mehra, R. K. (1970), On the identification of
variances and adaptive Kalman filtering, eq. 21-25): with C₀ = E ν νᵀ, C₁ = E νₖ νₖ₋₁ᵀ and the outputs' gain G = H K ::

    V⁻ = C₁ + G C₀          covariance of the outputs expected, before a reading
    V⁺ = (I - G) V⁻ (I - G)ᵀ + G (C₀ - V⁻) Gᵀ       … and after it

(errors that last longer than from reading to reading). Means, gains, and what tells a sensor from a machine are left as they
are: a machine that stood still for a month must be followed as quickly when it moves. Of what no sensor shows nothing is
seen here: its model is known to be off as declared (`discrepancy.lasting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.innovation import Innovation
from gemel.estimate.problem import Instant, Problem
from gemel.estimate.track import Method

LEAST = 0.05
"""Of the variance that the filter says, at least, is told: so little is never known of an error from readings alone."""
LATELY = 30.0
"""Readings over which innovations have a mean of their own: where it is not nought, the expected is off by just that."""
WILD = 4.0
"""Innovations, in standard deviations, that count for no more than this."""


class Seen(NamedTuple):
    """What is carried.

    Args:
        belief: of the filter within.
        last: the last innovation of each output that was used, this and all that follow in what the filter says of it (1 sd)
            [outputs], NaN where there was none.
        waited: instants since [outputs].
        count: innovations seen [outputs].
        lately: mean of the last innovations [outputs].
        square: mean of ν νᵀ about it, less what the filter said of it [outputs, outputs].
        follows: mean of ν times the one before, about it [outputs, outputs].
        more: by how much the variance of each output is more than the filter says [outputs].
    """

    belief: Any
    last: Array
    waited: Array
    count: Array
    lately: Array
    square: Array
    follows: Array
    more: Array


@dataclass(frozen=True)
class Banded:
    """The method.

    Args:
        inner: the filter; it says what it took its readings' covariance for, and its gain.
        memory: instants over which is looked.
        trusted: readings that what is declared counts for, and that one reading never counts for more than one of, however long none was there.
    """

    inner: Method
    memory: int = 50_000
    trusted: int = 300

    def start(self, problem: Problem, mean: Array, sd: Array) -> Seen:
        """Give the belief of independent normal values, of which the noises are as declared."""
        jnp, m = maths.loaded(), len(problem.model.outputs)
        nothing = jnp.zeros((m, m))
        return Seen(self.inner.start(problem, mean, sd), jnp.full(m, jnp.nan), jnp.zeros(m), jnp.zeros(m), jnp.zeros(m), nothing, nothing, jnp.zeros(m))

    def predict(self, problem: Problem, belief: Seen, now: Instant) -> Seen:
        """Give the belief one `dt` after the instant."""
        return belief._replace(belief=self.inner.predict(problem, belief.belief, now))

    def update(self, problem: Problem, belief: Seen, now: Instant) -> tuple[Seen, Innovation]:
        """Give the belief after the readings of the instant."""
        jnp = maths.loaded()
        after, told = self.inner.update(problem, belief.belief, now)
        gain: Any = told.gain  # the filter within says it, and `spread`
        spread: Any = told.spread
        used = jnp.isfinite(told.off) & (told.weight > 0)
        off = jnp.where(used, jnp.clip(told.off / told.sd, -WILD, WILD), 0.0)
        sizes, waited = jnp.outer(told.sd, told.sd), belief.waited + 1.0
        rate = jnp.where(used, jnp.clip(waited / self.memory, 1.0 / (self.trusted + belief.count), 1.0 / self.trusted), 0.0)
        rate = jnp.minimum(rate[:, None], rate[None])
        about, before = jnp.where(used, off - belief.lately, 0.0), jnp.nan_to_num(belief.last)
        square = belief.square + rate * (jnp.outer(about, about) - spread / sizes - belief.square)
        both = jnp.outer(used, jnp.isfinite(belief.last))
        follows = belief.follows + both * rate * (jnp.outer(about, before) - belief.follows)
        lately = belief.lately + jnp.where(used, about / LATELY, 0.0)
        more = jnp.where(used, _more((spread, gain), square * sizes, follows * sizes) + ((jnp.eye(len(off)) - gain) @ (lately * told.sd)) ** 2, belief.more)
        last = jnp.where(used, about, jnp.where(jnp.isfinite(now.y), jnp.nan, belief.last))
        seen = Seen(after, last, jnp.where(used, 0.0, waited), belief.count + used, lately, square, follows, more)
        return seen, told

    def moments(self, problem: Problem, belief: Seen) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        return self.inner.moments(problem, belief.belief)

    def outputs(self, problem: Problem, belief: Seen, now: Instant) -> tuple[Array, Array]:
        """Give mean and standard deviation of each true output, of those that are read as wide as their readings say."""
        jnp = maths.loaded()
        mean, sd = self.inner.outputs(problem, belief.belief, now)
        read = jnp.isfinite(belief.last)
        return mean, jnp.sqrt(jnp.maximum(sd**2 + jnp.where(read, belief.more, 0.0), LEAST * sd**2))


def _more(said: tuple[Any, Any], square: Array, follows: Array) -> Any:
    """Give by how much the variance of each output after its reading is more than the filter says (eq. of the module)."""
    jnp, (spread, gain) = maths.loaded(), said
    rest = jnp.eye(len(square)) - gain
    before = follows + gain @ square
    before = (before + before.T) / 2.0
    more = jnp.diagonal(rest @ before @ rest.T + gain @ (square - before) @ gain.T)
    return jnp.maximum(more, (LEAST - 1.0) * jnp.diagonal(rest @ gain @ spread))
