"""What holds for every component: units known, smooth at its start and in extremes, the same alone and in a batch."""

import numpy as np
import pytest

import gemel.dynamics.components as library
from gemel.dynamics import compile_model, find_model, maths
from gemel.dynamics.ports import check_ports
from gemel.samples import units

NAMES = sorted(library.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_found_by_the_name_a_plant_file_writes(name):
    model = find_model(f"gemel.dynamics.components:{name}")
    assert model.outputs
    check_ports(model, name)
    for kind in (model.states, model.inputs, model.outputs, model.parameters):
        for quantity in kind.values():
            scale, offset = units.conversion(quantity.unit, _si(quantity.unit))
            assert (scale, offset) == (1.0, 0.0), "not a coherent SI unit"
            assert quantity.low <= quantity.start <= quantity.high


def _si(unit):
    parsed = units.parse(unit)
    return f"{(1 * parsed).to_base_units().units:~C}" or "1"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_finite_and_smooth_at_its_start_and_at_its_limits(name):
    import jax

    maths.loaded()
    model = compile_model(getattr(library, name)())

    def both(z):
        x, u, p = z[: len(model.x0)], z[len(model.x0) : len(model.x0) + len(model.u0)], z[-len(model.p0) :]
        return jax.numpy.concatenate([model.rate(0.0, x, u, p), model.observe(0.0, x, u, p)])

    points = [np.concatenate([model.x0, model.u0, model.p0])]
    for side in (0, 1):  # inputs and states at the ends of their ranges, where they have any
        x, u = (np.where(np.isfinite(model.bounds(k)[side]), model.bounds(k)[side], s) for k, s in (("states", model.x0), ("inputs", model.u0)))
        points.append(np.concatenate([x, u, model.p0]))
    values, slopes = jax.jit(jax.vmap(lambda z: (both(z), jax.jacfwd(both)(z))))(np.array(points))
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(slopes))
    for z, together in zip(points, values, strict=True):
        assert np.allclose(both(z), together, rtol=1e-9, atol=1e-12)
