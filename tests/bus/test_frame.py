"""A frame gives back what was put in, and a changed byte is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.bus import FrameHeader, decode_frame, encode_frame, encode_tick
from gemel.errors import StorageError
from gemel.samples import Batch

COLUMNS = {
    "signal": st.integers(0, 2**31 - 1), "time": st.integers(-(2**62), 2**62), "received": st.integers(0, 2**62),
    "value": st.floats(allow_nan=True), "status": st.integers(0, 2**32 - 1),
}


@st.composite
def batches(draw):
    n = draw(st.integers(0, 20))
    constant = draw(st.sets(st.sampled_from(sorted(COLUMNS))))
    columns = {}
    for name, values in COLUMNS.items():
        columns[name] = [draw(values)] * n if name in constant else draw(st.lists(values, min_size=n, max_size=n))
    return Batch.of(**columns)


def header(**more):
    return FrameHeader(**{"kind": "samples", "partition": 0, "producer": "test", "sequence": 1, "registry": "r", **more})


@given(batches())
def test_round_trip_keeps_every_bit(batch):
    read = decode_frame(encode_frame(header(), batch))
    assert read.header.rows == len(batch)
    for name in COLUMNS:
        assert getattr(read.batch, name).tobytes() == getattr(batch, name).tobytes()


@given(batches(), st.data())
def test_any_changed_byte_is_found(batch, data):
    stored = bytearray(encode_frame(header(), batch))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StorageError):
        decode_frame(bytes(stored))


def test_a_torn_frame_is_found():
    stored = encode_frame(header(), Batch.of(signal=[1], time=[1], received=[1], value=[1], status=[0]))
    for size in range(len(stored)):
        with pytest.raises(StorageError):
            decode_frame(stored[:size])


def test_a_tick_carries_time_and_record_position():
    tick = decode_frame(encode_tick(header(kind="tick", time=7, facts=3)))
    assert (tick.header.time, tick.header.facts, len(tick.batch)) == (7, 3, 0)


def test_a_constant_column_takes_no_room():
    n = 4096
    varying = Batch.of(signal=np.arange(n), time=np.arange(n), received=np.arange(n), value=np.arange(n), status=np.arange(n))
    constant = varying.with_columns(received=np.zeros(n, np.int64), status=np.zeros(n, np.uint32))
    assert len(encode_frame(header(), constant)) < len(encode_frame(header(), varying)) - 11 * n
