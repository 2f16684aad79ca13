"""Which uses of a dynamic model a kind of FMU allows; docs/models.md has the table."""

from __future__ import annotations

from collections.abc import Iterator

from gemel.assets.spec import Template
from gemel.operate.fmi.model import FmuModel

Found = tuple[str, tuple[str, ...], str, str]  # severity, where in the type, words, remedy
EXCHANGE = "export it for model exchange"


def misused(template: Template, model: FmuModel | None) -> Iterator[Found]:
    """Give what a type asks of its FMU that one of its kind cannot give, or gives with a limit; None: it is none."""
    if model is None:
        return
    followed = [s.name for s in template.signals for lane in s.lanes if lane.modelled]
    worn = [d.name for d in template.degradations if d.state]
    if not model.exchanged:
        yield from _as_a_whole(model, followed, worn)
    elif model.events and (followed or any(p.calibrate for p in template.parameters)):
        words = f"{model.called} has events: what it remembers from one to the next is not kept in estimates and fits"
        yield "warning", ("dynamics",), words, "let what it remembers be a state, or leave it out"


def _as_a_whole(model: FmuModel, followed: list[str], worn: list[str]) -> Iterator[Found]:
    for name in followed:
        words = f"{name!r} is to be estimated, and {model.called} is for co-simulation: it cannot be set to what is believed between readings"
        yield "error", ("signals", name), words, EXCHANGE
    for name in worn:
        words = f"degradation {name!r} is to be a state, and {model.called} is for co-simulation: it tells no rate of it"
        yield "error", ("degradation", name, "state"), words, f"{EXCHANGE}, or write rate: and an expression"
    if not model.states:
        words = f"{model.called} tells nothing that may be set before it begins: its what-ifs and fits begin where it begins, not where the machine is"
        yield "warning", ("dynamics",), words, f'{EXCHANGE}, or with initial="exact" for what it begins with'
