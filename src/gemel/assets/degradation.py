"""Degradations and their place in a type: what wears out, by which law, shown by which signal, failed at which value.

`degradation: wheel: {rate: 1.5e-4 * (speed / rated_speed)^3 / 1 h, indicator: head_loss, threshold: 15 %}` is a law that
remaining life is foretold by, and the signals that what is foretold is kept in, on the lane *estimated*:
`wheel_degradation`, `wheel_life` with `wheel_life_low` and `wheel_life_high`, and `wheel_risk` with its alarm.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gemel.assets.dimension import amount, duration_ns
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Degradation, Parameter, Signal
from gemel.errors import AssetError, ExpressionError
from gemel.samples import units
from gemel.samples.clock import DAY
from gemel.samples.expression import Expression, Leaf, Names, compile_expression, number, state
from gemel.samples.expression_kinds import quotient

HORIZON: Final = 731 * DAY
EVERY: Final = DAY // 24
WITHIN: Final = 30 * DAY
SPREAD: Final = 0.5
PRIORITY: Final = 3  # a class of its own: what may come never outranks what is
KEPT: Final = 3  # refreshes after which what was foretold is stale


def with_degradations(node: Node, problems: Problems) -> Node:
    """Lay the signals that prognoses are kept in among a type's signals."""
    section = node.get("degradation")
    if section is None or not section.fields:
        return node
    signals = node.get("signals") or Node({}, node.file, node.line)
    laid = dict(signals.fields)
    for name, said in section.fields.items():
        for own, made in _signals(name, said, laid).items():
            if own in laid:
                problems.error(
                    said, f"{own!r} is a signal, and kept for the prognosis of {name!r}", "rename one of them"
                )
            else:
                laid[own] = made
    fields = {**node.fields, "signals": Node(laid, signals.file, signals.line, signals.lost)}
    return Node(fields, node.file, node.line, node.lost)


def read_degradations(
    node: Node, signals: Mapping[str, Signal], parameters: Sequence[Parameter], problems: Problems
) -> tuple[Degradation, ...]:
    """Read what wears out of a type; what is wrong is told with its line."""
    section = node.get("degradation")
    found = []
    for name, said in (section.fields if section is not None else {}).items():
        before = problems.count
        made = _degradation(name, said, signals, {p.name: p for p in parameters}, problems)
        if made is not None and problems.count == before:
            _check(made, said, node, signals, parameters, problems)
        if made is not None and problems.count == before:
            found.append(made)
    return tuple(found)


def compiled_rate(
    degradation: Degradation, signals: Sequence[Signal], parameters: Sequence[Parameter]
) -> Expression:
    """Compile the law of a degradation: `unit` per second, of signals and parameters of its own asset; raises ExpressionError."""
    table: dict[str, Leaf] = {p.name: Leaf((p.name,), number(p.unit)) for p in parameters}
    for s in signals:
        if not s.prognosis:
            table[s.name] = Leaf((s.name,), state(s.states) if s.kind == "state" else number(s.unit))
    return compile_expression(degradation.rate, Names(table), number(quotient(degradation.unit, "s")))


def _signals(name: str, said: Node, laid: Mapping[str, Node]) -> dict[str, Node]:
    """Give the nodes of the signals of a prognosis."""

    def new(value: Any) -> Node:
        return Node(value, said.file, said.line)

    every = _every(said)
    shared = {"prognosis": new(name), "interval": new(every / 1e9), "stale_after": new(KEPT * every / 1e9)}
    shared |= {"retention": kept} if (kept := said.get("retention")) is not None else {}
    words = said.plain("description", name)

    def signal(unit: str, about: str, **more: Node) -> Node:
        return new({"unit": new(unit), "description": new(f"{words}: {about}"), **shared, **more})

    unit, warning = _unit(said, laid), said.get("warning") or new({})
    alarm = _alarm(warning)
    return {
        f"{name}_degradation": signal(unit, "how far it has come"),
        f"{name}_life": signal("d", "remaining life, median"),
        f"{name}_life_low": signal("d", "remaining life, 5 % quantile"),
        f"{name}_life_high": signal("d", "remaining life, 95 % quantile"),
        f"{name}_risk": signal(
            "%", f"probability of failing within {_within(warning) / DAY:g} days", **alarm
        ),
    }


def _alarm(warning: Node) -> dict[str, Node]:
    probability = warning.get("probability")
    if probability is None:
        return {}
    percent = 100.0 * units.quantity(probability.value, "1")  # type: ignore[arg-type]
    fields = {
        k: v for k, v in warning.fields.items() if k in {"cause", "consequence", "response", "respond_within"}
    }
    fields |= {
        "high": Node(percent, probability.file, probability.line),
        "priority": Node(PRIORITY, warning.file, warning.line),
    }
    fields["deadband"] = Node(0.2 * percent, warning.file, warning.line)
    return {"alarm": Node(fields, warning.file, warning.line)}


def _every(said: Node) -> int:
    return duration_ns(said.get("every"), EVERY)


