"""Which dynamic model a type names, and which of the type's properties its names mean."""

from collections.abc import Iterable
from dataclasses import dataclass

from gemel.assets.fmus import reference
from gemel.assets.node import Node
from gemel.assets.problem import did_you_mean
from gemel.assets.signals import Scope
from gemel.assets.spec import Parameter, Signal

Names = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dynamics:
    """What a type says of its dynamic model.

    Args:
        reference: ``module:name`` of a class, ``name.fmu@digest`` of an FMU; None: it names none.
        names: pairs (name in the model, property of the type), where the two differ.
    """

    reference: str | None = None
    names: Names = ()


def read_dynamics(
    node: Node | None, signals: Iterable[Signal], parameters: Iterable[Parameter], scope: Scope
) -> Dynamics:
    """Read `dynamics` of a type: a text, or a mapping with the model (or an FMU) and names that differ."""
    if node is None:
        return Dynamics()
    if not isinstance(node.value, dict):
        return Dynamics(str(node.value))
    known = [*(s.name for s in signals), *(p.name for p in parameters)]
    names = node.get("names")
    said = {} if names is None else names.fields
    for name, meant in said.items():
        if str(meant.value) not in known:
            scope.problems.error(
                meant, f"{name!r} of the model means {meant.value!r}, which is no signal or parameter of the type",
                did_you_mean(str(meant.value), known),
            )  # fmt: skip
    found = tuple((name, str(meant.value)) for name, meant in said.items())
    return Dynamics(_reference(node, scope), found)


def _reference(node: Node, scope: Scope) -> str | None:
    model, fmu = node.get("model"), node.get("fmu")
    if (model is None) == (fmu is None):
        scope.problems.error(node, "a dynamic model is of Python or an FMU", "write one of model: module:name and fmu: pump.fmu")
        return None
    if fmu is None:
        return str(node.plain("model"))
    name = str(fmu.value)
    digest = scope.fmus.digest(name)
    if digest is None:
        scope.problems.error(fmu, f"there is no FMU {name}", "put the file beside plant.yaml, or in a folder there")
        return None
    return reference(name, digest)
