"""A filter that stops listening to a sensor whose error has left what is known of it, and listens again when it fits.

Each output has a slow error (`discrepancy`) of a known size. A sensor that drifts, sticks or shows too much drags its own
error along, for the other sensors hold the states in place. Beyond `limit` sizes it is no longer heard: what was bent
to make its error small is taken back, by covariance, and what it shows is believed by the model from the others alone,
with the wider band that follows. So is one alone whose readings are for a while too far off to be used. It is heard
again when its readings have fitted that band for a while. Of a machine that changed, or a model that is wrong there,
several leave together: then none is put aside, nor more than `most` at one time, and who is wrong is for `blame` to say. A
sensor that is noisier than it was is believed as little as it then deserves. One that is struck now and then, by readings
that lie far off while the others fit as they always did, is no noisier: the struck ones are not used.

The two thresholds make a hysteresis; the test is that of a scaled innovation (Mehra, R. K., Peschon, J. (1971), An
innovations approach to fault detection and diagnosis in dynamic systems).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.discrepancy import places
from gemel.estimate.innovation import Innovation
from gemel.estimate.problem import Instant, Problem
from gemel.estimate.unscented import Belief, Unscented, triangular

TOLD = 0.5
"""Of the variance of an error, at least, readings took away, or there is nothing to take back: one that leapt was free already."""
ALARMED = 25.0
"""What an output put aside begins with: so far, squared, is it from its band; and the most that one reading counts for."""
ALONE = 2.5
"""Times as far off as any other, at least, is an output that is put aside: a riser that clogs shows in the flow first, then in the pressure too."""
WITHIN = math.erf(math.sqrt(0.5))
"""Of normal values, within one standard deviation."""
SPIKY = 2.0
"""Times as loud as it should be, squared, a sensor is at least that may be one that is struck now and then …"""
MORE = 5.0
"""… of which a larger share of its readings fits than of one that is that much noisier, by so many of that share's standard deviations."""
LOST = ALARMED / 3.0
"""An output whose readings alone are so far, squared, from what is expected of them, taken over the memory, is put aside."""


class Trust(NamedTuple):
    """What is carried.

    Args:
        belief: of the filter.
        heard: which outputs are [outputs].
        away: how far readings are from what is expected of them, squared, of late [outputs].
        off: the last reading less expected [outputs], NaN where there was none yet.
        loud: mean square of the change of that from reading to reading, over what it should be [outputs].
        near: share of the readings of late within one standard deviation of what is expected of them [outputs].
    """

    belief: Belief
    heard: Array
    away: Array
    off: Array
    loud: Array
    near: Array


