"""Which dynamic model a type names, and which of the type's properties its names mean."""

from collections.abc import Iterable
from dataclasses import dataclass

from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Parameter, Signal

Names = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dynamics:
    """What a type says of its dynamic model.

    Args:
        reference: ``module:name`` of a class; None: it names none.
        names: pairs (name in the model, property of the type), where the two differ.
    """

    reference: str | None = None
    names: Names = ()


def read_dynamics(
    node: Node | None, signals: Iterable[Signal], parameters: Iterable[Parameter], problems: Problems
) -> Dynamics:
    """Read `dynamics` of a type: a text, or a mapping with the model and names that differ."""
    if node is None:
        return Dynamics()
    if not isinstance(node.value, dict):
        return Dynamics(str(node.value))
    known = [*(s.name for s in signals), *(p.name for p in parameters)]
    names = node.get("names")
    said = {} if names is None else names.fields
    for name, meant in said.items():
        if str(meant.value) not in known:
            problems.error(
                meant, f"{name!r} of the model means {meant.value!r}, which is no signal or parameter of the type",
                did_you_mean(str(meant.value), known),
            )  # fmt: skip
    found = tuple((name, str(meant.value)) for name, meant in said.items())
    return Dynamics(node.plain("model"), found)
