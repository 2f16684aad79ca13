"""What the owner of a partition makes of the log, message by message."""

import pytest
from fold_kit import NO_FRAME, frame, messages, owner, rows

from gemel.bus import FrameHeader, encode_frame
from gemel.bus.frame import _seal
from gemel.samples import Registry


def values(part):
    return part.tail.upto(1 << 40).value.tolist()


def test_what_stands_before_a_broken_frame_is_folded(tmp_path):
    """Frames that come together with a broken one at their end are not passed over with it."""
    part = owner(tmp_path)
    part._digest(messages(frame(1), frame(2), NO_FRAME))
    assert values(part) == [1.0, 2.0]
    assert part.partition.lanes.latest.value[0] == 2.0
    assert part.partition.position == 3


def test_a_broken_frame_where_the_lake_ends_stores_nothing_twice(tmp_path):
    """After a restart, rows the lake has are folded again but not stored again."""
    part = owner(tmp_path)
    part._stored = 2
    part._digest(messages(frame(1), NO_FRAME, frame(3)))
    assert values(part) == [3.0]


def strange(kind):
    header = FrameHeader(kind="samples", partition=0, producer="s", sequence=9, registry="unknown")
    batch = rows(9)
    if kind == "a signal that does not exist":
        return frame(9, rows(9, signal=77), producer="s")
    if kind == "a signal below zero":
        return frame(9, rows(9, signal=-1), producer="s")
    if kind == "an unknown registry":
        return encode_frame(header, batch)
    if kind == "a header of another form":
        head = b'{"sort": 1}'
        return _sealed(head, b"")
    if kind == "a kind from the future":
        return _seal(FrameHeader(kind="matrix", partition=0, producer="s", sequence=9), memoryview(b""))
    return _seal(FrameHeader(kind="samples", partition=0, producer="s", sequence=9, rows=1), memoryview(b"no arrow"))


def _sealed(head, body):
    import zlib

    rest = len(head).to_bytes(4, "little") + head + body
    return b"GMF1" + zlib.crc32(rest).to_bytes(4, "little") + rest


@pytest.mark.parametrize(
    "kind",
    [
        "a signal that does not exist",
        "a signal below zero",
        "an unknown registry",
        "a header of another form",
        "a kind from the future",
        "no columns",
    ],
)
def test_a_frame_that_cannot_be_used_is_said_and_stepped_over(tmp_path, kind):
    """Else the twin would end at it at every start, for ever."""
    part = owner(tmp_path)
    part._digest(messages(frame(1), strange(kind), frame(2)))
    assert values(part) == [1.0, 2.0]
    assert part.broken == 1
    assert part.partition.position == 3


def test_frames_of_a_former_registry_are_read_under_the_digest_they_carry(tmp_path):
    """The digest is what was written on that day: another version of Arrow may lay the same table out otherwise."""
    part = owner(tmp_path)
    former = Registry.of([{"path": "a/b/rig/s1"}])
    part.partition.know(former, "written then")
    part._digest(messages(frame(1, registry="written then")))
    assert part.tail.upto(1).signal.tolist() == [1]
