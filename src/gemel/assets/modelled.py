"""Signals that the dynamic model of their type gives: virtual sensors, followed parameters, and what was expected of a sensor.

`level: {unit: m, accuracy: 2 mm, estimated: {dynamics: true}}` is measured and estimated; `wear: {unit: "1", dynamics: true}`
is measured by nothing. Which states, outputs and parameters the model has is checked where it is loaded.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from gemel.assets.dimension import duration_ns
from gemel.assets.grammar import WHERE
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.assets.spec import Estimates, Signal
from gemel.samples.clock import SECOND

BALANCES: Final = "balances"  # gives what no dynamic model does
STALE: Final = 5  # estimates left out, after which what was estimated is stale


def read_modelled(name: str, node: Node, problems: Problems) -> bool:
    """Tell whether the model gives a signal; where it comes from elsewhere too, that is said."""
    if not node.plain("dynamics", False):
        return False
    if any(key in node.fields for key in (*WHERE, "source", "derived", "rollup")):
        problems.error(node.fields["dynamics"], f"{name!r} is given by the dynamic model, and comes from elsewhere too", "keep one of them")
    if node.get("states") is not None or node.plain("kind", "analog") != "analog":
        problems.error(node.fields["dynamics"], f"{name!r} is no analog value: a dynamic model gives only those", "leave dynamics: out")
    return True


def read_estimates(node: Node) -> Estimates:
    """Read how the model of a type follows its machines."""
    said = node.get("estimates")
    return Estimates() if said is None else estimates_of(said)


def estimates_of(said: Node) -> Estimates:
    """Read what stands under `estimates`, of a type or of an area."""
    states, sensors = (tuple(map(str, said.plain(key, ()))) for key in ("states", "sensors"))
    return Estimates(
        duration_ns(said.get("every"), SECOND), _amounts(said.get("noise")), states, sensors,
        filter=str(said.plain("filter", "unscented")), drift_ns=duration_ns(said.get("drift"), 0), scatter=_amounts(said.get("scatter")),
        start=_amounts(said.get("start")), changes=_amounts(said.get("changes")),
    )  # fmt: skip


def _amounts(said: Node | None) -> dict[str, str | float]:
    return {} if said is None else {name: n.value for name, n in said.fields.items()}  # type: ignore[misc]


def with_model(
    signals: Mapping[str, Signal], node: Node, followed_by: tuple[str, Estimates], balanced: Collection[str], problems: Problems
) -> dict[str, Signal]:
    """Name the model behind each signal that it gives, and their rhythm; a type without a model gives only those `balanced`."""
    section, (model, estimates) = node.get("signals"), followed_by
    found = {}
    for name, signal in signals.items():
        said = section.fields.get(name) if section is not None else None
        if any(lane.modelled for lane in signal.lanes) and not model and name not in balanced:
            problems.error(said or node, f"{name!r} is given by a dynamic model, and its type names none", "add dynamics: module:name to the type")
        found[name] = followed(signal, model, estimates)
    if node.get("estimates") is not None and not any(s.modelled for one in found.values() for s in one.lanes):
        problems.warn(node.fields["estimates"], "nothing is estimated", "say dynamics: true of a signal, or estimated: {dynamics: true}")
    return found


def followed(signal: Signal, model: str, estimates: Estimates) -> Signal:
    """Give a signal whose lanes say which model gives them, and how often."""
    return replace(_lane(signal, model, estimates), others=tuple(_lane(o, model, estimates) for o in signal.others))


def _lane(signal: Signal, model: str, estimates: Estimates) -> Signal:
    if not signal.modelled:
        return signal
    every = estimates.every_ns
    stale = max(STALE * every, 10 * SECOND)
    return replace(
        signal, by=signal.by or model or BALANCES, interval_ns=every, stale_after_ns=stale, max_rate=None, stuck_after_ns=0
    )
