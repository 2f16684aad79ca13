"""A stored snapshot is the snapshot again, or refused as a whole; what 0.1 wrote is read too."""

import io
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.errors import StorageError
from gemel.samples import Snapshot

ARRAYS = {
    "time": np.arange(5), "value": np.array([1.5, np.nan, -0.0]), "flags": np.array([True, False]), "none": np.zeros(0, np.int32),
    "memory": np.arange(14).reshape(2, 7), "turned": np.arange(6).reshape(2, 3).T, "one": np.array(3),
}  # fmt: skip


def snapshot():
    return Snapshot(2, 17, 3, 99, "digest", ARRAYS, {"alarms": {"a": [1, 2]}, "newest": 7})


def same(a, b):
    assert (a.partition, a.sequence, a.facts, a.time, a.registry, a.notes) == (b.partition, b.sequence, b.facts, b.time, b.registry, b.notes)
    assert a.arrays.keys() == b.arrays.keys()
    for name, column in a.arrays.items():
        assert (column.dtype, column.shape, column.tobytes()) == (b.arrays[name].dtype, b.arrays[name].shape, b.arrays[name].tobytes()), name


def first_format(s):
    """What version 0.1 wrote."""
    header = msgspec.json.encode(
        {"format": 1, "partition": s.partition, "sequence": s.sequence, "facts": s.facts, "time": s.time,
         "registry": s.registry, "notes": s.notes}
    )  # fmt: skip
    body = io.BytesIO()
    np.savez(body, **s.arrays)
    rest = len(header).to_bytes(4, "little") + header + body.getvalue()
    return b"GMLS" + zlib.crc32(rest).to_bytes(4, "little") + rest


def test_what_is_stored_reads_back_and_may_be_written_to():
    again = Snapshot.from_bytes(snapshot().to_bytes())
    same(again, snapshot())
    again.arrays["time"][0] = 9
    assert snapshot().to_bytes() == snapshot().to_bytes()


def test_columns_stand_on_multiples_of_64_bytes_as_they_lie_in_memory():
    stored = snapshot().to_bytes()
    assert stored.index(np.arange(14).tobytes()) % 64 == 0 and len(stored) % 64 == 0


def test_the_first_format_is_read():
    same(Snapshot.from_bytes(first_format(snapshot())), snapshot())


@given(st.data())
def test_a_snapshot_that_is_cut_anywhere_or_has_another_bit_is_refused(data):
    for stored in (snapshot().to_bytes(), first_format(snapshot())):
        padding = 64 if stored[:4] == b"GML2" else 0
        cut = data.draw(st.integers(0, len(stored) - 1 - padding))
        with pytest.raises(StorageError, match="torn or changed"):
            Snapshot.from_bytes(stored[:cut])
        at, changed = data.draw(st.integers(0, len(stored) - 1)), bytearray(stored)
        changed[at] ^= 1 << data.draw(st.integers(0, 7))
        try:
            same(Snapshot.from_bytes(bytes(changed)), snapshot())  # in the padding between two columns
        except StorageError:
            pass


def test_what_a_newer_version_wrote_is_refused_by_its_format():
    header = msgspec.json.encode({"format": 3})
    stored = b"GML2" + zlib.crc32(header).to_bytes(4, "little") + len(header).to_bytes(8, "little") + header
    with pytest.raises(StorageError, match="another data format"):
        Snapshot.from_bytes(stored)
