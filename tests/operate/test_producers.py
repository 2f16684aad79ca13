"""Which frames were seen: told exactly, in bounded memory."""

from gemel.bus import FrameHeader
from gemel.operate.partition import HOLES, Producers


def header(n, producer="p"):
    return FrameHeader(kind="samples", partition=0, producer=producer, sequence=n)


def size(producers):
    return sum(len(beyond) for _, beyond in producers.notes().values())


def test_a_frame_that_never_comes_does_not_fill_the_memory():
    """One torn frame, or a log trimmed before it was read, left every later one noted by itself."""
    seen = Producers()
    for n in range(2, 3 * HOLES):
        assert seen.first_time(header(n))
    assert size(seen) <= HOLES
    assert not seen.first_time(header(3 * HOLES - 1))
    assert not seen.first_time(header(5))
    assert seen.first_time(header(3 * HOLES))


def test_frames_on_their_way_together_may_change_places():
    seen = Producers()
    assert [seen.first_time(header(n)) for n in (2, 1, 4, 2, 3, 3, 5, 1)] == [True, True, True, False, True, False, True, False]
    assert size(seen) == 0
