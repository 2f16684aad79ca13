"""The record's chain: what was changed is found, wherever it was changed."""

import pytest

from gemel.errors import ConfigError, StorageError
from gemel.samples.fact import Draft, decode
from gemel.twin import chain


def draft(i):
    return Draft(id=f"f{i}", kind="AlarmRaised", at=i, actor="gemel", subject="acme/p/flow", body={"value": i / 7}, reason="høj")


def record(n):
    stored, head = [], chain.Head()
    for i in range(n):
        _, data = chain.append(draft(i), head, 1000 + i)
        head = chain.head_of(data)
        stored.append(data)
    return stored, head


def test_a_record_as_written_is_good():
    stored, head = record(5)
    key = chain.load_key(chain.new_key())
    assert chain.verify(stored, chain.sign(head, key), key=key.public_key()) == chain.Verdict(True, 5)
    assert chain.verify([], chain.Head()).ok


def test_append_takes_the_bytes_of_the_last_fact_too():
    stored, head = record(3)
    assert chain.append(draft(9), stored[-1], 5) == chain.append(draft(9), head, 5)


def test_the_fact_is_what_was_drafted():
    fact, data = chain.append(draft(3), chain.Head(4, "ab" * 32), 77)
    assert decode(data) == fact
    assert (fact.seq, fact.recorded, fact.previous, fact.id, fact.reason) == (5, 77, "ab" * 32, "f3", "høj")


@pytest.mark.parametrize("i", [0, 2, 4])
def test_a_removed_fact_is_found(i):
    stored, head = record(5)
    verdict = chain.verify(stored[:i] + stored[i + 1 :], head)
    assert (verdict.ok, verdict.broken_at) == (False, i + 1)


def test_a_tail_cut_off_is_found_by_the_head_only():
    stored, head = record(5)
    assert chain.verify(stored[:3]).ok
    verdict = chain.verify(stored[:3], head)
    assert not verdict.ok and verdict.broken_at == 4 and "cut off" in verdict.reason


def test_moved_and_repeated_facts_are_found():
    stored, head = record(4)
    assert chain.verify([stored[0], stored[2], stored[1], stored[3]], head).broken_at == 2
    assert chain.verify([stored[0], stored[0], *stored[1:]], head).broken_at == 2


def test_a_fact_put_in_with_a_right_number_is_found():
    stored, head = record(4)
    _, forged = chain.append(draft(99), stored[1], 5)
    assert chain.verify([*stored[:2], forged, *stored[3:]], head).broken_at == 4


def test_text_hidden_behind_the_leniency_of_json_is_found():
    stored, head = record(3)
    for hidden in (stored[1].replace(b'"kind"', b' "kind"'), stored[1].replace(b'{"seq"', b'{"note":"x","seq"'),
                   stored[1].replace(b"AlarmRaised", b"\\u0041larmRaised")):
        assert hidden != stored[1] and decode(hidden) == decode(stored[1])
        assert not chain.verify([stored[0], hidden, stored[2]], head).ok


def test_a_record_longer_than_its_head_is_good():
    stored, _ = record(5)
    assert chain.verify(stored, chain.head_of(stored[2])).ok


def test_a_record_is_checked_in_parts():
    stored, head = record(5)
    assert chain.verify(stored[2:], head, after=chain.head_of(stored[1])).checked == 3


def test_a_changed_or_forged_head_is_found():
    stored, head = record(3)
    key, other = chain.load_key(chain.new_key()), chain.load_key(chain.new_key())
    signed = chain.sign(head, key)
    shorter = chain.SignedHead(2, chain.head_of(stored[1]).hash, signed.signature, signed.public)
    assert not chain.verify(stored[:2], shorter).ok
    forged = chain.sign(chain.head_of(stored[1]), other)
    assert not chain.verify(stored[:2], forged, key=key.public_key()).ok
    assert not chain.verify_head(chain.SignedHead(3, head.hash, "zz", signed.public))
    assert chain.verify_head(chain.SignedHead.from_bytes(signed.to_bytes()), key.public_key())


def test_torn_files_say_what_to_do():
    for torn in (b"", b"{", b"\xff\xfe", b'{"seq": "x"}'):
        with pytest.raises(StorageError, match="backup"):
            chain.SignedHead.from_bytes(torn)
    for torn in (b"", b"no key", chain.new_key()[:40]):
        with pytest.raises(ConfigError, match="backup"):
            chain.load_key(torn)
