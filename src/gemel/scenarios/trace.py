"""From a model's own Python to the arithmetic it does: traced once by JAX, its jaxpr read into a graph of scalars.

Arrays become arrays of nodes; what only moves values about (slicing, stacking, broadcasting) costs nothing
afterwards. What has no translation is told by its name, and the caller computes with JAX instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.scenarios.functions import Functions
from gemel.scenarios.graph import Node

LONGEST: Final = 256  # turns of a counted loop that are still written out


class Untranslated(Exception):  # noqa: N818 - not an error: the caller takes the other road
    """A primitive that has no translation to straight-line arithmetic."""


class Traced:
    """A function of vectors, traced: applied to nodes it gives nodes.

    Args:
        function: pure, of JAX arrays.
        shapes: of its arguments.
    """

    def __init__(self, function: Callable[..., Any], shapes: list[tuple[int, ...]]) -> None:
        import jax

        jnp = maths.loaded()
        given = [jnp.zeros(shape) for shape in shapes]
        self.jaxpr = jax.make_jaxpr(function)(*given)

    def apply(self, functions: Functions, *given: Any) -> list[Any]:
        """Give the results as arrays of nodes; raises Untranslated."""
        reader = _Reader(functions)
        return [reader.nodes(a) for a in reader.run(self.jaxpr.jaxpr, self.jaxpr.consts, list(given))]


class _Reader:
    """Goes through a jaxpr once, with arrays of nodes (dtype object) or of numbers where they are known."""

    def __init__(self, functions: Functions) -> None:
        self.f, self.g = functions, functions.graph

    def run(self, jaxpr: Any, consts: Any, given: list[Any]) -> list[Any]:
        found: dict[Any, Any] = {}
        found.update(zip(jaxpr.constvars, map(np.asarray, consts), strict=True))
        found.update(zip(jaxpr.invars, given, strict=True))

        def value(v: Any) -> Any:
            return np.asarray(v.val) if hasattr(v, "val") else found[v]

        for equation in jaxpr.eqns:
            results = self.equation(equation, [value(v) for v in equation.invars])
            found.update(zip(equation.outvars, results, strict=True))
        return [value(v) for v in jaxpr.outvars]

    def equation(self, equation: Any, args: list[Any]) -> list[Any]:
        name, params = equation.primitive.name, equation.params
        inner = next((params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in params), None)
        if name == "scan":
            return self.scan(params, args)
        if name == "cond":
            return self.cond(params["branches"], args)
        if inner is not None and name not in ("while", "custom_linear_solve"):
            return self.run(getattr(inner, "jaxpr", inner), getattr(inner, "consts", []), args)
        if all(a.dtype != object for a in args):
            given = equation.primitive.bind(*(maths.loaded().asarray(a) for a in args), **params)
            return [np.asarray(g) for g in (given if equation.primitive.multiple_results else [given])]
        if name == "dynamic_slice" and any(a.dtype == object for a in args[1:]):
            return [self.looked_up(args[0], args[1:], params["slice_sizes"])]
        if name == "div" and np.issubdtype(equation.outvars[0].aval.dtype, np.integer):
            return [self.each(lambda a, b: _Scalars.trunc(self.f, {}, self.g.do("div", a, b)), args)]
        if name in MOVES:
            return [
                MOVES[name](
                    [self.nodes(a) if i in MIXING.get(name, ()) else a for i, a in enumerate(args)], params
                )
            ]
        if name in SUMS:
            return [self.fold(SUMS[name], args[0], params["axes"])]
        if name == "dot_general":
            return [self.dot(args, params)]
        if name == "convert_element_type":
            return [self.each(self.converted(params["new_dtype"]), args)]
        return [self.each(self.scalar(name, params), args)]

    def each(self, function: Callable[..., Node], args: list[Any]) -> Any:
        arrays = np.broadcast_arrays(*(self.nodes(a) for a in args))
        out = np.empty(arrays[0].shape, object)
        for place in np.ndindex(out.shape):
            out[place] = function(*(a[place] for a in arrays))
        return out

    def nodes(self, array: Any) -> Any:
        if array.dtype == object:
            return array
        out = np.empty(array.shape, object)
        for place in np.ndindex(array.shape):
            out[place] = self.g.const(float(array[place]))
        return out

    def scalar(self, name: str, params: dict[str, Any]) -> Callable[..., Node]:
        if name in ("eq", "ne"):
            return lambda a, b: self.same(name, a, b)
        if name in PLAIN:
            op = PLAIN[name]
            return lambda *a: self.g.do(op, *a)
        method = getattr(_Scalars, name, None)
        if method is None:
            raise Untranslated(name)
        return lambda *a: method(self.f, params, *a)

    def same(self, op: str, a: Node, b: Node) -> Node:
        if a.truth or b.truth:
            return self.g.do("eq" if op == "eq" else "ne", self.number(a), self.number(b))
        return self.g.do(op, a, b)

    def converted(self, dtype: Any) -> Callable[[Node], Node]:
        g = self.g
        if np.issubdtype(dtype, np.bool_):
            return lambda a: a if a.truth else g.do("ne", a, g.const(0.0))
        if np.issubdtype(dtype, np.integer):
            return lambda a: self.number(a) if a.truth else _Scalars.trunc(self.f, {}, a)
        return self.number

    def number(self, a: Node) -> Node:
        return self.g.do("select", a, self.g.const(1.0), self.g.const(0.0)) if a.truth else a

    def looked_up(self, array: Any, starts: list[Any], sizes: tuple[int, ...]) -> Any:
        """Take the part that begins at a computed place: each possible one, chosen by comparison."""
        out, options = None, [n - size + 1 for n, size in zip(array.shape, sizes, strict=True)]
        if np.prod(options) > LONGEST:
            raise Untranslated("a look-up in a long table")
        for place in np.ndindex(*options):
            part = array[tuple(slice(p, p + size) for p, size in zip(place, sizes, strict=True))]
            if out is None:
                out = self.nodes(part)
                continue
            for start, p, most in zip(starts, place, options, strict=True):
                if most > 1:
                    far = self.g.do("ge", self.nodes(start)[()], self.g.const(float(p)))
                    out = self.choice(far, part, out)
        return out

    def fold(self, op: str, array: Any, axes: tuple[int, ...]) -> Any:
        for axis in sorted(axes, reverse=True):
            parts = np.moveaxis(array, axis, 0)
            out = parts[0]
            for part in parts[1:]:
                out = self.each(
                    lambda *a: self.g.do(op, *a), [np.asarray(out, object), np.asarray(part, object)]
                )
            array = np.asarray(out, object)
        return array

    def dot(self, args: list[Any], params: dict[str, Any]) -> Any:
        (left, right), (batch_left, batch_right) = params["dimension_numbers"]
        a, b = (self.nodes(x) for x in args)
        if batch_left or batch_right or len(left) != 1:
            raise Untranslated("dot_general with batches")
        a, b = np.moveaxis(a, left[0], -1), np.moveaxis(b, right[0], -1)
        out = np.empty(a.shape[:-1] + b.shape[:-1], object)
        for i in np.ndindex(a.shape[:-1]):
            for j in np.ndindex(b.shape[:-1]):
                terms = [self.g.do("mul", x, y) for x, y in zip(a[i], b[j], strict=True)]
                total = self.g.const(0.0)
                for term in terms:
                    total = self.g.do("add", total, term)
                out[i + j] = total
        return out

    def cond(self, branches: Any, args: list[Any]) -> list[Any]:
        which, *rest = args
        results = [self.run(b.jaxpr, b.consts, rest) for b in branches]
        if which.dtype != object:
            return results[int(which)]
        out = results[0]
        for number, result in enumerate(results[1:], 1):
            chosen = self.g.do("eq", self.number(which[()]), self.g.const(float(number)))
            out = [self.choice(chosen, new, old) for new, old in zip(result, out, strict=True)]
        return out

    def choice(self, chosen: Node, new: Any, old: Any) -> Any:
        return self.each(lambda a, b: self.g.do("select", chosen, a, b), [new, old])

    def scan(self, params: dict[str, Any], args: list[Any]) -> list[Any]:
        length, consts, carries = params["length"], params["num_consts"], params["num_carry"]
        if length > LONGEST:
            raise Untranslated(f"scan of {length}")
        body, held = params["jaxpr"], args[:consts]
        carry, rows = args[consts : consts + carries], args[consts + carries :]
        stacked: list[list[Any]] = []
        order = range(length - 1, -1, -1) if params["reverse"] else range(length)
        for i in order:
            results = self.run(body.jaxpr, body.consts, [*held, *carry, *(np.asarray(r[i]) for r in rows)])
            carry = results[:carries]
            stacked.append([self.nodes(np.asarray(r)) for r in results[carries:]])
        if params["reverse"]:
            stacked.reverse()
        return [
            *carry,
            *(np.stack([s[j] for s in stacked]) for j in range(len(stacked[0]) if stacked else 0)),
        ]


class _Scalars:
    """What a primitive does to scalars, where it is more than one operation of the machine."""

    exp = staticmethod(lambda f, p, x: f.exp(x))
    exp2 = staticmethod(lambda f, p, x: f.exp(f.graph.do("mul", x, f.graph.const(float(np.log(2.0))))))
    expm1 = staticmethod(lambda f, p, x: f.expm1(x))
    log = staticmethod(lambda f, p, x: f.log(x))
    log1p = staticmethod(lambda f, p, x: f.log1p(x))
    tanh = staticmethod(lambda f, p, x: f.tanh(x))
    logistic = staticmethod(lambda f, p, x: f.logistic(x))
    sin = staticmethod(lambda f, p, x: f.sin(x))
    cos = staticmethod(lambda f, p, x: f.cos(x))
    tan = staticmethod(lambda f, p, x: f.graph.do("div", f.sin(x), f.cos(x)))
    sinh = staticmethod(lambda f, p, x: f.sinh(x))
    cosh = staticmethod(lambda f, p, x: f.cosh(x))
    atan = staticmethod(lambda f, p, x: f.atan(x))
    pow = staticmethod(lambda f, p, x, y: f.power(x, y))
    integer_pow = staticmethod(lambda f, p, x: f.integer_power(x, p["y"]))
    square = staticmethod(lambda f, p, x: f.graph.do("mul", x, x))
    rsqrt = staticmethod(lambda f, p, x: f.graph.do("div", f.graph.const(1.0), f.graph.do("sqrt", x)))
    is_finite = staticmethod(lambda f, p, x: f.graph.do("lt", f.graph.do("abs", x), f.graph.const(np.inf)))

    @staticmethod
    def cbrt(f: Functions, p: Any, x: Node) -> Node:
        g = f.graph
        size = f.exp(g.do("mul", f.log(g.do("abs", x)), g.const(1 / 3)))
        return g.do("select", g.do("lt", x, g.const(0.0)), g.do("neg", size), size)

    @staticmethod
    def sign(f: Functions, p: Any, x: Node) -> Node:
        g = f.graph
        below = g.do("select", g.do("lt", x, g.const(0.0)), g.const(-1.0), x)
        return g.do("select", g.do("gt", x, g.const(0.0)), g.const(1.0), below)

    @staticmethod
    def trunc(f: Functions, p: Any, x: Node) -> Node:
        g = f.graph
        size = g.do("floor", g.do("abs", x))
        return g.do("select", g.do("lt", x, g.const(0.0)), g.do("neg", size), size)

    @staticmethod
    def ceil(f: Functions, p: Any, x: Node) -> Node:
        g = f.graph
        return g.do("neg", g.do("floor", g.do("neg", x)))

    @staticmethod
    def rem(f: Functions, p: Any, x: Node, y: Node) -> Node:
        g = f.graph
        return g.do("sub", x, g.do("mul", _Scalars.trunc(f, p, g.do("div", x, y)), y))

    @staticmethod
    def clamp(f: Functions, p: Any, low: Node, x: Node, high: Node) -> Node:
        return f.graph.do("min", f.graph.do("max", x, low), high)

    @staticmethod
    def select_n(f: Functions, p: Any, which: Node, *cases: Node) -> Node:
        g = f.graph
        if which.truth or (which.op == "const" and len(cases) == 2):
            return g.do("select", which, cases[1], cases[0])
        out = cases[0]
        for number, case in enumerate(cases[1:], 1):
            out = g.do("select", g.do("eq", which, g.const(float(number))), case, out)
        return out


def _broadcast(args: list[Any], params: dict[str, Any]) -> Any:
    (array, *_), shape, places = args, params["shape"], params["broadcast_dimensions"]
    wide = [1] * len(shape)
    for axis, place in enumerate(places):
        wide[place] = array.shape[axis]
    return np.broadcast_to(array.reshape(wide), shape)


def _sliced(args: list[Any], params: dict[str, Any]) -> Any:
    steps = params["strides"] or (1,) * args[0].ndim
    bounds = zip(params["start_indices"], params["limit_indices"], steps, strict=True)
    return args[0][tuple(slice(*b) for b in bounds)]


def _moved(primitive: str) -> Callable[[list[Any], dict[str, Any]], Any]:
    """Let JAX itself move the nodes' places about, where the rules are intricate and the places are known."""

    def move(args: list[Any], params: dict[str, Any]) -> Any:
        import jax

        array, *where = args
        if any(w.dtype == object for w in where):
            raise Untranslated(f"{primitive} at a place that is computed")
        places = maths.loaded().arange(array.size).reshape(array.shape)
        primitives = {"gather": jax.lax.gather_p, "dynamic_slice": jax.lax.dynamic_slice_p}
        taken = primitives[primitive].bind(places, *(maths.loaded().asarray(w) for w in where), **params)
        return array.reshape(-1)[np.asarray(taken)]

    return move


