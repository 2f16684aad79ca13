"""The names by which people speak of a model: its own, or those that the plant file gives what belongs to them.

setpoint (plant) ─► speed_setpoint (model)        pump-1/setpoint ─► pump-1/speed_setpoint
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gemel.assets.problem import did_you_mean, write_one_of
from gemel.errors import ModelError

CHANGED: Final = ("inputs", "parameters", "states")
Quantities = Mapping[str, Mapping[str, Mapping[str, Any]]]


def meant(name: str, quantities: Quantities, kinds: Sequence[str] = CHANGED) -> str:
    """Give the model's name of a quantity that is called by it, or as the plant calls it; raises ModelError (`unknown-quantity`).

    Args:
        name: as asked; in an area after the name of its asset (``pump-1/setpoint``).
        quantities: by kind and name, as a what-if begins with them.
        kinds: which of them may be meant.
    """
    some = {n: q for kind in kinds for n, q in quantities[kind].items()}
    if name in some:
        return name
    shown = {_called(n, q): n for n, q in some.items()}
    if name in shown:
        return shown[name]
    if name in quantities["outputs"] and "outputs" not in kinds:
        message = f"{name!r} is what the model gives: it follows, and is not changed"
        raise ModelError(message, code="unknown-quantity", remedy=f"change what it follows from: {', '.join(quantities['inputs'])}")
    remedy = did_you_mean(name, {**shown, **some}, write_one_of(list(shown)))  # in the order of `kinds`: inputs first
    raise ModelError(f"the model has no {name!r}", code="unknown-quantity", remedy=remedy)


def _called(name: str, quantity: Mapping[str, Any]) -> str:
    """Give the name of a quantity as the plant calls it, or its own where the plant does not speak of it."""
    if not quantity.get("property"):
        return name
    component, slash, _ = name.rpartition("/")
    return f"{component}{slash}{quantity['property'].rpartition('/')[2]}"
