"""YAML 1.2 to nodes with line numbers, from the parser's events: `no` and `on` are words, `1e-3` is a number."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from gemel import sealing
from gemel.assets.node import Node, Scalar
from gemel.assets.problem import Problems

# YAML 1.2.2, section 10.3.2: the core schema's tag resolution
_INT: Final = re.compile(r"[-+]?[0-9]+$")
_OCTAL: Final = re.compile(r"0o[0-7]+$")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+$")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_WORDS: Final[dict[str, Scalar]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
    **{f"{sign}{word}": float(f"{sign}inf") for sign in ("", "-", "+") for word in (".inf", ".Inf", ".INF")},
}  # fmt: skip
_STARTS: Final = frozenset("0123456789+-.~nNtTfF")
DEEPEST: Final = 50  # levels; a plant file needs seven
LONGEST: Final = 300  # digits that a float64 can still hold the size of


def parse_text(text: str, file: str, problems: Problems) -> Node | None:
    """Read one YAML document; what the parser refuses becomes a problem with the parser's own line."""
    try:
        return _Builder(file, problems).document(iter(YAML(typ="safe", pure=True).parse(text)))
    except MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line = mark.line + 1 if mark is not None else 0
        words = " ".join(str(part) for part in (e.context, e.problem) if part)
        problems.error(
            Node(None, file, line),
            f"not YAML 1.2: {words}",
            "see this line and the one above: an indent, a colon, a bracket or a quote",
        )
    except (YAMLError, ValueError) as e:  # ValueError: a character or an escape that YAML does not allow
        line = text.count("\n", 0, e.position) + 1 if hasattr(e, "position") else 0
        problems.error(
            Node(None, file, line), f"not YAML 1.2: {str(e).splitlines()[0]}", "save the file as UTF-8 text"
        )
    return None


def parse_file(path: Path, problems: Problems) -> Node | None:
    """Read a file; one that cannot be read is a problem."""
    try:
        text = sealing.read(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as e:
        problems.error(Node(None, str(path), 0), f"cannot be read: {e}", "make it a readable UTF-8 text file")
        return None
    return parse_text(text, str(path), problems)


def scalar(text: str) -> Scalar:
    """Give the value of a plain (unquoted) scalar by the core schema.

    >>> [scalar(t) for t in ("no", "1e-3", "0x1F", "true", "1_000")]
    ['no', 0.001, 31, True, '1_000']
    """
    if text and text[0] not in _STARTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return (
            int(text) if len(text) <= LONGEST else float(text)
        )  # beyond a float64 it is infinite, and refused
    if _FLOAT.match(text):
        return float(text)
    if _OCTAL.match(text) or _HEX.match(text):
        return int(text, 0)
    return text


class _Builder:
    """Builds nodes from events; each kind of event by its class's name, which is what the parser gives cheaply."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._anchors: dict[str, Node] = {}
        self._events: Iterator[Any] = iter(())
        self._depth = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        self._events = events
        root = None
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent" and root is not None:
                self._say(
                    event, "a second document in one file", "put it into a file of its own, or drop the ---"
                )
                return root
            if kind in {"MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"}:
                root = self._value(event, event.start_mark.line + 1)
        return root

    def _value(self, event: Any, line: int) -> Node:
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self._alias(event, line)
        if event.tag is not None and not str(event.tag).endswith(":str"):
            self._say(event, f"a tag ({event.tag}) is not used in plant files", "write the plain value")
        node = Node(
            None, self._file, line, refused=event.tag is not None and not str(event.tag).endswith(":str")
        )
        if kind == "ScalarEvent":
            node.value = (
                scalar(event.value) if event.style in (None, "") and event.tag is None else event.value
            )
        else:
            self._depth += 1
            if self._depth > DEEPEST:
                raise MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
            node.value = self._mapping() if kind == "MappingStartEvent" else self._sequence()
            self._depth -= 1
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, line: int) -> Node:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._say(
                event,
                f"alias *{event.anchor} refers to no finished anchor above",
                f"write &{event.anchor} at the value it stands for",
            )
            return Node(None, self._file, line, refused=True)
        return known.at(line)

    def _mapping(self) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while type(key := next(self._events)).__name__ != "MappingEndEvent":
            line = key.start_mark.line + 1
            if type(key).__name__ != "ScalarEvent":
                self._say(key, "a key must be a plain word", "write name: value")
                self._value(key, line)
                self._value(next(self._events), line)
                continue
            value = self._value(next(self._events), line)
            if key.value in entries:
                self._say(
                    key,
                    f"{key.value!r} stands here twice, first on line {entries[key.value].line}",
                    "keep one, or rename one",
                )
                continue
            entries[key.value] = value
        return entries

    def _sequence(self) -> list[Node]:
        members = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            members.append(self._value(event, event.start_mark.line + 1))
        return members

    def _say(self, event: Any, message: str, remedy: str) -> None:
        self._problems.error(Node(None, self._file, event.start_mark.line + 1), message, remedy)
