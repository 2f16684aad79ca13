"""Which residual can tell of which fault, read off the equations: the structural residual matrix.

Equations are the balances (one for each state) and the sensors (one for each output); what they hold in common are the
states. A set of them with one more equation than it has states to find, and no smaller such set in it, gives one residual:
it must be zero if all of them hold, and it knows nothing of the others. These are the minimal structurally overdetermined
sets of Krysander, M., Åslund, J., Nyberg, M. (2008), An efficient algorithm for finding minimal overconstrained
subsystems; the matrix is the fault signature matrix of Staroswiecki, M., Comtet-Varga, G. (2001). Which quantity stands
in which equation is found by differentiation at several random points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, maths
from gemel.estimate.overdetermined import minimal_sets
from gemel.estimate.suspects import Usual, places

Flags = npt.NDArray[np.bool_]
POINTS: Final = 5
MOST: Final = 64
"""So many residuals are formed at most, those of the fewest equations first."""


@dataclass(frozen=True, eq=False)
class Structure:
    """Residuals and what they are sensitive to.

    Args:
        equations: `balance/<state>` and `sensor/<output>`.
        residuals: which equations each is made of [residuals, equations].
        places: what can be struck, as in `suspects`.
        signatures: which of them each residual is sensitive to [residuals, places].
    """

    equations: tuple[str, ...]
    residuals: Flags
    places: tuple[str, ...]
    signatures: Flags

    def isolable(self, one: str, other: str) -> bool:
        """Tell whether some residual tells of `one` and not of `other`: then `other` alone cannot pass for it."""
        a, b = self.places.index(one), self.places.index(other)
        return bool(np.any(self.signatures[:, a] & ~self.signatures[:, b]))


def structure(
    model: Compiled, usual: Usual, p: npt.NDArray[np.float64], process: tuple[str, ...] = ()
) -> Structure:
    """Find the residuals of a model and their signatures, around where it usually works."""
    by_x, by_p = _incidence(model, usual, p)
    states, outputs = len(model.states), len(model.outputs)
    by_x[:states] |= np.eye(states, dtype=bool)  # a balance holds the state whose rate it gives
    sets = minimal_sets(by_x, MOST)
    residuals = np.zeros((len(sets), states + outputs), bool)
    for i, chosen in enumerate(sets):
        residuals[i, list(chosen)] = True
    own = np.eye(states + outputs, dtype=bool)
    changed = by_p[:, [model.place("parameters", name) for name in process]]
    sensitive = np.hstack((own[:, states:], own[:, :states], changed))  # biases, sources, parameters
    equations = (*(f"balance/{n}" for n in model.states), *(f"sensor/{n}" for n in model.outputs))
    return Structure(equations, residuals, places(model, process), residuals @ sensitive)


def _incidence(model: Compiled, usual: Usual, p: npt.NDArray[np.float64]) -> tuple[Flags, Flags]:
    """Tell which state and which parameter stands in which equation [states + outputs, ...]."""
    jnp, rng = maths.loaded(), np.random.default_rng(1)
    states, outputs = len(model.states), len(model.outputs)
    found = np.zeros((states + outputs, states), bool), np.zeros((states + outputs, len(p)), bool)
    for _ in range(POINTS):
        x = usual.states + usual.states_spread * rng.standard_normal(states)
        u = usual.inputs + usual.inputs_spread * rng.standard_normal(len(usual.inputs))
        for flags, part in zip(found, _slopes(model)(jnp.asarray(x), u, p), strict=True):
            np.logical_or(flags, np.abs(np.asarray(part)) > 0, out=flags)
    return found


@lru_cache(32)
def _slopes(model: Compiled) -> Callable[..., Any]:
    """Give what gives the derivatives of balances and sensors by states and by parameters, compiled once."""
    import jax

    jnp = maths.loaded()
    return jax.jit(
        jax.jacfwd(
            lambda x, u, p: jnp.concatenate((model.rate(0.0, x, u, p), model.observe(0.0, x, u, p))), (0, 2)
        )
    )
