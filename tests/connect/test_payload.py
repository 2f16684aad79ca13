"""Payloads become columns; what cannot be used is refused with a word, and never stops the rest."""

import json
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import plan

from gemel.connect.payload import LARGEST, Decoder
from gemel.connect.refusals import EXAMPLES, REASONS

NOW = 1_700_000_000_000_000_000


def decode(plan_, *payloads, topic="t"):
    return Decoder(plan_).decode([(topic, p if isinstance(p, bytes) else orjson.dumps(p), NOW) for p in payloads])


VALUE = plan(("t", "$.value", None, None))


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b'{"value": 1.5}', 1.5), (b'{"value": -3}', -3.0), (b'{"value": true}', 1.0), (b'{"value": 1e-7}', 1e-7),
     (b'{"value": 9007199254740992}', 2.0**53), (b'{"value": 1e20}', 1e20), (b'{"value": 1.7976931348623157e308}', 1.7976931348623157e308)],
)  # fmt: skip
def test_takes_numbers(payload, value):
    rows, refused = decode(VALUE, payload)
    assert rows.value.tolist() == [value]
    assert rows.time.tolist() == rows.received.tolist() == [NOW], "without a time of its own it gets that of receipt"
    assert not len(refused)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe{}", "not_json"),
        (b"hello", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "missing_path"),
        (b"{}", "missing_path"),
        (b"5", "missing_path"),
        (b"null", "missing_path"),
        (b'{"value": null}', "wrong_type"),
        (b'{"value": "5"}', "wrong_type"),
        (b'{"value": [1]}', "wrong_type"),
        (b'{"value": {}}', "wrong_type"),
        (b'{"value": NaN}', "not_finite"),
        (b'{"value": -Infinity}', "not_finite"),
        (b'{"value": 1e999}', "not_finite"),
        (b'{"value": 9007199254740993}', "integer_too_large"),
        (b'{"value": 18446744073709551616}', "integer_too_large"),
        (b'{"value": 1' + b"0" * 400 + b"}", "integer_too_large"),
        (b'{"value": 1' + b"0" * 5000 + b"}", "not_json"),
        (b'{"value": 1.0, "x": "' + b"a" * LARGEST + b'"}', "too_big"),
    ],
)
def test_refuses_with_a_word(payload, reason):
    rows, refused = decode(VALUE, payload)
    assert not len(rows)
    assert refused.counts == {reason: 1}
    assert refused.examples[0]["reason"] == reason
    assert len(refused.examples[0]["text"]) < 100


def test_a_bad_value_leaves_its_neighbours_alone():
    p = plan(("t", "$.a", None, None), ("t", "$.b", None, None), ("t", "$.c[1]", None, None))
    rows, refused = decode(p, b'{"a": 1, "b": NaN, "c": [0, 3]}', b'{"a": "x", "b": 2.0}')
    assert rows.signal.tolist() == [0, 2, 1]
    assert rows.value.tolist() == [1.0, 3.0, 2.0]
    assert refused.counts == {"not_finite": 1, "wrong_type": 1, "missing_path": 1}


def test_a_time_that_cannot_be_used_refuses_what_rests_on_it():
    p = plan(("t", "$.a", "$.ts", "ms"), ("t", "$.b", None, None))
    rows, refused = decode(p, {"a": 1.0, "b": 2.0, "ts": -5}, {"a": 3.0, "b": 4.0, "ts": 1_700_000_000_123})
    assert rows.signal.tolist() == [1, 0, 1]
    assert rows.time.tolist() == [NOW, 1_700_000_000_123_000_000, NOW]
    assert refused.counts == {"absurd_time": 1}


def test_states_by_word_by_code_and_by_boolean():
    p = plan(("t", "$.s", None, None, ["stopped", "running", "tripped"]))
    rows, refused = decode(p, {"s": "running"}, {"s": 2}, {"s": True}, {"s": 0.0}, {"s": "on"}, {"s": 3}, {"s": 0.5}, {"s": -1})
    assert rows.value.tolist() == [1.0, 2.0, 1.0, 0.0]
    assert refused.counts == {"unknown_state": 4}


