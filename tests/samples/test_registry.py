"""The registry: rows stay where they are, the names that point to them may change."""

import pyarrow as pa
import pytest

from gemel.errors import DefectError
from gemel.samples import Registry
from gemel.samples.lineage import lineage
from gemel.samples.registry import SCHEMA

FIRST = [n for n in SCHEMA.names if n not in ("source", "formerly", "retired")]


def stored(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_a_registry_of_the_first_data_format_is_still_read():
    new = Registry.of([{"path": "a/b/p", "unit": "bar"}, {"path": "a/b/q", "unit": "m"}])
    old = Registry.from_bytes(stored(new.table.select(FIRST)))
    assert old.table.equals(new.table)
    assert old.digest == new.digest
    assert not old.retired.any()


def test_a_table_of_other_columns_is_refused():
    with pytest.raises(DefectError, match="another data format"):
        Registry.from_bytes(stored(pa.table({"uid": ["1"]})))


def test_a_path_names_the_signal_that_has_it_now_and_else_the_last_that_had_it():
    r = Registry.of(
        [{"path": "a/b/p", "unit": "bar", "uid": "1", "retired": True}, {"path": "a/b/p", "unit": "kPa", "uid": "2"},
         {"path": "a/b/q", "uid": "3", "retired": True}, {"path": "a/b/q", "uid": "4", "retired": True}]
    )
    assert (r.index("a/b/p"), r.index("a/b/q"), r.find("a/b/r")) == (1, 3, None)


def test_numbers_are_found_by_the_name_of_today_never_of_a_retired_signal():
    r = Registry.of([{"path": "a/b/p", "retired": True}, {"path": "a/b/q", "uid": "kept"}])
    asked = Registry.of([{"path": "a/b/q"}, {"path": "a/b/p"}, {"path": "a/b/new"}])
    assert r.numbers_of(asked).tolist() == [1, -1, -1]
    assert Registry.of([]).numbers_of(asked).tolist() == [-1, -1, -1]


def test_a_history_goes_on_through_every_unit_it_was_kept_in():
    r = Registry.of(
        [{"path": "a/b/t", "unit": "degF", "uid": "1", "retired": True},
         {"path": "a/b/t", "unit": "degC", "uid": "2", "formerly": "1", "retired": True},
         {"path": "a/b/t", "unit": "K", "uid": "3", "formerly": "2"}]
    )
    parts = lineage(r, 2)
    assert [p.signal for p in parts] == [0, 1, 2]
    assert 212.0 * parts[0].scale + parts[0].offset == pytest.approx(373.15)
    assert 100.0 * parts[1].scale + parts[1].offset == pytest.approx(373.15)
    assert parts[2].same


def test_a_history_ends_where_the_meaning_changed():
    r = Registry.of(
        [{"path": "a/b/s", "kind": "state", "states": ["off", "on"], "uid": "1", "retired": True},
         {"path": "a/b/s", "kind": "state", "states": ["on", "off"], "uid": "2", "formerly": "1"},
         {"path": "a/b/x", "unit": "bar", "uid": "3", "retired": True}, {"path": "a/b/x", "unit": "m", "uid": "4", "formerly": "3"}]
    )
    assert [p.signal for p in lineage(r, 1)] == [1]
    assert [p.signal for p in lineage(r, 3)] == [3]
