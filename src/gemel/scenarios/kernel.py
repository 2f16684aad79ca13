"""A plan as one function of machine code: Runge–Kutta steps of a vector of scenarios, read off as they go.

Butcher's classical method of fourth order (Kutta 1901). In float32 the states and the integrals are summed with
their rounding errors carried along (Kahan 1965, Further remarks on reducing truncation errors), so that a wear of
1e-9 a step is not lost beside a wear of 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from gemel.scenarios.functions import Functions
from gemel.scenarios.graph import FIXED, HELD, MOVING, Graph, Node, reachable
from gemel.scenarios.machine import FLOAT32, Code, Precision, declarations
from gemel.scenarios.plan import Gauge, Plan
from gemel.scenarios.trace import Traced

HEAD = """
define void @span(i64 %i0, i64 %i1, i64 %every, i64 %n, i64 %split, i64 %stride, double %dtd,
    ptr noalias %x, ptr noalias %c, ptr noalias %gain, ptr noalias %bias, ptr noalias %drive, ptr noalias %limits,
    ptr noalias %acc, ptr noalias %kept, ptr noalias %jumps) #0 {
entry:"""
TAIL = '\nattributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }\n'


@dataclass(frozen=True)
class Step:
    """The nodes of one step: what goes in, what comes out."""

    after: list[Node]
    carried: list[Node]
    gauges: list[tuple[Node, Node]]
    watched: list[Node]

    @property
    def body(self) -> list[Node]:
        """Everything that is computed at every step of the solver."""
        return reachable([*self.after, *self.carried, *(n for pair in self.gauges for n in pair)])


def write_kernel(plan: Plan, of: Precision) -> str:
    """Give the machine-independent code of a plan; raises Untranslated where a primitive has none."""
    step = _step(plan, of)
    return _Writer(plan, of, step).text()


def _step(plan: Plan, of: Precision) -> Step:
    g = Graph()
    f = Functions(g, double=of is not FLOAT32)
    m, n = plan.model, len(plan.model.states)
    shapes = [(), (n,), (len(m.inputs),), (len(m.parameters),)]
    rate, observe = Traced(m.rate, shapes), Traced(m.observe, shapes)
    driven = set(plan.driven)
    held = [g.given(f"h{i}", HELD if i in driven else FIXED) for i in range(len(plan.held))]
    u, p = _array(held[: len(m.inputs)]), _array(held[len(m.inputs) :])
    x = _array([g.given(f"x{i}", MOVING) for i in range(n)])
    t, dt, half = g.given("t", MOVING), g.given("dt", FIXED), g.given("half", FIXED)

    wanted = (*plan.watch, *(z.of for z in plan.gauges))

    def plus(by: Node, k: Any) -> Any:
        return _array([g.do("fma", by, b, a) for a, b in zip(x, k, strict=True)])

    def look(at: Node, state: Any) -> list[Node]:
        y = observe.apply(f, _one(at), state, u, p)[0] if m.outputs else _array([])
        named: list[Any] = [plan.pick(name, state, y, _array(held)) for name in wanted]
        return [cast("Node", np.asarray(a, object)[()]) for a in named]

    middle, late = g.do("add", t, half), g.do("add", t, dt)
    states, rates, looks = [x], [], []
    for at, by in ((t, half), (middle, half), (middle, dt), (late, None)):
        looks.append(look(at, states[-1]))
        rates.append(rate.apply(f, _one(at), states[-1], u, p)[0])
        if by is not None:
            states.append(plus(by, rates[-1]))
    sixth = g.do("mul", dt, g.const(1 / 6))
    c = [g.given(f"c{i}", MOVING) for i in range(n)]
    added = [g.do("mul", sixth, _weighted(g, k)) for k in zip(*rates, strict=True)]
    after, carried = (
        zip(*(_add(g, of, a, b, d) for a, b, d in zip(x, added, c, strict=True)), strict=True)
        if n
        else ((), ())
    )
    gauges = [_gauge(g, of, i, z, [k[len(plan.watch) + i] for k in looks]) for i, z in enumerate(plan.gauges)]
    return Step(list(after), list(carried), gauges, looks[0][: len(plan.watch)])


def _weighted(g: Graph, k: Any) -> Node:
    a, b, c, d = k
    return g.do("fma", g.const(2.0), g.do("add", b, c), g.do("add", a, d))


def _add(g: Graph, of: Precision, total: Node, more: Node, lost: Node) -> tuple[Node, Node]:
    if of is not FLOAT32:
        return g.do("add", total, more), lost
    corrected = g.do("sub", more, lost)
    after = g.do("add", total, corrected)
    return after, g.do("sub", g.do("sub", after, total), corrected)


def _gauge(g: Graph, of: Precision, i: int, gauge: Gauge, seen: list[Node]) -> tuple[Node, Node]:
    total, lost = g.given(f"a{i}", MOVING), g.given(f"b{i}", MOVING)
    limit, dt, t = g.given(f"l{i}", FIXED), g.given("dt", FIXED), g.given("t", MOVING)
    reading, now = gauge.reading, seen[0]
    if reading in ("min", "max"):
        return g.do(reading, total, now), lost
    beyond = g.do("gt" if reading.endswith("above") else "lt", now, limit)
    if reading.startswith("first"):
        return g.do("min", total, g.do("select", beyond, t, g.const(np.inf))), lost
    if reading.startswith("times"):  # what is carried beside the count: whether it was beyond at the step before
        here = g.do("select", beyond, g.const(1.0), g.const(0.0))
        return g.do("add", total, g.do("max", g.do("sub", here, lost), g.const(0.0))), here
    if reading == "integral":
        more = g.do("mul", g.do("mul", dt, g.const(1 / 6)), _weighted(g, seen))
    else:
        more = g.do("select", beyond, dt, g.const(0.0))
    if gauge.weight is not None:
        more = g.do("mul", more, g.given(f"w{gauge.weight}", HELD))
    return _add(g, of, total, more, lost)


def _array(nodes: list[Node]) -> Any:
    out = np.empty(len(nodes), object)
    out[:] = nodes
    return out


def _one(node: Node) -> Any:
    out = np.empty((), object)
    out[()] = node
    return out


class _Writer:
    """Writes the loops around a step: over instants, over steps, over the solver's steps."""

    def __init__(self, plan: Plan, of: Precision, step: Step) -> None:
        self.plan, self.of, self.step = plan, of, step
        self.code = Code(of)
        self.width = len(plan.driven) + plan.weights
        self.rows = {
            "x": len(plan.model.states),
            "c": len(plan.model.states),
            "a": len(plan.gauges),
            "b": len(plan.gauges),
        }

    def text(self) -> str:
        code = self.code
        known: dict[int, str] = {}
        self._entry(known)
        self._points(dict(known))
        self._steps(dict(known))
        return declarations(self.of) + HEAD + "\n" + "\n".join(code.lines) + "\n}\n" + TAIL

    def _entry(self, known: dict[int, str]) -> None:
        code, v = self.code, self.of.vector
        for name, count in self.rows.items():
            for i in range(count):
                code.say(f"  %{name}{i}.at = alloca {v}, align 64")
        code.say(
            f"  %dts = {self._cast('double', '%dtd')}"
            if self.of is FLOAT32
            else "  %dts = fadd double %dtd, 0.0"
        )
        given = {"dt": self._spread("%dts")}
        given["half"] = code.put(f"fmul {v} {given['dt']}, {code.constant(0.5)}")
        self.fixed = {}
        for i in range(len(self.plan.held)):
            gain, bias = self._load("%gain", i), self._load("%bias", i)
            self.fixed[i] = (gain, bias)
            given[f"h{i}"] = code.put(f"fadd {v} {gain}, {bias}")
        for i in range(len(self.plan.gauges)):
            at = code.put(f"getelementptr {self.of.scalar}, ptr %limits, i64 {i}")
            given[f"l{i}"] = self._spread(code.put(f"load {self.of.scalar}, ptr {at}"))
        self._write([n for n in self._all() if n.level == FIXED], known, given)
        code.say("  br label %points")

    def _points(self, known: dict[int, str]) -> None:
        code, v = self.code, self.of.vector
        code.say("points:\n  %i = phi i64 [ %i0, %entry ], [ %i.next, %points.end ]")
        code.say("  %more = icmp slt i64 %i, %i1\n  br i1 %more, label %look, label %done")
        code.say("done:\n  ret void\nlook:\n  %k0 = mul i64 %i, %every\n  %k1 = add i64 %k0, %n")
        given = self._held("%k0") | {"t": self._time("%k0", "0")}
        for name, array in (("x", "%x"), ("c", "%c"), ("a", "%acc"), ("b", "%acc")):
            for i in range(self.rows[name]):
                row = 2 * i + (name == "b") if name in "ab" else i
                given[f"{name}{i}"] = self._load(array, row)
                code.say(f"  store {v} {given[f'{name}{i}']}, ptr %{name}{i}.at")
        self._write(reachable(self.step.watched), known, given)
        width = len(self.plan.watch)
        first = code.put(f"mul i64 %i, {width}")
        for i, node in enumerate(self.step.watched):
            self._store(known[node.number], "%kept", code.put(f"add i64 {first}, {i}"))
        code.say("  br label %steps")

    def _steps(self, known: dict[int, str]) -> None:
        code, v = self.code, self.of.vector
        code.say("steps:\n  %k = phi i64 [ %k0, %look ], [ %k.next, %steps.end ]")
        code.say("  %further = icmp slt i64 %k, %k1\n  br i1 %further, label %hold, label %points.end\nhold:")
        given = self._held("%k")
        self._write([n for n in self.step.body if n.level <= HELD], known, given)
        code.say("  br label %subs\nsubs:\n  %s = phi i64 [ 0, %hold ], [ %s.next, %subs ]")
        given["t"] = self._time("%k", "%s")
        for name, count in self.rows.items():
            for i in range(count):
                given[f"{name}{i}"] = code.put(f"load {v}, ptr %{name}{i}.at")
        self._write(self.step.body, known, given)
        gauges = self.step.gauges
        new = {
            "x": self.step.after,
            "c": self.step.carried,
            "a": [a for a, _ in gauges],
            "b": [b for _, b in gauges],
        }
        for name, nodes in new.items():
            for i, node in enumerate(nodes):
                code.say(f"  store {v} {known[node.number]}, ptr %{name}{i}.at")
        code.say(
            "  %s.next = add i64 %s, 1\n  %again = icmp slt i64 %s.next, %split\n  br i1 %again, label %subs, label %steps.end"
        )
        code.say("steps.end:\n  %k.next = add i64 %k, 1")
        self._jump()
        code.say("  br label %steps\npoints.end:")
        for name, array in (("x", "%x"), ("c", "%c"), ("a", "%acc"), ("b", "%acc")):
            for i in range(self.rows[name]):
                row = 2 * i + (name == "b") if name in "ab" else i
                self._store(code.put(f"load {v}, ptr %{name}{i}.at"), array, str(row))
        code.say("  %i.next = add i64 %i, 1\n  br label %points")

    def _jump(self) -> None:
        """Write what becomes of the states that are set where a step ends and the next begins: x ← scale·x + add."""
        code, v, bounds = self.code, self.of.vector, self.plan.model.bounds("states")
        for j, i in enumerate(self.plan.jumping):
            row = code.put(f"mul i64 %k.next, {2 * len(self.plan.jumping)}")
            scale, amount = (self._jumps(row, 2 * j + part) for part in range(2))
            x, c = (code.put(f"load {v}, ptr %{name}{i}.at") for name in "xc")
            made = code.put(f"call {v} @llvm.fma.{self.of.suffix}({v} {x}, {v} {self._spread(scale)}, {v} {self._spread(amount)})")
            for bound, further in zip(bounds, ("olt", "ogt"), strict=True):
                edge = code.constant(bound[i])
                beyond = code.put(f"fcmp {further} {v} {made}, {edge}")
                made = code.put(f"select {self.of.truths} {beyond}, {v} {edge}, {v} {made}")
            carried = code.put(f"fmul {v} {c}, {self._spread(scale)}")
            stays = [code.put(f"fcmp oeq {self.of.scalar} {part}, {is_}") for part, is_ in ((scale, "1.0"), (amount, "0.0"))]
            still = code.put(f"and i1 {stays[0]}, {stays[1]}")
            for name, before, after in (("x", x, made), ("c", c, carried)):
                code.say(f"  store {v} {code.put(f'select i1 {still}, {v} {before}, {v} {after}')}, ptr %{name}{i}.at")

    def _jumps(self, row: str, place: int) -> str:
        code = self.code
        at = code.put(f"getelementptr {self.of.scalar}, ptr %jumps, i64 {code.put(f'add i64 {row}, {place}')}")
        return code.put(f"load {self.of.scalar}, ptr {at}")

    def _all(self) -> list[Node]:
        s = self.step
        return reachable([*s.after, *s.carried, *(n for pair in s.gauges for n in pair), *s.watched])

    def _write(self, nodes: list[Node], known: dict[int, str], given: dict[str, str]) -> None:
        for node in nodes:
            if node.op == "given" and node.name in given:
                known.setdefault(node.number, given[node.name])
        self.code.write(nodes, known)

    def _held(self, k: str) -> dict[str, str]:
        """Read what drives step k; give the held values that vary, and the weights."""
        code, v, given = self.code, self.of.vector, {}
        first = code.put(f"mul i64 {k}, {self.width}")
        names = [f"h{i}" for i in self.plan.driven] + [f"w{i}" for i in range(self.plan.weights)]
        for column, name in enumerate(names):
            place = code.put(f"add i64 {first}, {column}")
            at = code.put(f"getelementptr {self.of.scalar}, ptr %drive, i64 {place}")
            value = self._spread(code.put(f"load {self.of.scalar}, ptr {at}"))
            if name[0] == "h":
                gain, bias = self.fixed[int(name[1:])]
                value = code.put(f"call {v} @llvm.fma.{self.of.suffix}({v} {value}, {v} {gain}, {v} {bias})")
            given[name] = value
        return given

    def _time(self, k: str, s: str) -> str:
        """Give t = (k·subs + s)·dt, in float64 before it is rounded."""
        code = self.code
        whole = code.put(f"add i64 {code.put(f'mul i64 {k}, %split')}, {s}")
        t = code.put(f"fmul double {code.put(f'sitofp i64 {whole} to double')}, %dtd")
        return self._spread(code.put(self._cast("double", t)) if self.of is FLOAT32 else t)

    def _cast(self, kind: str, value: str) -> str:
        return f"fptrunc {kind} {value} to float"

    def _spread(self, value: str) -> str:
        code, v = self.code, self.of.vector
        one = code.put(f"insertelement {v} poison, {self.of.scalar} {value}, i32 0")
        return code.put(f"shufflevector {v} {one}, {v} poison, <{self.of.lanes} x i32> zeroinitializer")

    def _at(self, array: str, row: str) -> str:
        place = self.code.put(f"mul i64 %stride, {row}")
        return self.code.put(f"getelementptr {self.of.scalar}, ptr {array}, i64 {place}")

    def _load(self, array: str, row: int) -> str:
        return self.code.put(f"load {self.of.vector}, ptr {self._at(array, str(row))}, align 4")

    def _store(self, value: str, array: str, row: str) -> None:
        self.code.say(f"  store {self.of.vector} {value}, ptr {self._at(array, row)}, align 4")
