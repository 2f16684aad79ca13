"""Which uses of a dynamic model a kind of FMU allows; docs/models.md has the table."""

from __future__ import annotations

from collections.abc import Iterator

from gemel.assets.spec import Template
from gemel.operate.binding import names_of
from gemel.operate.fmi.model import FmuModel

Found = tuple[str, tuple[str, ...], str, str]  # severity, where in the type, words, remedy
EXCHANGE = "export it for model exchange"


def misused(template: Template, model: FmuModel | None, *, alone: bool = True) -> Iterator[Found]:
    """Give what a type asks of its FMU that one of its kind cannot give, or gives with a limit; None: it is none.

    `alone`: an asset of the type is followed by itself, and not as a part of an area.
    """
    if model is None:
        return
    followed = [s.name for s in template.signals for lane in s.lanes if lane.modelled]
    if not model.exchanged:
        yield from _as_a_whole(template, model, followed, alone)
    elif model.events and (followed or any(p.calibrate for p in template.parameters)):
        words = f"{model.called} has events: what they set, its states too, is not kept in estimates, and in who is wrong; what-ifs and fits of whole runs meet them"
        yield "warning", ("dynamics",), words, "export it for co-simulation too, with canGetAndSetFMUState and canSerializeFMUState: it is then followed with all that it remembers"


def _as_a_whole(template: Template, model: FmuModel, followed: list[str], alone: bool) -> Iterator[Found]:
    if followed and not model.saves:
        words = f"{followed[0]!r} is to be estimated, and {model.called} is for co-simulation and cannot save its state: nobody can go on from what it remembers"
        yield "error", ("signals", followed[0]), words, f"{EXCHANGE}, or with canGetAndSetFMUState and canSerializeFMUState"
    elif followed:
        yield from _followed(template, model, followed, alone)
    if not model.states:
        words = f"{model.called} tells nothing that may be set before it begins: its what-ifs and fits begin where it begins, not where the machine is"
        yield "warning", ("dynamics",), words, f'{EXCHANGE}, or with initial="exact" for what it begins with'


def _followed(template: Template, model: FmuModel, followed: list[str], alone: bool) -> Iterator[Found]:
    """Give what of its estimates members that it saves and brings back cannot tell."""
    meant, asked = names_of(template), template.estimates
    own = {meant.get(n, n): n for n in model.parameters}
    for name in followed:
        if name in own and own[name] not in model.tunable:
            words = f"{name!r} is to be followed, and {model.called} calls {own[name]!r} fixed: it cannot change while it runs"
            yield "error", ("signals", name), words, f"have it exported as tunable, or {EXCHANGE}"
    if asked.drift_ns or asked.filter != "unscented":
        words = f"{model.called} is for co-simulation: it is followed by members that it saves, by no other filter, and errors that last are not told apart"
        yield "error", ("estimates", "drift" if asked.drift_ns else "filter"), words, f"leave it out, or {EXCHANGE}"
    if alone and asked.states and set(asked.states) != set(model.states):
        words = f"{model.called} is for co-simulation: none of its states can be left out"
        yield "error", ("estimates", "states"), words, EXCHANGE
    for name in asked.noise:
        if name in model.states:
            words = f"nobody can move {name!r} while {model.called} runs: what it does not know comes in by inputs and tunable parameters"
            yield "warning", ("estimates", "noise", name), words, "say how far an input may be off, by its name"
    spread = [n for n in model.inputs if n in asked.noise or any(s.name == meant.get(n, n) and s.source is not None for s in template.signals)]
    if alone and not spread and not any(n in own for n in followed):
        words = f"{model.called} has no input that is measured, and none of its parameters is followed: readings change nothing of what it says"
        yield "error", ("dynamics",), words, f"let an input be read, or a tunable parameter be followed, or {EXCHANGE}"
