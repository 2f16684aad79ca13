"""Further lanes of a property: where an estimate or a simulated value of it comes from, beside the measured one."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from gemel.assets.derived import read_derived
from gemel.assets.dimension import amount, duration_ns
from gemel.assets.modelled import read_modelled
from gemel.assets.node import Node
from gemel.assets.signals import Scope, read_signal, read_source, where
from gemel.assets.spec import Signal

OTHERS: Final = ("estimated", "simulated")


def read_property(name: str, node: Node, sources: Iterable[Node | None], scope: Scope) -> Signal | None:
    """Read a signal with the further lanes that its node declares; None where it cannot be one."""
    signal = read_signal(name, node, sources, scope)
    return None if signal is None else _with_lanes(signal, node, scope)


def _with_lanes(signal: Signal, node: Node, scope: Scope) -> Signal:
    declared = [(lane, said) for lane in OTHERS if (said := node.get(lane)) is not None]
    if not declared:
        return signal
    return replace(signal, others=tuple(_lane(signal, lane, said, scope) for lane, said in declared))


def _lane(signal: Signal, lane: str, node: Node, scope: Scope) -> Signal:
    """Read one: unit, range and meaning are the property's; source, rhythm and accuracy its own; alarms go with the first."""
    derived = read_derived(signal.name, node, scope.problems)
    if lane == "estimated" and signal.derived:
        scope.problems.error(
            node, f"{signal.name!r} is derived: that is its estimated lane", "leave one of them out"
        )
    modelled = read_modelled(f"{signal.name} {lane}", node, scope.problems)
    if modelled and (lane != "estimated" or signal.modelled):
        scope.problems.error(node, f"{signal.name!r}: a dynamic model gives the lane estimated, once", "leave dynamics: out here")
    source, scale, offset = (
        (None, 1.0, 0.0)
        if derived or modelled
        else read_source(f"{signal.name} {lane}", signal.unit, [where(node, "unit")], scope)
    )
    if node.get("priority") is not None and not modelled:
        scope.problems.error(node.fields["priority"], f"{signal.name!r} {lane}: only what a dynamic model gives has an alarm of its own", "leave priority: out")
    interval = duration_ns(node.get("interval"))
    stale = duration_ns(node.get("stale_after")) or 5 * interval
    return replace(
        signal, lane=lane, source=source, scale=scale, offset=offset, alarm=None,
        max_rate=None, stuck_after_ns=0,  # these are checks of a sensor
        interval_ns=interval or signal.interval_ns, stale_after_ns=stale or signal.stale_after_ns,
        accuracy=amount(node.get("accuracy"), signal.unit, scope.problems, difference=True), others=(),
        tolerance=amount(node.get("tolerance"), signal.unit, scope.problems, difference=True), delay_ns=duration_ns(node.get("delay")),
        by=str(node.plain("by", "")), derived=derived, examples=len(node.items_of("examples")), modelled=modelled,
        priority=int(node.plain("priority", 3)),
    )  # fmt: skip
