"""What is wrong with derived signals, said with the line of the plant file on which each is declared."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gemel.assets.derivations import Program
from gemel.assets.derived_bind import derivations_of
from gemel.assets.examples import Bench
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.assets.spec import Signal
from gemel.assets.types import AssetType
from gemel.errors import AssetError

if TYPE_CHECKING:
    from gemel.assets.plant import Plant


def check_derived(plant: "Plant", types: Mapping[str, AssetType], problems: Problems) -> None:
    """Report expressions that name nothing, do not fit their unit, or rest on each other in a circle."""

    def refuse(type_name: str, signal: Signal, error: AssetError) -> None:
        node = _declared(types[type_name].node.fields["signals"].fields[signal.name], signal.lane)
        problems.error(node.get("derived") or node, f"{signal.name!r}: {error.message}", error.remedy)

    if any(lane.computed for t in plant.templates for s in t.signals for lane in s.lanes):
        derivations = derivations_of(plant, refuse)
        for program in derivations.programs:
            _run_examples(plant, program, types[program.type].node, problems)


def _run_examples(plant: "Plant", program: Program, node: Node, problems: Problems) -> None:
    template = next(t for t in plant.templates if t.type == program.type)
    signal = next(s for s in template.signals if s.name == program.name)
    holds = {rule.name: rule.hold_ns for rule in template.rules}
    bench = Bench(signal, program.expression, template, problems)
    for example in _declared(node.fields["signals"].fields[program.name], program.lane).items_of("examples"):
        bench.run(example, holds.get(program.name))


def _declared(signal: Node, lane: str) -> Node:
    """Give where a lane's expression stands: on the signal, or on a further lane of it."""
    if signal.get("derived") is not None:
        return signal
    return signal.get(lane) or signal
