"""The JSON Schema of the plant file, printed from the grammar: for editors, and for whoever writes plant files by program.

``gemel check --schema`` prints it; ``plant.schema.json`` beside this file is that print.
"""

import json
from pathlib import Path
from typing import Any, Final

from gemel.assets.grammar import PLANT

FILE: Final = Path(__file__).with_name("plant.schema.json")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Give the JSON Schema of plant.yaml (units, names and what refers to what are for `check`)."""
    return {"$schema": DIALECT, "title": "gemel plant file", **PLANT.schema()}


def printed() -> str:
    """Give it as it is shipped."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
