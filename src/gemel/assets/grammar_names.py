"""Words of the grammar that stand everywhere in a plant file: names, keys, places, durations, urgencies."""

from typing import Final

from gemel.assets.shape import Number, Quantity

NAME: Final = (
    r"^[^.\s/+#$*?{}<>|%&\"'\\][^\s/+#$*?{}<>|%&\"'\\]*$"  # a level of a topic, of a path and of a URL
)
LEVELS_BELOW: Final = (
    r"^[^.\s/+#$*?{}<>|%&\"'\\][^\s/+#$*?{}<>|%&\"'\\]*(/[^.\s/+#$*?{}<>|%&\"'\\][^\s/+#$*?{}<>|%&\"'\\]*)*$"
)
KEY: Final = r"^[A-Za-z][A-Za-z0-9_-]*$"
JSON_PATH: Final = r"^\$(\.[^.\[\]\"'\s*?@]+|\[-?[0-9]+\]|\[\"[^\"]*\"\]|\['[^']*'\])*$"
NAMED: Final = "use letters, digits, _ and -, without blanks, / + # or quotes"
URGENCY: Final = Number(1, 3, whole=True)


def duration(example: str) -> Quantity:
    """Give the form of a duration, with an example of one."""
    return Quantity(example, unit="s", least=0)
