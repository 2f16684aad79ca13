"""What could not be used, and why: counted by reason, shown by a few examples, bounded for ever.

Nothing is kept by topic: a million different topics cost as much as one.
"""

from dataclasses import dataclass, field
from typing import Final

REASONS: Final = {
    "not_json": "the payload is not JSON",
    "wrong_type": "the value is no number, boolean or state word, or the time no time",
    "missing_path": "the payload has nothing at the path of the plant file",
    "not_finite": "NaN or infinity",
    "absurd_time": "before 1970 or after 2100, or not readable as a time",
    "too_big": "the payload is larger than allowed",
    "unknown_topic": "no signal of the plant file comes from this topic",
    "integer_too_large": "an integer beyond 2^53 would be rounded",
    "unknown_state": "a state word or code that the plant file does not list",
}
EXAMPLES: Final = 4  # of each reason
TOPIC_CHARACTERS: Final = 120
TEXT_CHARACTERS: Final = 80


@dataclass(slots=True)
class Refusals:
    """Counts by reason, and the first few examples of each.

    >>> r = Refusals(); r.add("not_json", "plant/p1", "{oops"); r.counts
    {'not_json': 1}
    """

    counts: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def add(self, reason: str, topic: str, text: object = "") -> None:
        """Count one refusal; the text is what was found, cut short."""
        seen = self.counts.get(reason, 0)
        self.counts[reason] = seen + 1
        if seen < EXAMPLES:
            self.examples.append({"reason": reason, "topic": topic[:TOPIC_CHARACTERS], "text": _short(text)})

    def merge(self, other: "Refusals") -> None:
        """Add another's counts; of its examples the newest of each reason replace the oldest."""
        for reason, count in other.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + count
        for example in other.examples:
            same = [i for i, e in enumerate(self.examples) if e["reason"] == example["reason"]]
            if len(same) >= EXAMPLES:
                del self.examples[same[0]]
            self.examples.append(example)


def _short(text: object) -> str:
    if isinstance(text, (bytes, bytearray)):
        return bytes(text[:TEXT_CHARACTERS]).decode("utf-8", "replace")
    if isinstance(text, (list, dict)):  # never write out a large document to show its first characters
        return f"{type(text).__name__} of {len(text)}"
    if isinstance(text, int) and not -(10**30) < text < 10**30:  # int -> str is quadratic, and limited
        return f"an integer of {text.bit_length()} bits"
    return str(text)[:TEXT_CHARACTERS]
