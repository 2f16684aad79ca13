"""What is wrong with derived signals, said with the line of the plant file on which each is declared."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gemel.assets.derivations import derivations_of
from gemel.assets.problem import Problems
from gemel.assets.types import AssetType
from gemel.errors import AssetError

if TYPE_CHECKING:
    from gemel.assets.plant import Plant


def check_derived(plant: "Plant", types: Mapping[str, AssetType], problems: Problems) -> None:
    """Report expressions that name nothing, do not fit their unit, or rest on each other in a circle."""

    def refuse(type_name: str, signal: str, error: AssetError) -> None:
        node = types[type_name].node.fields["signals"].fields[signal]
        problems.error(node.get("derived") or node, f"{signal!r}: {error.message}", error.remedy)

    if any(s.derived for t in plant.templates for s in t.signals):
        derivations_of(plant, refuse)
