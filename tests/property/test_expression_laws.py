"""Laws of the expression language: array code equals a plain reading of the tree, row by row; units do not matter; quality never improves."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.samples.expression import Column, Leaf, Names, compile_expression, number, parse, state
from gemel.samples.expression_kinds import TRUTH
from gemel.samples.expression_tree import Binary, Call, Choice, Name, Number, OneOf, Unary

WORDS = ("idle", "run", "jam")
ROWS = 4
GOOD, UNCERTAIN, BAD, SUBNORMAL, NO_DATA = 0, 0x40000000, 0x80050000, 0x40950000, 0x809B0000


def scope(unit="m"):
    return Names({
        "a": Leaf(("a",), number(unit)), "b": Leaf(("b",), number(unit)), "s": Leaf(("s",), state(WORDS)),
        "up.a": Leaf(("up", "a"), number(unit), "up"), "up.s": Leaf(("up", "s"), state(WORDS), "up"),
    })  # fmt: skip


def joined(*parts):
    return st.tuples(*parts).map(lambda found: "(" + " ".join(found) + ")")


def numbers(leaf, depth):
    """Numbers in metres that stay whole, so that both readings agree to the bit."""
    plain = st.one_of(leaf, st.integers(0, 9).map(lambda n: f"{n} m"))
    if not depth:
        return plain
    n, t = numbers(leaf, depth - 1), truths(leaf, depth - 1)
    return st.one_of(
        plain, joined(n, st.sampled_from("+-"), n), st.tuples(n, st.integers(2, 3)).map(lambda p: f"({p[0]} * {p[1]})"),
        n.map("(-{})".format), n.map("abs({})".format), st.tuples(n, n).map(lambda p: f"min({p[0]}, {p[1]})"),
        st.tuples(n, n).map(lambda p: f"max({p[0]}, {p[1]})"), st.tuples(n, n, n).map(lambda p: f"clip({p[0]}, {p[1]}, {p[2]})"),
        st.tuples(t, n, n).map(lambda p: f"(if {p[0]} then {p[1]} else {p[2]})"),
    )  # fmt: skip


def truths(leaf, depth):
    word = "up.s" if leaf is MEMBERS else "s"
    plain = st.one_of(st.sampled_from(WORDS).map(lambda w: f"{word} == {w}").map("({})".format), st.just(f"({word} in (run, jam))"), st.just("true"))
    n = numbers(leaf, max(depth - 1, 0))
    compared = joined(n, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), n)
    if not depth:
        return st.one_of(plain, compared)
    t = truths(leaf, depth - 1)
    return st.one_of(plain, compared, joined(t, st.sampled_from(["and", "or"]), t), t.map("(not {})".format), n.map("missing({})".format))


MEMBERS = st.sampled_from(["up.a", "a"])
_known = st.sampled_from(["{}", "known({})"])
AGGREGATES = st.one_of(
    st.tuples(st.sampled_from(["sum", "mean", "min", "max"]), _known, numbers(MEMBERS, 1)).map(lambda p: f"{p[0]}({p[1].format('up.a - up.a + ' + p[2])})"),
    st.tuples(st.sampled_from(["any", "all"]), _known, truths(MEMBERS, 1)).map(lambda p: f"(if {p[0]}({p[1].format('up.s == up.s and ' + p[2])}) then 1 m else 2 m)"),
)
LEAVES = st.sampled_from(["a", "b"])
EXPRESSIONS = numbers(st.one_of(LEAVES, AGGREGATES), 2)
reading = st.tuples(st.integers(-9, 9), st.sampled_from([GOOD, GOOD, GOOD, UNCERTAIN, BAD]))
code = st.tuples(st.integers(0, 2), st.sampled_from([GOOD, GOOD, UNCERTAIN, BAD]))
row = st.fixed_dictionaries({"a": reading, "b": reading, "s": code, "up": st.lists(st.tuples(reading, code), max_size=3)})


def plainly(tree, row, member=None):
    """Read a tree on one row: (number or None, status)."""
    match tree:
        case Number():
            return tree.value, GOOD
        case Name():
            found = {"true": (1, GOOD), "false": (0, GOOD)}.get(tree.path[0]) or (row[tree.path[0]] if len(tree.path) == 1 else member[tree.path[1] == "s"])
            value, status = found
            return (None if status >= BAD else value), status
        case Unary(op=op, operand=x):
            value, status = plainly(x, row, member)
            return (None if value is None else -value if op == "-" else 1 - value), status
        case OneOf(operand=x, words=words):
            value, status = plainly(x, row, member)
            return (None if value is None else float(WORDS[int(value)] in {w.path[0] for w in words})), status
        case Choice(condition=c, yes=yes, no=no):
            value, status = plainly(c, row, member)
            if value is None:
                return None, status
            found, also = plainly(yes if value else no, row, member)
            return found, max(status, also)
        case Binary(op="and" | "or" as op, left=a, right=b):
            sides = [plainly(a, row, member), plainly(b, row, member)]
            decides = float(op == "or")
            deciding = [s for v, s in sides if v == decides]
            if deciding:
                return decides, min(deciding)
            worst = max(s for _, s in sides)
            return (None if None in [v for v, _ in sides] else 1 - decides), worst
        case Binary(op=op, left=a, right=b):
            (x, p) = plainly(a, row, member)
            if isinstance(b, Name) and b.path[0] in WORDS:
                y, q = WORDS.index(b.path[0]), GOOD
            else:
                (y, q) = plainly(b, row, member)
            if x is None or y is None:
                return None, max(p, q)
            done = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "<": lambda: x < y, "<=": lambda: x <= y, ">": lambda: x > y,
                    ">=": lambda: x >= y, "==": lambda: x == y, "!=": lambda: x != y}[op]()
            return float(done), max(p, q)
        case Call(function="missing", arguments=(x,)):
            return float(plainly(x, row, member)[0] is None), GOOD
        case Call(function="abs", arguments=(x,)):
            value, status = plainly(x, row, member)
            return (None if value is None else abs(value)), status
        case Call(function=name, arguments=(x,)):
            return over_members(name, x, row)
        case Call(function=name, arguments=parts):
            found = [plainly(p, row, member) for p in parts]
            values, worst = [v for v, _ in found], max(s for _, s in found)
            if None in values:
                return None, worst
            if name == "clip":
                return min(max(values[0], values[1]), values[2]), worst
            return {"min": min, "max": max}[name](values), worst


def over_members(name, inner, row):
    known = isinstance(inner, Call) and inner.function == "known"
    inner = inner.arguments[0] if known else inner
    found = [plainly(inner, row, m) for m in row["up"]]
    kept = [f for f in found if f[0] is not None] if known else found
    if found and not kept:
        return None, NO_DATA
    values, worst = [v for v, _ in kept], max([s for _, s in kept], default=GOOD)
    if name in {"any", "all"}:
        decides = float(name == "any")
        deciding = [s for v, s in kept if v == decides]
        value, status = (decides, min(deciding)) if deciding else (None if None in values else 1 - decides, worst)
    elif not found and name != "sum":
        value, status = None, NO_DATA
    else:
        value = None if None in values else {"sum": sum, "mean": lambda v: sum(v) / len(v), "min": min, "max": max}[name](values)
        status = worst
    return value, max(status, SUBNORMAL) if len(kept) < len(found) else status


def columns_of(expression, rows):
    found = []
    for leaf in expression.leaves:
        given = [m[leaf.path[1] == "s"] for r in rows for m in r["up"]] if leaf.over else [r[leaf.path[0]] for r in rows]
        found.append(Column(np.array([v for v, _ in given], float), np.array([s for _, s in given], np.uint32)))
    return found, {"up": np.array([len(r["up"]) for r in rows])}


@settings(deadline=None, max_examples=300)
@given(EXPRESSIONS, st.lists(row, min_size=1, max_size=ROWS))
def test_array_code_equals_a_plain_reading_of_the_tree(text, rows):
    expression = compile_expression(text, scope(), number("m"))
    columns, counts = columns_of(expression, rows)
    value, status = expression.evaluate(columns, len(rows), counts)
    tree = parse(text)
    for i, one in enumerate(rows):
        expected, quality = plainly(tree, one)
        unknown = expected is None or quality >= BAD
        assert np.isnan(value[i]) if unknown else value[i] == expected, (text, one)
        assert status[i] == (max(quality, NO_DATA) if expected is None and quality < BAD else quality), (text, one)


ARITHMETIC = st.recursive(
    st.sampled_from(["a", "b", "sum(up.a)", "mean(up.a)", "2 m"]),
    lambda n: st.one_of(joined(n, st.sampled_from("+-"), n), st.tuples(n, n).map(lambda p: f"({p[0]} * {p[1]} / 3 m)"), n.map("abs({})".format), st.tuples(n, n).map(lambda p: f"max({p[0]}, {p[1]})")),
    max_leaves=6,
)
exact = st.floats(-100, 100).map(lambda x: (x, GOOD))


@settings(deadline=None, max_examples=150)
@given(ARITHMETIC, st.lists(st.tuples(exact, exact, st.lists(exact, min_size=1, max_size=3)), min_size=1, max_size=ROWS), st.sampled_from(["cm", "ft", "km"]))
def test_the_units_that_inputs_come_in_do_not_matter(text, given_rows, unit):
    from gemel.samples.units import conversion

    scale = conversion("m", unit)[0]
    results = []
    for factor, spoken in ((1.0, "m"), (scale, unit)):
        rows = [{"a": (a[0] * factor, GOOD), "b": (b[0] * factor, GOOD), "up": [((m[0] * factor, GOOD), (0, GOOD)) for m in up]} for a, b, up in given_rows]
        expression = compile_expression(text, scope(spoken), number("m"))
        columns, counts = columns_of(expression, rows)
        results.append(expression.evaluate(columns, len(rows), counts)[0])
    size = max(1.0, *(abs(x) for r in results for x in r if math.isfinite(x)))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-9, atol=1e-9 * size)


@settings(deadline=None, max_examples=150)
@given(ARITHMETIC, st.lists(row.filter(lambda r: r["up"]), min_size=1, max_size=ROWS))
def test_quality_never_improves_by_arithmetic(text, rows):
    expression = compile_expression(text, scope(), number("m"))
    columns, counts = columns_of(expression, rows)
    _, status = expression.evaluate(columns, len(rows), counts)
    for i, one in enumerate(rows):
        read = [s for leaf in expression.leaves for s in ([m[0][1] for m in one["up"]] if leaf.over else [one[leaf.path[0]][1]])]
        assert status[i] >> 30 >= max([s >> 30 for s in read], default=0)


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("abs up.()+-*/^<>=!, 0123.5kWif then else and or not known'%"), max_size=40))
def test_no_text_does_anything_but_compile_or_be_refused_with_a_place(text):
    from gemel.errors import ExpressionError

    try:
        compile_expression(text, scope(), TRUTH)
    except ExpressionError as e:
        assert 0 <= e.at <= len(text) and e.remedy
