"""What is looked at before a model is computed with: whether it can be, and whether it means what it declares.

`check_declared` needs no JAX; `check_model` evaluates the model at its starts and at random points of its ranges.
A model that never returns is no case for it: run it in a process of its own (`gemel check` does).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled, compile_model
from gemel.dynamics.declare import DynamicModel, Quantity
from gemel.dynamics.dependence import Parts
from gemel.dynamics.dimension import Walk, compared, dimension, per_second
from gemel.dynamics.jumps import jumps
from gemel.dynamics.ports import check_ports
from gemel.errors import AssetError, ModelError
from gemel.samples.units import parse

KINDS: Final = ("states", "inputs", "outputs", "parameters")
POINTS: Final = 64
_NAME: Final = re.compile(r"^[^\W\d][\w./-]*$")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a model.

    Args:
        severity: an error refuses it; a warning is told.
        code: stable, see docs/errors.md.
        message: in words.
        remedy: what to do.
    """

    severity: Literal["error", "warning"]
    code: str
    message: str
    remedy: str


def checked(model: DynamicModel) -> Compiled:
    """Compile a model after all checks; raises ModelError with the first error found."""
    for finding in check_model(model):
        if finding.severity == "error":
            raise ModelError(finding.message, code=finding.code, remedy=finding.remedy)
    return compile_model(model)


def check_model(model: DynamicModel) -> list[Finding]:
    """Check a model in everything; findings of the first kind that is wrong end it, for the rest would follow."""
    for look in (check_declared, _traced, _dimensions, _finite):
        found = list(look(model))
        if any(f.severity == "error" for f in found):
            return found
    return [*found, *_discontinuous(model)]


def check_declared(model: DynamicModel) -> Iterator[Finding]:
    """Check names, units and ranges; without JAX."""
    for kind in KINDS:
        for name, q in getattr(model, kind).items():
            yield from (_error(code="model-quantity", message=f"{kind[:-1]} {name!r}: {m}", remedy=r) for m, r in _quantity(name, q))
    both = sorted({*model.states} & {*model.inputs})
    if both:
        yield _error(code="model-quantity", message=f"a state and an input have the name {', '.join(both)}", remedy="rename one")
    known = {*model.states, *model.outputs}
    for name in (n for n in meant(model) if n not in known):
        yield _error(code="model-quantity", message=f"jumps: {name!r} is no state or output", remedy=f"give a tuple of some of {', '.join(sorted(known))}")
    stiff = getattr(model, "stiff", False)
    if not isinstance(stiff, bool):
        yield _error(code="model-quantity", message=f"stiff: {stiff!r} is no answer", remedy="say stiff = True, or leave it out")
    try:
        check_ports(model)
    except ModelError as e:
        yield _error(code=e.code, message=e.message, remedy=e.remedy)


