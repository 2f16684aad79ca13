"""From tokens to a tree, by precedence: V. R. Pratt, Top down operator precedence, POPL 1973.

From loose to tight: ``if`` · ``or`` · ``and`` · ``not`` · comparison, ``in`` · ``+ -`` · ``* /`` · sign · ``^``.
"""

from typing import Final

from gemel.errors import ExpressionError
from gemel.samples.expression_tokens import KEYWORDS, Token, tokens
from gemel.samples.expression_tree import Binary, Call, Choice, Name, Number, OneOf, Tree, Unary

COMPARISONS: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_NOT: Final = 30
_COMPARE: Final = 40
_SIGN: Final = 70
_LEFT: Final = {
    "or": 10, "and": 20, "in": _COMPARE, **dict.fromkeys(COMPARISONS, _COMPARE), "+": 50, "-": 50, "*": 60, "/": 60, "^": 80,
}  # fmt: skip
DEEPEST: Final = 60


def parse(text: str) -> Tree:
    """Read an expression; raises ExpressionError with the place of what is wrong.

    >>> parse("a + 2 * b").op, parse("a + 2 * b").right.op
    ('+', '*')
    """
    return _Parser(tokens(text)).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._expression(0)
        if self._here.kind != "end":
            raise _unexpected(
                self._here, "a sign between two operands is missing, or a bracket is one too many"
            )
        return tree

    @property
    def _here(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._here
        self._next += 1
        return token

    def _expect(self, text: str) -> Token:
        if self._here.kind != "sign" or self._here.text != text:
            raise _unexpected(self._here, f"write {text!r} here")
        return self._take()

    def _expression(self, tightness: int) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(
                "nested too deeply", at=self._here.at, remedy="split it over several signals"
            )
        left = self._prefix(self._take())
        while self._here.kind == "sign" and _LEFT.get(self._here.text, -1) > tightness:
            left = self._infix(left, self._take())
        self._depth -= 1
        return left

    def _prefix(self, token: Token) -> Tree:
        if token.kind == "number":
            return Number(token.at, token.value, token.unit)
        if token.kind == "name":
            return self._named(token)
        match token.text:
            case "(":
                inner = self._expression(0)
                self._expect(")")
                return inner
            case "-":
                return Unary(token.at, "-", self._expression(_SIGN))
            case "not":
                return Unary(token.at, "not", self._expression(_NOT))
            case "if":
                return self._choice(token)
        raise _unexpected(token, "write a number, a name, a function or a bracket")

    def _choice(self, token: Token) -> Tree:
        condition = self._expression(0)
        self._expect("then")
        yes = self._expression(0)
        self._expect("else")
        return Choice(token.at, condition, yes, self._expression(0))

    def _named(self, token: Token) -> Tree:
        if self._is("("):
            self._take()
            return Call(token.at, token.text, self._arguments())
        path = [token.text]
        while self._is("."):
            self._take()
            step = self._take()
            if step.kind != "name":
                raise _unexpected(step, "write a name after the point")
            path.append(step.text)
        return Name(token.at, tuple(path))

    def _arguments(self) -> tuple[Tree, ...]:
        found: list[Tree] = []
        while not self._is(")"):
            if found:
                self._expect(",")
            found.append(self._expression(0))
        self._take()
        return tuple(found)

    def _infix(self, left: Tree, token: Token) -> Tree:
        if token.text == "in":
            return OneOf(token.at, left, self._words())
        tightness = _LEFT[token.text]
        right = self._expression(tightness - 1 if token.text == "^" else tightness)
        if tightness == _COMPARE and self._here.text in COMPARISONS and self._here.kind == "sign":
            raise _unexpected(self._here, "compare two things at a time: a < b and b < c")
        return Binary(token.at, token.text, left, right)

    def _words(self) -> tuple[Name, ...]:
        self._expect("(")
        found: list[Name] = []
        while not found or self._is(","):
            if found:
                self._take()
            token = self._take()
            if token.kind != "name":
                raise _unexpected(token, "write words of states, such as (running, idle)")
            found.append(Name(token.at, (token.text,)))
        self._expect(")")
        return tuple(found)

    def _is(self, text: str) -> bool:
        return self._here.kind == "sign" and self._here.text == text


def _unexpected(token: Token, remedy: str) -> ExpressionError:
    what = "the end" if token.kind == "end" else f"{token.text!r}"
    if token.text in KEYWORDS:
        what = f"the word {token.text!r}"
    return ExpressionError(f"{what} cannot stand here", at=token.at, remedy=remedy)
