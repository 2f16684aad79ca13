"""Finding the model that a plant file names: ``package.module:Class``."""

import importlib

from gemel.dynamics.declare import DynamicModel
from gemel.errors import ModelError


def find_model(reference: str) -> DynamicModel:
    """Import a model by its reference ``module:name`` and make it; raises ModelError where there is none."""
    module, _, name = reference.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError) as e:
        raise ModelError(
            f"no dynamic model {reference!r}: {e}", code="unknown-model",
            remedy="write module:name of a class that is importable and made without arguments",
        ) from e  # fmt: skip
    if not isinstance(made, DynamicModel):
        raise ModelError(
            f"{reference!r} is not a dynamic model", code="not-a-model",
            remedy="it must have states, inputs, outputs, parameters, derivative and output",
        )  # fmt: skip
    return made
