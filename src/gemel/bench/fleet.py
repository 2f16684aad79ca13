"""A plant of a million assets for a measurement: a Parquet table of five-signal pumps in areas and lines."""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

SIGNALS: Final = ("speed", "flow", "pressure", "power", "bearing_temperature")
PER_LINE: Final = 100  # assets of a line; a hundred lines make an area
_PLANT: Final = """\
plant: bench/fleet
clock: {clock}
types:
  Pump:
    signals:
      speed: {{unit: rpm, range: [0, 3600], max_rate: 5000 rpm/s, stale_after: {stale_s} s}}
      flow: {{unit: m3/h, range: [0, 400], stale_after: {stale_s} s}}
      pressure: {{unit: bar, range: [0, 250], stale_after: {stale_s} s}}
      power: {{unit: kW, range: [0, 200], stale_after: {stale_s} s}}
      bearing_temperature: {{unit: degC, range: [-20, 150], stale_after: {stale_s} s, alarm: {{high: 140, high_high: 145}}}}
    parameters:
      rated_head: {{unit: m}}
assets:
  fleet: {{type: Pump, table: pumps.parquet}}
"""


def write_fleet(folder: Path, assets: int, *, clock: str = "wall", stale_s: int = 600) -> None:
    """Write a plant file of so many pumps, each with five signals, two alarms and a parameter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(_PLANT.format(clock=clock, stale_s=stale_s))
    number = np.arange(assets)

    def words(of: object, width: int) -> pa.Array:
        return pc.utf8_lpad(pa.array(of).cast(pa.string()), width, "0")

    area, line = words(number // (PER_LINE * 100), 3), words(number // PER_LINE % 100, 2)
    table = {
        "name": pc.binary_join_element_wise("pump", words(number, 7), "-"),
        "at": pc.binary_join_element_wise("area-", area, "/line-", line, ""),
        "parameters.rated_head": pa.array(20.0 + number % 40),
    }
    parquet.write_table(pa.table(table), folder / "pumps.parquet")
