"""Gemel keeps a living digital twin of a plant.

import gemel

twin = gemel.open("plant")                     # a plant folder, a data directory, or https://…
frame = twin.history("pump-1/flow", "2026-11-21").to_pandas()
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["GemelError", "Table", "Twin", "__version__", "open"]
_HOMES = {"GemelError": "gemel.errors", "Table": "gemel.face", "Twin": "gemel.face", "open": "gemel.face"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for, so that `import gemel` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gemel' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
