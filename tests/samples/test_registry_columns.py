"""A registry is columns: stored with its keys, mapped by whoever reads it, and the same table again."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest

from gemel.errors import DefectError, NotFoundError
from gemel.samples import Registry
from gemel.samples.texts import Texts

PLANT = [{"path": f"acme/site/pump-{i // 5}/s{i % 5}", "unit": "bar" if i % 2 else "rpm"} for i in range(100)]


def stored(registry):
    sink = pa.BufferOutputStream()
    registry.write(sink)
    return sink.getvalue()


def test_what_is_stored_reads_back_as_the_same_table_with_the_same_digest():
    registry = Registry.of(PLANT)
    again = Registry.from_bytes(stored(registry))
    assert again.digest == registry.digest == hashlib.sha256(registry.to_bytes()).hexdigest()
    assert again.to_bytes() == registry.to_bytes()
    assert again.sound
    assert again.index("acme/site/pump-3/s2") == 17
    assert again.of_asset("acme/site/pump-3").tolist() == [15, 16, 17, 18, 19]


def test_the_stream_of_earlier_versions_is_read_too():
    registry = Registry.of(PLANT)
    assert Registry.from_bytes(registry.to_bytes()).digest == registry.digest


def test_a_registry_without_signals_is_stored_too():
    empty = Registry.from_bytes(stored(Registry.of([])))
    assert (len(empty), empty.numbers(["a"]).tolist(), list(empty.paths)) == (0, [-1], [])


def test_a_changed_table_under_its_stored_digest_is_not_sound():
    data = bytearray(stored(Registry.of(PLANT)).to_pybytes())
    at = bytes(data).index(b"pump-3/s2")
    data[at : at + 4] = b"pomp"
    assert not Registry.from_bytes(bytes(data)).sound


def test_a_table_of_other_columns_is_refused():
    sink = pa.BufferOutputStream()
    table = pa.table({"uid": ["a"]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(DefectError, match="another data format"):
        Registry.from_bytes(bytes(sink.getvalue()))


def test_what_grew_is_mapped_without_looking_and_what_was_made_elsewhere_by_uid():
    old = Registry.of(PLANT[:60])
    new = Registry.from_bytes(stored(old)).grown(Registry.of(PLANT[40:]))
    assert new.to_bytes() == Registry.of(PLANT).to_bytes()
    assert new.mapping_from(old).tolist() == list(range(60))
    assert new.mapping_from(Registry.of(PLANT[::-1])).tolist() == list(range(99, -1, -1))
    assert old.mapping_from(new).tolist() == [*range(60), *[-1] * 40]
    assert old.grown(old) is old


def test_words_are_kept_once_and_read_by_signal():
    units = Registry.of(PLANT).codes("unit")
    assert (units[0], units[1], len(units)) == ("rpm", "bar", 100)
    assert units.by_signal()[np.array([3, 2])].tolist() == ["bar", "rpm"]
    assert Registry.of(PLANT).codes("retention").by_signal().strides == (0,)


def test_an_unknown_signal_is_said_with_its_lane():
    with pytest.raises(NotFoundError, match="no signal 'a/b' on the lane 'measured'"):
        Registry.of(PLANT).index("a/b", "measured")
    with pytest.raises(NotFoundError, match=r"no signal 'a/b' \(see"):
        Registry.of(PLANT).index("a/b", None)


def test_texts_read_like_a_list():
    texts = Texts.of(["a", "b", "c", "d"])
    assert (texts[-1], texts[1:3], texts[::2], len(texts[3:1])) == ("d", ["b", "c"], ["a", "c"], 0)
    assert texts == ["a", "b", "c", "d"] and texts != ["a"] and "c" in texts
    assert Texts.one("x", 3) == ["x", "x", "x"] and Texts(pa.array([None, "y"])) == ["", "y"]
