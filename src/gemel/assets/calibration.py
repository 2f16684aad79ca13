"""How the parameters of a type follow its machines: when, on which data, and who lets a challenger in."""

from collections.abc import Mapping
from typing import Final

from gemel.assets.dimension import amount, duration_ns
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Calibrating, Signal

DAY_NS: Final = 86_400_000_000_000
NEVER: Final = "never"


def read_calibration(node: Node | None, signals: Mapping[str, Signal], problems: Problems) -> Calibrating:
    """Read how a type's parameters follow; where nothing is said, every night at two."""
    if node is None:
        return Calibrating()
    every = node.get("every")
    every_ns = 0 if every is not None and every.value == NEVER else duration_ns(every, DAY_NS)
    step, lead = node.get("step"), node.get("lead")
    return Calibrating(
        every_ns=every_ns, at=str(node.plain("at", "02:00")), window_ns=duration_ns(node.get("window"), max(every_ns, DAY_NS)),
        step_s=None if step is None else duration_ns(step) / 1e9,
        running=tuple((n, _span(said, signals[n], problems)) for n, said in _known(node.get("running"), signals, problems)),
        regimes=tuple((n, _edges(said, signals[n], problems)) for n, said in _known(node.get("regimes"), signals, problems)),
        most=int(node.plain("most", 10_000)), unseen=float(node.plain("unseen", 0.3)),
        promote=str(node.plain("promote", "gate")), shadow=int(node.plain("shadow", 0)),
        sensors=tuple(str(n.value) for n in node.items_of("sensors")), hybrid=bool(node.plain("hybrid", False)),
        lead_s=None if lead is None else duration_ns(lead) / 1e9,
    )  # fmt: skip


def _known(section: Node | None, signals: Mapping[str, Signal], problems: Problems) -> list[tuple[str, Node]]:
    found = []
    for name, said in (section.fields if section is not None else {}).items():
        if name in signals:
            found.append((name, said))
        else:
            problems.error(said, f"calibration names an unknown signal {name!r}", did_you_mean(name, signals, "name a signal of the type"))
    return found


def _span(said: Node, signal: Signal, problems: Problems) -> tuple[float | None, float | None]:
    if not isinstance(said.value, list):  # at least that much
        return amount(said, signal.unit, problems), None
    low, high = (amount(n, signal.unit, problems) for n in said.items)
    if low is not None and high is not None and low >= high:
        problems.error(said, f"running of {signal.name!r} ends before it begins", "write the lower value first")
    return low, high


def _edges(said: Node, signal: Signal, problems: Problems) -> tuple[float, ...]:
    edges = [e for n in said.items if (e := amount(n, signal.unit, problems)) is not None]
    if edges != sorted(set(edges)):
        problems.error(said, f"regimes of {signal.name!r} do not ascend", "write each edge once, the lowest first")
    return tuple(edges)
