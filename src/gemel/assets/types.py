"""Types with inheritance: each is laid over what it extends, then read once."""

from dataclasses import dataclass, replace

from gemel.assets.calibration import read_calibration
from gemel.assets.commands import read_command
from gemel.assets.degradation import read_degradations, with_degradations
from gemel.assets.derived import with_rhythm
from gemel.assets.dimension import amount, pair
from gemel.assets.dynamics import read_dynamics
from gemel.assets.fmus import said_of
from gemel.assets.kpis import read_kpis
from gemel.assets.lanes import read_property
from gemel.assets.modelled import read_estimates, with_model
from gemel.assets.node import Node, merged
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.rollups import with_rollups
from gemel.assets.rules import read_rules, with_rules
from gemel.assets.signals import Scope, where
from gemel.assets.spec import CommandSpec, Parameter, Signal, Template


@dataclass(frozen=True)
class AssetType:
    """A type: its nodes with what it inherits, what was read from them, and its nodes as the file says them.

    In `node` the conditions of rules stand among the signals.
    """

    node: Node
    template: Template
    said: Node


def read_types(section: Node | None, scope: Scope) -> dict[str, AssetType]:
    """Read all types, heirs after what they extend."""
    declared = section.fields if section is not None else {}
    lineages = {name: _lineage(name, declared, scope.problems) for name in declared}
    read: dict[str, AssetType] = {}
    for name in sorted(declared, key=lambda n: len(lineages[n])):
        lineage = lineages[name]
        above = read[lineage[1]].said if len(lineage) > 1 else None
        said = declared[name] if above is None else merged(above, declared[name])
        node = with_degradations(
            with_rollups(with_rules(said, scope.problems), scope.problems), scope.problems
        )
        versions = tuple(int(declared[n].plain("version", 1)) for n in lineage)
        read[name] = AssetType(node, replace(_template(lineage, node, scope), versions=versions), said)
    return {name: read[name] for name in declared}


def _lineage(name: str, declared: dict[str, Node], problems: Problems) -> tuple[str, ...]:
    lineage = [name]
    while (extends := declared[lineage[-1]].get("extends")) is not None:
        parent = str(extends.value)
        if parent not in declared:
            problems.error(
                extends,
                f"{lineage[-1]!r} extends an unknown type {parent!r}",
                did_you_mean(parent, (n for n in declared if n != lineage[-1])),
            )
            break
        if parent in lineage:
            circle = [*lineage[lineage.index(parent) :], parent]
            first = min(circle)  # said once, whichever type of the circle we came from
            if lineage[-1] == circle[-2] and name == first:
                problems.error(
                    extends,
                    f"types extend each other in a circle: {' → '.join(circle)}",
                    "let one of them extend nothing",
                )
            return (name,)
        lineage.append(parent)
    return tuple(lineage)


def _template(lineage: tuple[str, ...], node: Node, scope: Scope) -> Template:
    signals, parameters = read_signals(node, scope), _parameters(node, scope.problems)
    dynamics, estimates = read_dynamics(node.get("dynamics"), signals.values(), parameters, scope), read_estimates(node)
    signals = with_model(signals, node, (said_of(dynamics.reference), estimates), scope.balanced, scope.problems)
    return Template(
        type=lineage[0], lineage=lineage, description=node.plain("description", ""), dynamics=dynamics.reference, estimates=estimates,
        names=dynamics.names, calibration=read_calibration(node.get("calibration"), signals, scope.problems),
        signals=tuple(signals.values()), parameters=parameters,
        commands=read_commands(node.get("commands"), signals, scope), rules=read_rules(node),
        degradations=read_degradations(node, signals, parameters, scope.problems),
        kpis=read_kpis(node, signals, parameters, scope.problems),
    )  # fmt: skip


def read_signals(node: Node, scope: Scope) -> dict[str, Signal]:
    """Read the signals of a type."""
    section = node.get("signals")
    found = {}
    scope.broken.update(section.lost if section is not None else ())
    for name, said in (section.fields if section is not None else {}).items():
        signal = read_property(name, said, (node.get("source"), said.get("source"), where(said)), scope)
        if signal is None:
            scope.broken.add(name)
        else:
            found[name] = signal
    _check_names_before(found, section, scope.problems)
    return with_rhythm(found, section)


def _check_names_before(found: dict[str, Signal], section: Node | None, problems: Problems) -> None:
    first: dict[str, str] = {}
    for signal in found.values():
        if not signal.formerly or section is None:
            continue
        node = section.fields[signal.name]
        if signal.formerly in found:
            problems.error(
                node.get("formerly") or node,
                f"{signal.name!r} is formerly {signal.formerly!r}, which is a signal still",
                "drop formerly: where it was applied, or give one of them another name",
            )
        elif signal.formerly in first:
            problems.error(
                node.get("formerly") or node,
                f"both {first[signal.formerly]!r} and {signal.name!r} are formerly {signal.formerly!r}",
                "only one of them can go on from it",
            )
        first[signal.formerly] = signal.name


def read_commands(section: Node | None, signals: dict[str, Signal], scope: Scope) -> tuple[CommandSpec, ...]:
    """Read the commands of a type."""
    entries = section.fields if section is not None else {}
    read = (read_command(name, node, signals, scope) for name, node in entries.items())
    return tuple(c for c in read if c is not None)


def _parameters(node: Node, problems: Problems) -> tuple[Parameter, ...]:
    section = node.get("parameters")
    found = []
    for name, said in (section.fields if section is not None else {}).items():
        unit = said.plain("unit")
        if unit is None:
            continue
        low, high = pair(said.get("range"), unit, f"range of {name!r}", problems) or (None, None)
        found.append(
            Parameter(
                name=name,
                unit=unit,
                calibrate=said.plain("calibrate", False),
                low=low,
                high=high,
                default=amount(said.get("default"), unit, problems),
                description=said.plain("description", ""),
                accuracy=amount(said.get("accuracy"), unit, problems, difference=True),
            )
        )
    return tuple(found)
