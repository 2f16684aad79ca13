"""How much a plant will write: values and bytes a day, and what is kept in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemel.samples.batch import F64

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

DAY_S: Final = 86_400
BYTES_PER_VALUE: Final = (
    3.0  # at rest, with irregular times: the upper figure that `gemel bench ingest` is held to
)
ASSUMED_S: Final = 1.0  # between readings, where the plant file does not say


@dataclass(frozen=True, slots=True)
class Volume:
    """An estimate.

    Args:
        values_per_day, bytes_per_day: of all signals.
        unknown: signals whose interval is not declared; one reading a second is assumed for them.
        kept_bytes: what lies on the disk once every retention class is full.
    """

    values_per_day: float
    bytes_per_day: float
    unknown: int
    kept_bytes: float


def volume_of(plant: "Plant") -> Volume:
    """Estimate from the declared intervals; a signal that sends on change only will write less."""
    layout = plant.layout
    if not len(layout):
        return Volume(0.0, 0.0, 0, 0.0)
    interval_s = layout.numbers(lambda s: s.interval_ns / 1e9 or ASSUMED_S)
    days = layout.numbers(lambda s: plant.retention[s.retention] / DAY_S)
    per_day: F64 = DAY_S / interval_s
    return Volume(
        values_per_day=float(per_day.sum()), bytes_per_day=float(per_day.sum()) * BYTES_PER_VALUE,
        unknown=len(layout.where(lambda s: not s.interval_ns)),
        kept_bytes=float((per_day * days).sum()) * BYTES_PER_VALUE,
    )  # fmt: skip


def lasts_days(volume: Volume, free_bytes: float) -> float | None:
    """Tell how many days a disk lasts; None where retention keeps it from ever filling."""
    if volume.kept_bytes <= free_bytes:
        return None
    return free_bytes / volume.bytes_per_day


def by_class(plant: "Plant") -> Mapping[str, int]:
    """Count the signals of each retention class."""
    counts = dict.fromkeys(plant.retention, 0)
    for at in plant.layout.spec.tolist():
        counts[plant.layout.specs[at].retention] += 1
    return counts