def _scattered(args: list[Any], params: dict[str, Any]) -> Any:
    import jax

    array, where, updates = args
    if where.dtype == object or params["update_jaxpr"] is not None:
        raise Untranslated("scatter")
    jnp = maths.loaded()
    places = jnp.arange(array.size).reshape(array.shape)
    news = jnp.arange(updates.size).reshape(updates.shape) + array.size
    taken = jax.lax.scatter_p.bind(places, jnp.asarray(where), news, **params)
    return np.concatenate([array.reshape(-1), updates.reshape(-1)])[np.asarray(taken)]


MIXING: Final[dict[str, Any]] = {"concatenate": range(10_000), "stack": range(10_000), "scatter": (0, 2)}
MOVES: Final[dict[str, Callable[[list[Any], dict[str, Any]], Any]]] = {
    "slice": _sliced,
    "squeeze": lambda a, p: np.squeeze(a[0], axis=tuple(p["dimensions"])),
    "reshape": lambda a, p: a[0].reshape(p["new_sizes"]),
    "expand_dims": lambda a, p: np.expand_dims(a[0], tuple(p["dimensions"])),
    "broadcast_in_dim": _broadcast,
    "transpose": lambda a, p: np.transpose(a[0], p["permutation"]),
    "concatenate": lambda a, p: np.concatenate(a, axis=p["dimension"]),
    "stack": lambda a, p: np.stack(a, axis=p["axis"]),
    "scatter": _scattered,
    "rev": lambda a, p: np.flip(a[0], tuple(p["dimensions"])),
    "copy": lambda a, p: a[0],
    "copy_p": lambda a, p: a[0],
    "stop_gradient": lambda a, p: a[0],
    "gather": _moved("gather"),
    "dynamic_slice": _moved("dynamic_slice"),
}
SUMS: Final = {"reduce_sum": "add", "reduce_max": "max", "reduce_min": "min", "reduce_and": "and", "reduce_or": "or", "reduce_prod": "mul"}  # fmt: skip
PLAIN: Final = {
    "add": "add", "sub": "sub", "mul": "mul", "div": "div", "neg": "neg", "abs": "abs", "max": "max", "min": "min",
    "sqrt": "sqrt", "floor": "floor", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne",
    "and": "and", "or": "or", "not": "not", "round": "round", "add_any": "add",
    "lt_to": "lt",
}  # fmt: skip
