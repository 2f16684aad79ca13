"""Elementary functions as straight-line arithmetic, so that they run in every lane of a vector at once.

A processor's vector unit has no exponential; calling the C library once per lane would cost more than the model.
So each function is reduced to a small interval (Cody & Waite 1980, Software Manual for the Elementary Functions)
and summed there by its own power series, to the precision in which the scenarios are computed. The accuracy is
tested against NumPy: a few units in the last place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

from gemel.scenarios.graph import Graph, Node

LN2_HIGH, LN2_LOW = 0.693145751953125, 1.4286068203094172321e-6  # their sum is ln 2; the first has 15 bits
HALF_PI = (1.5703125, 4.837512969970703125e-4, 7.54978995489188216e-8)  # their sum is π/2, each short


@dataclass(frozen=True)
class Functions:
    """Makes elementary functions of nodes.

    Args:
        graph: where nodes are made.
        double: series long enough for float64, else for float32.
    """

    graph: Graph
    double: bool

    def exp(self, x: Node) -> Node:
        """Give e^x."""
        g = self.graph
        held = self._clamp(x, -708.0, 709.0) if self.double else self._clamp(x, -87.0, 88.0)
        n = g.do("round", self._mul(held, 1 / math.log(2)))
        r = g.do("sub", g.do("sub", held, self._mul(n, LN2_HIGH)), self._mul(n, LN2_LOW))
        series = self._horner(r, [1 / math.factorial(k) for k in range(15 if self.double else 8)])
        lowest, highest = (-708.0, 709.0) if self.double else (-87.0, 88.0)
        found = g.do("ldexp", series, n)
        found = g.do("select", g.do("lt", x, g.const(lowest)), g.const(0.0), found)
        return g.do("select", g.do("gt", x, g.const(highest)), g.const(math.inf), found)

    def expm1(self, x: Node) -> Node:
        """Give e^x − 1 without losing what is small."""
        g = self.graph
        terms = [1 / math.factorial(k + 1) for k in range(16 if self.double else 8)]
        near = g.do("mul", x, self._horner(self._clamp(x, -0.4, 0.4), terms))
        small = g.do("lt", g.do("abs", x), g.const(0.35))
        return g.do("select", small, near, g.do("sub", self.exp(x), g.const(1.0)))

    def log(self, x: Node) -> Node:
        """Give ln x; of zero −∞, of what is negative no number."""
        g = self.graph
        exponent, mantissa = g.do("exponent", x), g.do("mantissa", x)  # mantissa in [1, 2)
        large = g.do("gt", mantissa, g.const(math.sqrt(2)))
        m = g.do("select", large, self._mul(mantissa, 0.5), mantissa)
        e = g.do("select", large, g.do("add", exponent, g.const(1.0)), exponent)
        s = g.do("div", g.do("sub", m, g.const(1.0)), g.do("add", m, g.const(1.0)))
        found = g.do("add", self._mul(e, LN2_HIGH), g.do("add", self._atanh2(s), self._mul(e, LN2_LOW)))
        found = g.do("select", g.do("eq", x, g.const(0.0)), g.const(-math.inf), found)
        found = g.do("select", g.do("eq", x, g.const(math.inf)), g.const(math.inf), found)
        return g.do("select", g.do("ge", x, g.const(0.0)), found, g.const(math.nan))

    def log1p(self, x: Node) -> Node:
        """Give ln(1 + x) without losing what is small."""
        g = self.graph
        near = self._atanh2(g.do("div", x, g.do("add", x, g.const(2.0))))
        small = g.do("lt", g.do("abs", x), g.const(0.3))
        return g.do("select", small, near, self.log(g.do("add", x, g.const(1.0))))

    def power(self, x: Node, y: Node) -> Node:
        """Give x^y: by multiplication and roots where y is a known multiple of a quarter, else by e^(y ln x)."""
        g = self.graph
        if y.op == "const" and abs(y.value) <= 16 and (y.value * 4).is_integer():
            return self._quarters(x, int(y.value * 4))
        found = self.exp(g.do("mul", y, self.log(x)))
        return g.do("select", g.do("eq", y, g.const(0.0)), g.const(1.0), found)

    def integer_power(self, x: Node, n: int) -> Node:
        """Give x^n by repeated squaring."""
        g = self.graph
        if n < 0:
            return g.do("div", g.const(1.0), self.integer_power(x, -n))
        found, square = g.const(1.0), x
        while n:
            if n & 1:
                found = g.do("mul", square, found)
            square, n = g.do("mul", square, square), n >> 1
        return found

    def tanh(self, x: Node) -> Node:
        """Give tanh x."""
        g = self.graph
        doubled = self.expm1(self._mul(self._clamp(x, -20.0, 20.0), 2.0))
        return g.do("div", doubled, g.do("add", doubled, g.const(2.0)))

    def logistic(self, x: Node) -> Node:
        """Give 1/(1 + e^−x)."""
        g = self.graph
        return g.do("div", g.const(1.0), g.do("add", self.exp(g.do("neg", x)), g.const(1.0)))

    def sinh(self, x: Node) -> Node:
        """Give sinh x."""
        g = self.graph
        e = self.expm1(g.do("abs", x))
        size = self._mul(g.do("add", e, g.do("div", e, g.do("add", e, g.const(1.0)))), 0.5)
        return g.do("select", g.do("lt", x, g.const(0.0)), g.do("neg", size), size)

    def cosh(self, x: Node) -> Node:
        """Give cosh x."""
        g = self.graph
        e = self.exp(g.do("abs", x))
        return self._mul(g.do("add", e, g.do("div", g.const(1.0), e)), 0.5)

    def sin(self, x: Node, quarter: int = 0) -> Node:
        """Give the sine of x and so many quarters of a turn, for |x| up to some thousands."""
        g = self.graph
        n = g.do("round", self._mul(x, 2 / math.pi))
        r = reduce(lambda left, part: g.do("sub", left, self._mul(n, part)), HALF_PI, x)
        if self.double:
            r = g.do("sub", r, self._mul(n, math.pi / 2 - sum(HALF_PI)))
        square, terms = g.do("mul", r, r), 9 if self.double else 6
        sine = g.do(
            "mul", r, self._horner(square, [(-1) ** k / math.factorial(2 * k + 1) for k in range(terms)])
        )
        cosine = self._horner(square, [(-1) ** k / math.factorial(2 * k) for k in range(terms + 1)])
        turned = g.do("add", n, g.const(float(quarter)))
        turn = g.do("sub", turned, self._mul(g.do("floor", self._mul(turned, 0.25)), 4.0))
        odd = g.do("or", g.do("eq", turn, g.const(1.0)), g.do("eq", turn, g.const(3.0)))
        found = g.do("select", odd, cosine, sine)
        return g.do("select", g.do("ge", turn, g.const(2.0)), g.do("neg", found), found)

    def cos(self, x: Node) -> Node:
        """Give cos x."""
        return self.sin(x, 1)

    def atan(self, x: Node) -> Node:
        """Give arctan x: folded to at most one, the angle halved twice, then the series."""
        g = self.graph
        size = g.do("abs", x)
        large = g.do("gt", size, g.const(1.0))
        r = g.do("select", large, g.do("div", g.const(1.0), size), size)
        for _ in range(2):
            long = g.do("sqrt", g.do("add", g.do("mul", r, r), g.const(1.0)))
            r = g.do("div", r, g.do("add", long, g.const(1.0)))
        terms = [(-1) ** k / (2 * k + 1) for k in range(14 if self.double else 7)]
        angle = self._mul(g.do("mul", r, self._horner(g.do("mul", r, r), terms)), 4.0)
        angle = g.do("select", large, g.do("sub", g.const(math.pi / 2), angle), angle)
        return g.do("select", g.do("lt", x, g.const(0.0)), g.do("neg", angle), angle)

    def _quarters(self, x: Node, quarters: int) -> Node:
        g = self.graph
        if quarters < 0:
            return g.do("div", g.const(1.0), self._quarters(x, -quarters))
        found = self.integer_power(x, quarters // 4)
        root = g.do("sqrt", x)
        if quarters & 2:
            found = g.do("mul", root, found)
        return g.do("mul", g.do("sqrt", root), found) if quarters & 1 else found

    def _atanh2(self, s: Node) -> Node:
        terms = [2 / (2 * k + 1) for k in range(13 if self.double else 6)]
        return self.graph.do("mul", s, self._horner(self.graph.do("mul", s, s), terms))

    def _horner(self, x: Node, terms: list[float]) -> Node:
        g = self.graph
        found = g.const(terms[-1])
        for term in reversed(terms[:-1]):
            found = g.do("fma", found, x, g.const(term))
        return found

    def _clamp(self, x: Node, low: float, high: float) -> Node:
        g = self.graph
        return g.do("min", g.do("max", x, g.const(low)), g.const(high))

    def _mul(self, x: Node, by: float) -> Node:
        return self.graph.do("mul", x, self.graph.const(by))
