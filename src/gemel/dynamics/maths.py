"""The functions a dynamic model computes with: `jax.numpy`, loaded when the first one is used, in float64.

Beside them a few that stay differentiable where the textbook's formula is not, because a solver that meets an
infinite slope stops.
"""

from functools import lru_cache
from typing import Any

SMOOTH = 1e-9


@lru_cache(1)
def loaded() -> Any:
    """Give `jax.numpy`; float64 is switched on before anything is computed."""
    import jax

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    import jax.numpy as jnp

    return jnp


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(loaded(), name)


def root(x: Any, width: float = SMOOTH) -> Any:
    """Give the square root of what is positive, with a finite slope at zero; below zero it is zero.

    Args:
        x: any real.
        width: in the unit of x; below it the root bends over to a straight foot.
    """
    jnp = loaded()
    positive = jnp.maximum(x, 0.0)
    return positive / jnp.sqrt(positive + width)


def signed_root(x: Any, width: float = SMOOTH) -> Any:
    """Give sign(x)·√|x| with a finite slope at zero: the flow through an opening for a pressure difference x."""
    jnp = loaded()
    return x / (x * x + width * width) ** 0.25 if width else jnp.sign(x) * jnp.sqrt(jnp.abs(x))


def positive(x: Any, width: float) -> Any:
    """Give x where it is well above zero and zero well below, with one smooth bend between.

    Args:
        x: any real.
        width: in the unit of x; at x = 0 the value is half of it, and at distance d from zero it is wrong by
            about width²/4d.
    """
    return (x + loaded().sqrt(x * x + width * width)) / 2


def at_most(x: Any, top: Any, width: float) -> Any:
    """Give x where it is well below `top`, else `top`, with one smooth bend between; `width` as for `positive`."""
    return top - positive(top - x, width)