@dataclass(frozen=True)
class Trusting:
    """The method.

    Args:
        inner: the filter.
        limit: sizes of an error beyond which its sensor is put aside.
        calm: mean squared distance from its band, in standard deviations, below which it is heard again.
        memory: readings over which that mean is taken, and how loud a sensor is.
        most: outputs put aside at one time.
    """

    inner: Unscented
    limit: float = 4.5
    calm: float = 4.0
    memory: int = 60
    most: int = 2

    def start(self, problem: Problem, mean: Array, sd: Array) -> Trust:
        """Give the belief of independent normal values, all sensors heard."""
        jnp, outputs = maths.loaded(), len(problem.model.outputs)
        none = jnp.full(outputs, jnp.nan)
        return Trust(self.inner.start(problem, mean, sd), jnp.ones(outputs, bool), jnp.zeros(outputs), none, jnp.ones(outputs), jnp.full(outputs, WITHIN))

    def predict(self, problem: Problem, belief: Trust, now: Instant) -> Trust:
        """Give the belief one `dt` after the instant."""
        return belief._replace(belief=self.inner.predict(problem, belief.belief, now))

    def update(self, problem: Problem, belief: Trust, now: Instant) -> tuple[Trust, Innovation]:
        """Give the belief after the readings of the sensors that are heard; the innovation tells of all."""
        jnp = maths.loaded()
        heard_y = jnp.where(belief.heard, now.y, jnp.nan)
        sensor = jnp.asarray(problem.noise.sensor)
        struck = self._struck(belief)
        noisy = replace(problem, noise=replace(problem.noise, sensor=sensor * jnp.where(struck, 1.0, jnp.sqrt(jnp.maximum(belief.loud, 1.0)))))
        after, innovation = self._gated(struck).update(noisy, belief.belief, now._replace(y=heard_y))
        off = now.y - innovation.expected
        variance = innovation.sd**2 - noisy.noise.sensor**2 + sensor**2
        loud, near = self._loud(belief, off, variance), self._near(belief, off**2 / variance)
        distance = jnp.where(jnp.isfinite(off) & ~(struck & (innovation.weight <= 0)), (off / innovation.sd) ** 2, belief.away)
        away = belief.away + (jnp.minimum(distance, ALARMED) - belief.away) / self.memory
        gated = belief.heard & jnp.isfinite(off) & (innovation.weight <= 0)
        before = jnp.abs(belief.off) > jnp.abs(off) / 2.0  # one that was as far off before has not leapt now
        after = _leapt(problem, after, gated & ~before, off)
        lost = belief.heard & (away > LOST) & (away == jnp.max(away)) & (jnp.sum(away > LOST / 2.0) == 1)
        heard = (belief.heard | (away < self.calm)) & ~lost
        after, aside = self._aside(problem, after, heard & jnp.isfinite(now.y), jnp.sum(~heard))
        back = heard & ~belief.heard
        away = jnp.where(aside | lost, ALARMED, jnp.where(back, 0.0, away))
        heard = heard & ~aside
        last = jnp.where(jnp.isfinite(off), off, belief.off)
        return Trust(after, heard, away, last, loud, near), innovation._replace(off=off, heard=heard)

    def _loud(self, belief: Trust, off: Array, variance: Array) -> Any:
        """Give how much louder the sensors are than they were, squared: innovations that are white change by √2 of their size.

        The noise of a sensor by its innovations: Mehra, R. K. (1970), On the identification of variances and adaptive Kalman
        filtering; by their changes, so that a lasting error does not pass for noise.
        """
        jnp = maths.loaded()
        told = jnp.minimum((off - belief.off) ** 2 / (2.0 * variance), ALARMED)
        return jnp.where(jnp.isfinite(told), belief.loud + (told - belief.loud) / self.memory, belief.loud)

    def _near(self, belief: Trust, distance: Array) -> Any:
        jnp = maths.loaded()
        return jnp.where(jnp.isfinite(distance), belief.near + ((distance <= 1.0) - belief.near) / self.memory, belief.near)

    def _struck(self, belief: Trust) -> Any:
        """Tell of which sensors some readings lie far off while the others fit: more of them than of any that is noisier as a whole.

        Noise so loud leaves erf(1 / √(2 loud)) of the readings within one standard deviation of what is expected; a mixture of good
        readings and gross errors (Tukey, J. W. (1960), A survey of sampling from contaminated distributions) leaves more.
        """
        import jax

        jnp = maths.loaded()
        noisier = jax.scipy.special.erf(jnp.sqrt(0.5 / jnp.maximum(belief.loud, SPIKY)))
        more = MORE * jnp.sqrt(noisier * (1.0 - noisier) / (2.0 * self.memory))  # of a mean that forgets
        return (belief.loud > SPIKY) & (belief.near > noisier + more)

    def _gated(self, struck: Array) -> Unscented:
        """Give the filter that does not use what lies beyond the knee, of sensors that are struck."""
        robust = self.inner.robust
        if robust is None:
            return self.inner
        return replace(self.inner, robust=replace(robust, gate=maths.loaded().where(struck, robust.knee, robust.gate)))

    def moments(self, problem: Problem, belief: Trust) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        return self.inner.moments(problem, belief.belief)

    def outputs(self, problem: Problem, belief: Trust, now: Instant) -> tuple[Array, Array]:
        """Give mean and standard deviation of each true output."""
        return self.inner.outputs(problem, belief.belief, now)

    def _aside(self, problem: Problem, belief: Belief, heard: Array, already: Array) -> tuple[Belief, Any]:
        """Put the worst output aside, if it is beyond the limit; give the belief without its error, and which it is."""
        jnp = maths.loaded()
        of_state, of_output, size = _errors(problem)
        if not len(size):
            return belief, jnp.zeros(len(heard), bool)
        far = jnp.where(heard[of_output], jnp.abs(belief.mean[of_state]) / size, 0.0)
        worst = jnp.argmax(far)
        # two that leave together are no two sensors: it is the model that they both stand on
        beside = jnp.max(jnp.where(jnp.arange(len(far)) == worst, 0.0, far))
        beyond = (far[worst] > self.limit) & (beside < far[worst] / ALONE) & (already < self.most)
        gone = beyond & (jnp.arange(problem.size) == of_state[worst])
        spread = jnp.where(gone, size[worst], 0.0)
        free = freed(belief, of_state[worst], size[worst])
        drifted = far[worst] < 2.0 * self.limit  # one that leapt was of no use meanwhile: it bent nothing
        free = Belief(jnp.where(drifted, free.mean, belief.mean), jnp.where(drifted, free.root, belief.root))
        # an error that lasted was held to be small again and again: as much again may have been bent as is taken back
        bent = jnp.where(gone, 0.0, free.mean - belief.mean)
        kept = jnp.where(gone[:, None], 0.0, free.root)
        root = triangular(jnp.hstack((kept, bent[:, None], spread[:, None])))
        aside = beyond & (jnp.arange(len(heard)) == of_output[worst])
        mean = jnp.where(beyond, jnp.where(gone, 0.0, free.mean), belief.mean)
        return Belief(mean, jnp.where(beyond, root, belief.root)), aside


