"""What a fault of each place would do to the residuals of one filter: its signature, once for each moment and each bend.

The filter is run with its model struck a little and without; what it then reads too little, in units of the strike, is the signature
(Willsky, A. S., Jones, H. L. (1976), where it is worked out for linear filters).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, maths
from gemel.estimate.bank import Excerpt
from gemel.estimate.problem import Instant, Noise, Problem
from gemel.estimate.suspects import suspected
from gemel.estimate.unscented import Belief, Unscented

Vector = npt.NDArray[np.float64]
SMALL: Final = 0.05  # of a strike: as far as residuals follow it evenly
TOGETHER: Final = 64  # filters side by side


class Strike(NamedTuple):
    """A place that is struck since an instant: evenly (`way` is `fault`), or as a bend goes with a state or an input."""

    place: str
    way: str
    since: int


def signatures(
    problem: Problem, process: tuple[str, ...], record: Excerpt, strikes: Mapping[str, float], those: Sequence[Strike]
) -> tuple[Vector, Vector]:
    """Give the residuals of a record where nothing is suspected, and what each strike does to them.

    Args:
        problem: with noises fitted to a time when all was right.
        process: parameters that change where the process does.
        record: with the parameters of the suspected model (`suspects.placed`).
        strikes: the magnitude of a strike, by place.
        those: what is struck.

    Returns:
        residuals in standard deviations [instants, outputs] and signatures [strikes, instants, outputs]; NaN where nothing was read.
    """
    model = suspected(problem.model, process)
    rows = [(model.place("parameters", f"strike/{one.place}"), SMALL * strikes[one.place],
             model.place("parameters", one.way), one.since) for one in those]  # fmt: skip
    rows = [(rows[0][0], 0.0, rows[0][2], 0), *rows]
    noise = problem.noise
    sizes = (noise.state, noise.parameter, noise.sensor, noise.state_start, noise.parameter_start)
    run = _compiled(model, problem.estimated, problem.dt, problem.substeps)
    found = []
    for at in range(0, len(rows), TOGETHER):
        some = rows[at : at + TOGETHER]
        filled = some + some[-1:] * (TOGETHER - len(some))
        strike = tuple(np.array(part) for part in zip(*filled, strict=True))
        found.append(np.asarray(run(strike, sizes, record.u, record.y, record.p, record.mean))[: len(some)])
    off = np.concatenate(found)
    return off[0], (off[0] - off[1:]) / SMALL


@lru_cache(32)
def _compiled(model: Compiled, estimated: tuple[str, ...], dt: float, substeps: int) -> Callable[..., Any]:
    import jax

    jnp, method = maths.loaded(), Unscented()

    def one(strike: Any, sizes: Any, u: Any, y: Any, p: Any, mean: Any) -> Any:
        place, size, way, since = strike
        problem = Problem(model, estimated, Noise(*sizes), dt, substeps)
        struck = jnp.asarray(p).at[place].set(size)

        def step(belief: Belief, now: Any) -> Any:
            at, held, read = now
            instant = Instant(at, held, read, struck.at[way].set(jnp.where(at >= since, 1.0, 0.0)))
            after, innovation = method.update(problem, belief, instant)
            return method.predict(problem, after, instant), innovation.off / innovation.sd

        begin = Belief(mean, jnp.diag(jnp.concatenate((sizes[3], sizes[4]))))
        return jax.lax.scan(step, begin, (jnp.arange(len(u)), u, y))[1]

    return jax.jit(jax.vmap(one, (0, None, None, None, None, None)))
