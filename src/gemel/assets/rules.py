"""Rules and their place in a type: a condition is a derived signal of the words no and yes, an event where it holds long enough.

`rules: starved: {when: any(upstream.jammed), for: 5 s}` is the signal `starved`, which any expression may name, and
the facts `EventRaised` and `EventCleared`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from gemel.assets.dimension import duration_ns
from gemel.assets.grammar import RULE_SIGNAL
from gemel.assets.laying import laid_among_signals
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.assets.spec import Rule
from gemel.samples.batch import I32, I64

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

WORDS: Final = ("no", "yes")


def with_rules(node: Node, problems: Problems) -> Node:
    """Lay the conditions of a type's rules among its signals."""

    def make(name: str, said: Node, laid: Mapping[str, Node]) -> Node | None:
        if said.get("when") is not None:
            return _signal(said)
        if "when" not in said.lost:
            problems.error(said, f"rule {name!r} has no when", "add when: the condition, an expression")
        return None

    return laid_among_signals(node, "rules", "is a signal and a rule", make, problems)


def _signal(rule: Node) -> Node:
    states = Node([Node(word, rule.file, rule.line) for word in WORDS], rule.file, rule.line)
    kept = {k: v for k, v in rule.fields.items() if k in RULE_SIGNAL}
    return Node({"states": states, "derived": rule.fields["when"], **kept}, rule.file, rule.line)


def read_rules(node: Node) -> tuple[Rule, ...]:
    """Read the rules of a type."""
    section = node.get("rules")
    entries = section.fields if section is not None else {}
    return tuple(
        Rule(name, duration_ns(said.get("for")), str(said.plain("description", "")))
        for name, said in entries.items()
        if said.get("when") is not None
    )


@dataclass(frozen=True, slots=True, eq=False)
class EventRules:
    """The rules of all assets, a row each.

    Args:
        signal: number of the signal of its condition.
        hold_ns: how long it must hold [ns].
        names, assets: of the event, and the path of whose it is.
        words: what it is.
    """

    signal: I32 = field(default_factory=lambda: np.empty(0, np.int32))
    hold_ns: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    names: Sequence[str] = ()
    assets: Sequence[str] = ()
    words: Sequence[str] = ()


def events_of(plant: "Plant", numbers: I32) -> EventRules:
    """Give the rules of all assets; `numbers` are those of the layout's signals."""
    rules = [{r.name: r for r in t.rules} for t in plant.templates]
    laid = zip(plant.templates, rules, strict=True)
    wanted = {id(s) for t, own in laid for s in t.signals if s.name in own}
    if not wanted:
        return EventRules()
    at = plant.layout.where(lambda s: id(s) in wanted)
    rows = plant.layout.asset[at].tolist()
    found = [rules[plant.assets.template[row]].get(spec.name) for row, spec in plant.layout.pairs(at.tolist())]
    keep = [i for i, rule in enumerate(found) if rule is not None]
    own = [rule for rule in found if rule is not None]
    return EventRules(
        numbers[at[keep]], np.array([r.hold_ns for r in own], np.int64), [r.name for r in own],
        [plant.assets.paths[rows[i]] for i in keep], [r.description or r.name for r in own],
    )  # fmt: skip
