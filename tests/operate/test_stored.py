"""What is stored makes a roll-up's window anew, from the lake and from what is not there yet."""

import pytest
from derived_kit import SECOND, Feed, partition_of, plant_of

from gemel.history import Reader, Store
from gemel.operate.stored import StoredRows
from gemel.operate.tail import Tail
from gemel.samples import Batch

PLANT = """\
plant: acme/riverside
types:
  Pump:
    signals: {power: {unit: kW, stale_after: 1 h}}
    rollups: {energy: {by: energy, of: power, per: 1 h}}
assets: {p: {type: Pump}}
"""
START = 480_000 * 3600


@pytest.mark.parametrize("committed", [0, 2, 4])
def test_a_late_reading_makes_its_window_anew_from_lake_and_tail(tmp_path, committed):
    feed = Feed(partition_of(plant_of(PLANT, tmp_path / "plant")))
    tail = Tail()
    with Store.open(tmp_path / "lake") as store, Reader(tmp_path / "lake") as reader:
        epoch = store.take_over(0)
        store.commit(0, epoch, 1, Batch.empty())
        feed.part.stored = StoredRows(reader, tail)
        for at, value in ((-900, 1.0), (600, 2.0), (1800, 4.0), (3000, 4.0)):
            feed.send(("p/power", START + at, value))
            tail.add(feed.position, feed.rows[-1])
            feed.tick(START + at)
        feed.tick(START + 3700)
        assert feed.history("p/energy")[(START + 3600) * SECOND][0] == pytest.approx((600 + 2 * 1200 + 4 * 1800) / 3600)
        if committed:
            upto = 2 * committed - 1
            store.commit(0, epoch, upto, tail.upto(upto))
            tail.drop(upto)
        feed.send(("p/power", START + 1200, 8.0))
        tail.add(feed.position, feed.rows[-1])
        feed.tick(START + 3701)
        assert feed.history("p/energy")[(START + 3600) * SECOND] == (pytest.approx((600 + 2 * 600 + 8 * 600 + 4 * 1800) / 3600), 0)
