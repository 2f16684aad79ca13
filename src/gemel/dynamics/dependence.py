"""Which inputs each output of a model depends on, and which states matter to some outputs, read from its trace."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import DynamicModel
from gemel.errors import ModelError


class Parts:
    """Named values that need not be one array: what a component sees of a system."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"{name!r} is not declared: {', '.join(self._values) or 'nothing is'}") from None

    __getitem__ = __getattr__

    def __iter__(self) -> Any:
        return iter(self._values)


def dependence(model: DynamicModel, name: str) -> dict[str, frozenset[str]]:
    """Give the inputs that each output depends on directly; states, parameters and time do not count."""
    maths.loaded()
    import jax

    def outputs(u: Any) -> Any:
        starts = [Parts({n: q.start for n, q in kind.items()}) for kind in (model.states, model.parameters)]
        found = model.output(0.0, starts[0], Parts(u), starts[1])  # type: ignore[arg-type]
        return {n: jax.numpy.asarray(found[n], float) for n in model.outputs}

    names = sorted(model.inputs)  # as a dictionary is flattened
    try:
        traced = jax.make_jaxpr(outputs)({n: float(model.inputs[n].start) for n in names})
    except Exception as e:  # whatever a model's author wrote
        raise ModelError(
            f"{name}: its outputs cannot be traced: {type(e).__name__}: {str(e).splitlines()[0]}",
            code="model-trace", remedy="write it with gemel.dynamics.maths, without if on values",
        ) from e  # fmt: skip
    found = _through(traced.jaxpr, [frozenset([n]) for n in names])
    return dict(zip(sorted(model.outputs), found, strict=True))


def moving(model: DynamicModel, outputs: Collection[str]) -> tuple[str, ...]:
    """Give the states that some outputs (a state among them is seen as it is) depend on, directly or through other states; all where it cannot be told."""
    maths.loaded()
    import jax

    names = sorted(model.states)  # as a dictionary is flattened

    def all_(x: Any) -> Any:
        u, p = (Parts({n: q.start for n, q in kind.items()}) for kind in (model.inputs, model.parameters))
        rates, seen = (how(0.0, Parts(x), u, p) for how in (model.derivative, model.output))  # type: ignore[arg-type]
        found = {f"rate {n}": rates[n] for n in names} | {f"seen {n}": seen[n] if n in seen else x[n] for n in outputs}
        return {n: jax.numpy.asarray(v, float) for n, v in found.items()}

    try:
        traced = jax.make_jaxpr(all_)({n: float(model.states[n].start) for n in names})
    except Exception:  # whatever a model's author wrote: who compiles it says so
        return tuple(model.states)
    keys = sorted([f"rate {n}" for n in names] + [f"seen {n}" for n in outputs])
    on = dict(zip(keys, _through(traced.jaxpr, [frozenset([n]) for n in names]), strict=True))
    found: frozenset[str] = frozenset().union(*(on[f"seen {n}"] for n in outputs))
    while (more := found.union(*(on[f"rate {n}"] for n in found))) != found:
        found = more
    return tuple(n for n in model.states if n in found)


def _through(jaxpr: Any, given: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    known: dict[Any, frozenset[str]] = dict(zip(jaxpr.invars, given, strict=True))

    def of(atom: Any) -> frozenset[str]:
        return frozenset() if hasattr(atom, "val") else known.get(atom, frozenset())

    for equation in jaxpr.eqns:
        read = [of(atom) for atom in equation.invars]
        inner = equation.params.get("jaxpr")
        inner = getattr(inner, "jaxpr", inner)
        if equation.primitive.name in {"pjit", "jit"} and inner is not None:
            outs = _through(inner, read)
        else:
            outs = [frozenset().union(*read)] * len(equation.outvars)
        known.update(zip(equation.outvars, outs, strict=True))
    return [of(atom) for atom in jaxpr.outvars]