def _within(warning: Node) -> int:
    return duration_ns(warning.get("within"), WITHIN)


def _unit(said: Node, laid: Mapping[str, Node]) -> str:
    shown = laid.get(str(said.plain("indicator", "")))
    return str(said.plain("unit", None) or (shown.plain("unit") if shown is not None else None) or "1")


def _degradation(
    name: str,
    said: Node,
    signals: Mapping[str, Signal],
    parameters: Mapping[str, Parameter],
    problems: Problems,
) -> Degradation | None:
    shown = signals.get(str(said.plain("indicator", "")))
    unit = str(said.plain("unit", None) or (shown.unit if shown is not None else "1"))
    threshold = amount(said.get("threshold"), unit, problems)
    if threshold is None:
        return None
    warning = said.get("warning") or Node({}, said.file, said.line)
    return Degradation(
        name=name, unit=unit, threshold=threshold, new=amount(said.get("new"), unit, problems) or 0.0,
        rate=str(said.plain("rate", "")), state=str(said.plain("state", "")), indicator=str(said.plain("indicator", "")),
        start=_start(said.get("start"), unit, parameters, problems), spread=_share(said.get("spread"), SPREAD),
        drives=dict(said.plain("drives", {})),
        maintenance={action: _share(n, 0.0) for action, n in _entries(said.get("maintenance")).items()},
        horizon_ns=duration_ns(said.get("horizon"), HORIZON), every_ns=_every(said), within_ns=_within(warning),
        description=str(said.plain("description", "")),
    )  # fmt: skip


def _entries(node: Node | None) -> Mapping[str, Node]:
    return {} if node is None else node.fields


def _share(node: Node | None, otherwise: float) -> float:
    return otherwise if node is None else units.quantity(node.value, "1")  # type: ignore[arg-type]


def _start(
    node: Node | None, unit: str, parameters: Mapping[str, Parameter], problems: Problems
) -> float | str | None:
    if node is None:
        return None
    word = str(node.value)
    if word not in parameters:
        return amount(node, unit, problems)
    if not units.fits(parameters[word].unit, unit):
        problems.error(
            node,
            f"{word!r} is in {parameters[word].unit!r}, and {unit!r} is meant",
            "name another parameter, or write a value",
        )
    return word


def _check(
    found: Degradation, said: Node, type_node: Node, signals: Mapping[str, Signal], parameters: Sequence[Parameter], problems: Problems,
) -> None:  # fmt: skip
    """Tell what does not fit together."""
    what = f"degradation {found.name!r}"
    if bool(found.rate) == bool(found.state):
        problems.error(
            said,
            f"{what} has {'both a rate and a state' if found.rate else 'no law'}",
            "write rate: and an expression, or state: and a state of the dynamic model",
        )
    elif found.state and type_node.get("dynamics") is None:
        problems.error(
            said.fields["state"],
            f"{what} is a state of a dynamic model, and the type has none",
            "add dynamics: module:name, or write rate: and an expression",
        )
    elif found.rate:
        _check_rate(found, said, signals, parameters, problems)
    if found.threshold == found.new:
        problems.error(
            said.fields["threshold"],
            f"{what} is new and failed at the same value",
            "write another threshold:, or new:",
        )
    if not 0.0 < found.spread <= 3.0:
        problems.error(
            said.get("spread") or said,
            f"the spread of {what} is {found.spread:g}",
            "write a share from 1 % to 300 %",
        )
    for action, left in found.maintenance.items():
        if left > 1.0:
            problems.error(
                said.fields["maintenance"].fields[action],
                f"{action!r} leaves more than all of {what}",
                "write what is left of it: 0 % as new, 100 % as it was",
            )
    named = {"indicator": (found.indicator, said.get("indicator"))} if found.indicator else {}
    named |= {word: (to, said.fields["drives"].fields[word]) for word, to in found.drives.items()}
    for name, node in named.values():
        if name not in signals or signals[name].prognosis:
            problems.error(
                node or said,
                f"{what}: no signal {name!r}",
                did_you_mean(name, [n for n, s in signals.items() if not s.prognosis]),
            )
    shown = signals.get(found.indicator)
    if shown is not None and (shown.kind == "state" or not units.fits(shown.unit, found.unit)):
        problems.error(
            said.fields["indicator"],
            f"{what}: {found.indicator!r} is in {shown.unit!r}, and {found.unit!r} is meant",
            "name a signal of that unit",
        )


def _check_rate(
    found: Degradation,
    said: Node,
    signals: Mapping[str, Signal],
    parameters: Sequence[Parameter],
    problems: Problems,
) -> None:
    node = said.fields["rate"]
    try:
        read = compiled_rate(found, list(signals.values()), parameters)
    except (ExpressionError, AssetError) as e:
        problems.error(node, f"degradation {found.name!r}: {e.message}", e.remedy)
        return
    own = {leaf.path[-1] for leaf in read.leaves} & signals.keys()
    if not own:
        problems.warn(
            node,
            f"degradation {found.name!r} is driven by no signal: it goes on whatever the load",
            "name the signal that drives it",
        )