def test_plain_payloads():
    p = plan(("t", None, None, None), ("u", None, None, None, ["off", "on"]))
    good = [b"5", b" -1.5e3\n", b"true", b"+7"]
    bad = {b"": "wrong_type", b"x": "wrong_type", b"1_000": "wrong_type", b"nan": "not_finite", b"inf": "not_finite",
           b"9007199254740993": "integer_too_large", b"\xff": "wrong_type", b"1" * 1000: "wrong_type"}  # fmt: skip
    rows, refused = Decoder(p).decode([("t", x, NOW) for x in good + list(bad)])
    assert rows.value.tolist() == [5.0, -1500.0, 1.0, 7.0]
    assert sum(refused.counts.values()) == len(bad)
    for payload, reason in bad.items():
        assert Decoder(p).decode([("t", payload, NOW)])[1].counts == {reason: 1}, payload
    rows, refused = Decoder(p).decode([("u", x, NOW) for x in (b"on", b"0", b"maybe", b"7")])
    assert rows.value.tolist() == [1.0, 0.0]
    assert refused.counts == {"unknown_state": 2}


def test_a_status_of_the_source_is_kept():
    p = plan(("t", "$.value", None, None))
    group = p.find("t").groups[0]
    assert group.status is None, "a plan without status paths gives Good"
    import types

    import numpy as np

    from gemel.connect.plan import compile_plan
    from gemel.samples import Registry

    sources = types.SimpleNamespace(
        signal=np.array([0], dtype=np.int32), topic=["t"], path=["$.value"], time_path=[None], time_unit=[None], status_path=["$.q"]
    )
    rows, refused = decode(
        compile_plan(sources, Registry.of([{"path": "a/b/c"}])),
        {"value": 1.0, "q": "Bad"}, {"value": 1.0, "q": 0x40000000}, {"value": 1.0, "q": True}, {"value": 1.0, "q": "odd"},
    )  # fmt: skip
    assert rows.status.tolist() == [0x80000000, 0x40000000, 0]
    assert refused.counts == {"wrong_type": 1}


def test_wildcards_find_their_topics_and_no_others():
    p = plan(("plant/+/temp", "$.value", None, None), ("plant/#", "$.other", None, None), ("a/b", "$.value", None, None))
    body = b'{"value": 1.0, "other": 2.0}'
    rows, refused = Decoder(p).decode([("plant/p1/temp", body, NOW), ("plant/x", body, NOW), ("a/c", body, NOW), ("a/b", body, NOW)])
    assert rows.signal.tolist() == [0, 1, 1, 2]
    assert refused.counts == {"unknown_topic": 1}


@given(st.lists(st.sampled_from(["a", "b", "", "$SYS"]), min_size=1, max_size=4))
def test_matching_agrees_with_paho(levels):
    from paho.mqtt.client import topic_matches_sub

    from gemel.connect.plan import matches

    topic = "/".join(levels)
    if not topic:
        return
    for pattern in ("#", "+", "a/#", "+/b", "a/+/b", "a", "+/+", "a/b/#", "$SYS/#"):
        assert matches(pattern.split("/"), topic.split("/")) == topic_matches_sub(pattern, topic), (pattern, topic)


def test_a_million_different_topics_cost_no_memory():
    """Counters do not grow by topic, nor does what wildcards remember."""
    decoder = Decoder(plan(("known/+/x", "$.value", None, None)))
    total = 0
    tracemalloc.start()
    try:
        for start in range(0, 1_000_000, 50_000):
            _, refused = decoder.decode((f"strange/{i}", b"{}", NOW) for i in range(start, start + 50_000))
            total += refused.counts["unknown_topic"]
            assert len(refused.examples) <= EXAMPLES
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 1_000_000
    assert peak < 8 << 20
    assert held < 4 << 20


@given(st.one_of(st.binary(max_size=200), st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "time", "x"]), inner, max_size=3),
).map(lambda doc: json.dumps(doc).encode())))  # fmt: skip
def test_no_payload_breaks_it(payload):
    """Whatever comes is either a row or a refusal with a known word."""
    p = plan(("t", "$.value", "$.time", None), ("t", "$.value.x", None, None, ["a"]), ("t", None, None, None))
    rows, refused = Decoder(p).decode([("t", payload, NOW)])
    # a time that cannot be used refuses its group at once, a payload that is no JSON both groups
    assert 1 <= len(rows) + len(refused) <= 3
    assert set(refused.counts) <= set(REASONS)
    assert all(abs(v) < float("inf") for v in rows.value)
