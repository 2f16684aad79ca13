"""Any changed byte of the record is found."""

from hypothesis import given, strategies as st

from gemel.samples.fact import Draft
from gemel.twin import chain

words = st.text(max_size=12)
values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | words
drafts = st.builds(
    Draft, id=words, kind=words, at=st.integers(0, 2**62), actor=words, subject=words,
    body=st.dictionaries(words, values | st.lists(values, max_size=3), max_size=3), reason=words, cause=words,
)


@st.composite
def records(draw, least=1):
    stored, head = [], chain.Head()
    for i, draft in enumerate(draw(st.lists(drafts, min_size=least, max_size=6))):
        _, data = chain.append(draft, head, i)
        stored.append(data)
        head = chain.head_of(data)
    return stored, head


@given(records(0))
def test_what_was_written_is_good(record):
    stored, head = record
    assert chain.verify(stored, head) == chain.Verdict(True, len(stored))


@given(records(), st.data())
def test_any_flipped_bit_is_found(record, data):
    stored, head = record
    i = data.draw(st.integers(0, len(stored) - 1))
    bit = data.draw(st.integers(0, 8 * len(stored[i]) - 1))
    changed = bytearray(stored[i])
    changed[bit // 8] ^= 1 << bit % 8
    verdict = chain.verify([*stored[:i], bytes(changed), *stored[i + 1 :]], head)
    assert not verdict.ok and verdict.broken_at in (i + 1, i + 2) and verdict.reason


@given(records(2), st.data())
def test_any_other_sequence_of_the_same_facts_is_found(record, data):
    stored, head = record
    other = data.draw(st.lists(st.sampled_from(stored), max_size=8).filter(lambda o: o != stored))
    assert not chain.verify(other, head).ok or len(other) > len(stored) and other[: len(stored)] == stored


@given(records(), st.data())
def test_any_flipped_bit_of_the_signed_head_is_found_or_cannot_be_read(record, data):
    _, head = record
    key = chain.load_key(chain.new_key())
    signed = chain.sign(head, key)
    changed = bytearray(signed.signature.encode())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1
    assert not chain.verify_head(chain.SignedHead(head.seq, head.hash, changed.decode(), signed.public), key.public_key())