def _quantity(name: str, q: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(q, Quantity):
        yield f"is {type(q).__name__}", "declare a Quantity"
        return
    if not isinstance(name, str) or not _NAME.match(name):
        yield "this cannot be a name", "use letters, digits and _"
    try:
        unit = parse(q.unit)
    except AssetError as e:
        yield e.message, e.remedy
        return
    base = (1 * unit).to_base_units() if not str(unit).startswith("degree") else None
    if base is None or (not math.isclose(float(base.magnitude), 1.0, rel_tol=1e-9) and str(unit) != "radian"):
        yield f"{q.unit} is no coherent SI unit", "compute in m, kg, s, K, A, mol and what is made of them with factor 1"
    if not q.low <= q.start <= q.high:
        yield f"starts at {q.start:g}, outside of {q.low:g} to {q.high:g}", "start inside of the range"
    if not math.isfinite(q.start) or not math.isfinite(q.nominal):
        yield "its start or nominal value is no number", "give finite ones"


def _traced(model: DynamicModel) -> Iterator[Finding]:
    """Shapes: every rate and output is one real number for numbers given."""
    maths.loaded()
    import jax

    for what, function, names in _functions(model):
        try:
            shapes = jax.eval_shape(lambda f=function: dict(f(*_starts(model))))
        except ModelError as e:
            yield _error(code=e.code, message=e.message, remedy=e.remedy)
            continue
        except Exception as e:  # whatever a model's author wrote
            text = (str(e).splitlines() or [""])[0]
            yield _error(code="model-trace", message=f"its {what} cannot be traced: {type(e).__name__}: {text}", remedy="write it with gemel.dynamics.maths, without if on values")  # fmt: skip
            continue
        if set(shapes) != set(names):
            missing, foreign = sorted(set(names) - set(shapes)), sorted(set(shapes) - set(names))
            yield _error(code="model-names", message=f"its {what} gives other names than declared", remedy=f"missing: {missing or 'none'}, not declared: {foreign or 'none'}")  # fmt: skip
        for name, shape in shapes.items():
            if shape.shape or shape.dtype.kind not in "fiub":
                yield _error(code="model-shape", message=f"its {what} gives {name!r} in shape {shape.shape} of {shape.dtype}", remedy="give one real number each")  # fmt: skip


def _functions(model: DynamicModel) -> list[tuple[str, Callable[..., Mapping[str, Any]], Mapping[str, Quantity]]]:
    return [("derivative", model.derivative, model.states), ("output", model.output, model.outputs)]


def _starts(model: DynamicModel) -> Any:
    jnp = maths.loaded()
    kinds = (model.states, model.inputs, model.parameters)
    return (jnp.asarray(0.0), *(Parts({n: jnp.asarray(float(q.start)) for n, q in kind.items()}) for kind in kinds))


def _dimensions(model: DynamicModel) -> Iterator[Finding]:
    import jax

    kinds = (model.states, model.inputs, model.parameters)
    names = [sorted(kind) for kind in kinds]
    given = [dimension("s"), *(dimension(kind[n].unit) for kind, ns in zip(kinds, names, strict=True) for n in ns)]
    for what, function, declared in _functions(model):
        trace = jax.make_jaxpr(
            lambda t, x, u, p, f=function: {k: maths.loaded().asarray(v) for k, v in f(t, Parts(x), Parts(u), Parts(p)).items()}
        )  # fmt: skip
        jaxpr = trace(0.0, *({n: float(kind[n].start) for n in ns} for kind, ns in zip(kinds, names, strict=True)))
        walk = Walk()
        found = dict(zip(sorted(declared), walk.through(jaxpr.jaxpr, given), strict=True))
        wanted = {n: dimension(q.unit) for n, q in declared.items()}
        if what == "derivative":
            wanted = {n: per_second(d) for n, d in wanted.items()}
        label = "the rate of {!r}" if what == "derivative" else "output {!r}"
        for words in dict.fromkeys(walk.wrong + compared(label.format, found, wanted)):
            yield _error(code="model-dimension", message=words, remedy="correct the equation or the unit; declare what a number in it stands for as a parameter")  # fmt: skip


def _finite(model: DynamicModel) -> Iterator[Finding]:
    """Numbers at the starts and at random points; slopes there, by which filters and fits go."""
    compiled = compile_model(model)
    points, values, slopes = looked_at(model)
    names = [*(f"the rate of {s!r}" for s in compiled.states), *(f"output {o!r}" for o in compiled.outputs)]
    yield from _told(compiled, points, np.isfinite(values), names, ("is no number", "error"), code="model-not-finite")
    yield from _told(compiled, points, np.isfinite(slopes).all(-1), names, ("has no slope", "warning"), code="model-slope")


def looked_at(model: DynamicModel) -> tuple[Any, Any, Any]:
    """Give points (the first the starts), all rates and outputs there, and their slopes by states, inputs and parameters; the last model's are kept."""
    return _looked_at(_This(model))


@dataclass(frozen=True, eq=False)
class _This:
    """A model, the same only as itself: not every author's can be hashed."""

    model: DynamicModel

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and self.model is other.model

    def __hash__(self) -> int:
        return id(self.model)


@lru_cache(1)
def _looked_at(this: _This) -> tuple[Any, Any, Any]:
    import jax

    compiled = compile_model(this.model)
    n = (len(compiled.states), len(compiled.inputs))

    def all_of(z: Any) -> Any:
        x, u, p = z[: n[0]], z[n[0] : sum(n)], z[sum(n) :]
        return maths.loaded().concatenate([compiled.rate(0.0, x, u, p), compiled.observe(0.0, x, u, p)])

    points = sampled(compiled, POINTS)
    return points, np.asarray(jax.jit(jax.vmap(all_of))(points)), np.asarray(jax.jit(jax.vmap(jax.jacfwd(all_of)))(points))


def _told(compiled: Compiled, points: Any, good: Any, names: list[str], how: tuple[str, Any], *, code: str) -> Iterator[Finding]:
    words, elsewhere = how
    for i, name in enumerate(names):
        bad = np.nonzero(~good[:, i])[0]
        if len(bad):
            at_start = bad[0] == 0
            where = "at the declared starts" if at_start else f"at {_point(compiled, points[bad[0]])}"
            yield Finding("error" if at_start else elsewhere, code=code, message=f"{name} {words} {where}", remedy="limit the range, or use maths.root, maths.signed_root, maths.positive")  # fmt: skip


def _discontinuous(model: DynamicModel) -> Iterator[Finding]:
    compiled = compile_model(model)
    for kind, name, size, point in jumps(compiled, sampled(compiled, 2 * POINTS)):
        if name in meant(model):
            continue
        what = f"the rate of {name!r}" if kind == "rate" else f"output {name!r}"
        later = f"{point[-1]:.6g} s, " if point[-1] else ""
        yield _error(code="model-jump", message=f"{what} jumps by {size:.3g} near {later}{_point(compiled, point)}", remedy=f'solvers, filters and fits go wrong there: make it steep, or, where the machine itself jumps, declare jumps = ("{name}",)')  # fmt: skip


def meant(model: DynamicModel) -> tuple[str, ...]:
    """Give the states, whose rates, and the outputs that a model declares to jump, by its attribute ``jumps``."""
    declared = getattr(model, "jumps", ())
    return tuple(declared) if isinstance(declared, Iterable) else (declared,)


def sampled(compiled: Compiled, n: int) -> Any:
    """Give points (states, inputs, parameters in a row) of the ranges [n, all], the first being the starts.

    Where a range is open, it is taken to go as far as a usual magnitude from the start.
    """
    rng = np.random.default_rng(0)
    starts, lows, highs = [], [], []
    for kind, start in (("states", compiled.x0), ("inputs", compiled.u0), ("parameters", compiled.p0)):
        low, high = compiled.bounds(kind)
        scale = compiled.scales(kind)
        if kind == "parameters":  # a fit moves them a little; any two at their ends need not be a machine
            low, high = np.maximum(low, start - 0.2 * scale), np.minimum(high, start + 0.2 * scale)
        starts.append(start)
        lows.append(np.where(np.isfinite(low), low, np.minimum(start, high) - scale))
        highs.append(np.where(np.isfinite(high), high, np.maximum(start, low) + scale))
    start, low, high = (np.concatenate(a) for a in (starts, lows, highs))
    return np.concatenate([start[None], low + rng.random((n - 1, len(start))) * (high - low)])


def _point(compiled: Compiled, point: Any) -> str:
    names = [*compiled.states, *compiled.inputs]
    said = [f"{n}={v:.4g}" for n, v in zip(names, point, strict=False)]
    return ", ".join(said[:6]) + (" …" if len(said) > 6 else "")


def _error(*, code: str, message: str, remedy: str) -> Finding:
    return Finding("error", code, message, remedy)
