"""A graph of scalars as a machine's vector instructions: each node one instruction on a lane per scenario.

Written as LLVM's language (https://llvm.org/docs/LangRef.html) and compiled by the LLVM that numba brings along:
no loop has to be recognised as vectorisable, for every value is a vector to begin with.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gemel.scenarios.graph import Node

TWO: Final = {"add": "fadd contract", "sub": "fsub contract", "mul": "fmul contract", "div": "fdiv"}
COMPARED: Final = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
CALLED: Final = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor", "round": "roundeven", "fma": "fma"}


@dataclass(frozen=True)
class Precision:
    """Which numbers the lanes hold.

    Args:
        name: ``float32`` or ``float64``.
        lanes: in one vector of 512 bits.
        mantissa: its bits.
        bias: of the exponent.
    """

    name: str
    lanes: int
    mantissa: int
    bias: int

    @property
    def scalar(self) -> str:
        """The type of one number."""
        return "float" if self.name == "float32" else "double"

    @property
    def vector(self) -> str:
        """The type of all lanes."""
        return f"<{self.lanes} x {self.scalar}>"

    @property
    def integers(self) -> str:
        """The type of the bits of all lanes."""
        return f"<{self.lanes} x {self.bits}>"

    @property
    def bits(self) -> str:
        """The type of the bits of one number."""
        return "i32" if self.name == "float32" else "i64"

    @property
    def truths(self) -> str:
        """The type of a truth value in each lane."""
        return f"<{self.lanes} x i1>"

    @property
    def suffix(self) -> str:
        """How LLVM names the type in a function's name."""
        return f"v{self.lanes}f{32 if self.name == 'float32' else 64}"

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The type in memory."""
        return np.dtype(self.name)


FLOAT32: Final = Precision("float32", 16, 23, 127)
FLOAT64: Final = Precision("float64", 8, 52, 1023)


@dataclass
class Code:
    """Lines of a function being written; values are named in the order they are made."""

    of: Precision
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def put(self, text: str) -> str:
        """Write an instruction that gives a value; give its name."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def say(self, text: str) -> None:
        """Write a line that gives none."""
        self.lines.append(text)

    def constant(self, value: float) -> str:
        """Give a number in all lanes."""
        exact = float(self.of.dtype.type(value))
        return f"splat ({self.of.scalar} 0x{struct.unpack('>Q', struct.pack('>d', exact))[0]:016X})"

    def write(self, nodes: list[Node], known: dict[int, str]) -> None:
        """Write the nodes that are not known yet, arguments first, and add them to what is known."""
        for node in nodes:
            if node.number not in known:
                known[node.number] = self._node(node, [known[a.number] for a in node.args])

    def _node(self, node: Node, a: list[str]) -> str:
        p, op = self.of, node.op
        if op == "const":
            return self.constant(node.value)
        if op in TWO:
            return self.put(f"{TWO[op]} {p.vector} {a[0]}, {a[1]}")
        if op in COMPARED:
            return self.put(f"fcmp {COMPARED[op]} {p.vector} {a[0]}, {a[1]}")
        if op in ("max", "min"):
            larger = self.put(f"fcmp {'ogt' if op == 'max' else 'olt'} {p.vector} {a[0]}, {a[1]}")
            return self.put(f"select {p.truths} {larger}, {p.vector} {a[0]}, {p.vector} {a[1]}")
        if op == "select":
            kind = p.truths if node.truth else p.vector
            return self.put(f"select {p.truths} {a[0]}, {kind} {a[1]}, {kind} {a[2]}")
        if op in CALLED:
            given = ", ".join(f"{p.vector} {x}" for x in a)
            return self.put(f"call {p.vector} @llvm.{CALLED[op]}.{p.suffix}({given})")
        if op in ("and", "or"):
            return self.put(f"{op} {p.truths} {a[0]}, {a[1]}")
        if op == "not":
            return self.put(f"xor {p.truths} {a[0]}, splat (i1 true)")
        if op == "neg":
            return self.put(f"fneg {p.vector} {a[0]}")
        return self._bits(op, a)

    def _bits(self, op: str, a: list[str]) -> str:
        p = self.of
        bits = self.put(f"bitcast {p.vector} {a[0]} to {p.integers}")
        whole, first = (1 << p.mantissa) - 1, p.bias << p.mantissa
        if op == "exponent":
            high = self.put(f"lshr {p.integers} {bits}, splat ({p.bits} {p.mantissa})")
            unbiased = self.put(f"sub {p.integers} {high}, splat ({p.bits} {p.bias})")
            return self.put(f"sitofp {p.integers} {unbiased} to {p.vector}")
        if op == "mantissa":
            low = self.put(f"and {p.integers} {bits}, splat ({p.bits} {whole})")
            made = self.put(f"or {p.integers} {low}, splat ({p.bits} {first})")
        elif op == "ldexp":
            power = self.put(f"fptosi {p.vector} {a[1]} to {p.integers}")
            moved = self.put(f"shl {p.integers} {power}, splat ({p.bits} {p.mantissa})")
            made = self.put(f"add {p.integers} {bits}, {moved}")
        else:
            raise NotImplementedError(op)
        return self.put(f"bitcast {p.integers} {made} to {p.vector}")


def declarations(of: Precision) -> str:
    """Give the functions of LLVM that are called."""
    v = of.vector
    one = [f"declare {v} @llvm.{name}.{of.suffix}({v})" for name in ("sqrt", "fabs", "floor", "roundeven")]
    return "\n".join([*one, f"declare {v} @llvm.fma.{of.suffix}({v}, {v}, {v})"])