def _leapt(problem: Problem, belief: Belief, gated: Array, off: Array) -> Belief:
    """Give the belief in which errors may have leapt to where readings are that were too far off to be used.

    One reading alone that is too far off is its sensor's; several at once are the model's, which is wrong there: then they
    are heard, as errors of that size.
    """
    jnp = maths.loaded()
    of_state, of_output, size = _errors(problem)
    if not len(size):
        return belief
    leap = jnp.where(gated & (jnp.sum(gated) > 1), jnp.abs(jnp.nan_to_num(off)), 0.0)[of_output]
    columns = jnp.zeros((problem.size, len(leap))).at[of_state, jnp.arange(len(leap))].set(leap)
    wider = triangular(jnp.hstack((belief.root, columns)))
    return belief._replace(root=jnp.where(jnp.any(leap > 0), wider, belief.root))


def freed(belief: Belief, at: Array, size: Array) -> Belief:
    """Give what would be believed had one error never been held to be small: its prior, normal about zero, is taken back.

    That is a reading "the error is 0, give or take its size" less: the information filter's update with its sign turned
    (Anderson, B. D. O., Moore, J. B. (1979), Optimal Filtering, sec. 6.3). Whatever was bent to make the error small goes
    back, and is doubted, by its covariance with the error: the correction of Friedland, B. (1969), Treatment of bias in
    recursive filtering.
    """
    jnp = maths.loaded()
    shared = belief.root @ belief.root[at]
    told = size**2 - shared[at]  # how much of its prior variance the readings took away
    back = jnp.where(told > TOLD * size**2, 1.0 / told, 0.0)
    root = jnp.hstack((belief.root, (shared * jnp.sqrt(back))[:, None]))
    return Belief(belief.mean + shared * belief.mean[at] * back, triangular(root))


def _errors(problem: Problem) -> tuple[Any, Any, Any]:
    """Give the places of the errors among states and outputs, and their sizes."""
    jnp, (of_state, of_output) = maths.loaded(), places(problem)
    return jnp.asarray(of_state), jnp.asarray(of_output), jnp.asarray(problem.noise.state_start)[of_state]
