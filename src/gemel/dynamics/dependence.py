"""Which inputs each output of a model depends on, read from its trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
