"""Wherever the past stands in the log, behind what was live or before it, the same is stored, shown and counted."""

import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.bus import Frame, FrameHeader
from gemel.history.groups import Footers
from gemel.history.manifest import EMPTY
from gemel.history.sought import existing
from gemel.operate.tail import Tail
from gemel.samples import Batch

sys.path.insert(0, str(Path(__file__).parents[1] / "story"))
from test_partition import N, REGISTRY, SECOND, log, partition, step

old = st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, 4)), min_size=1, max_size=4)
HEARD = [[(s, 0, 0, 0) for s in range(N)], "tick", *["tick"] * 30]  # all signals spoke, and the window has passed that


def past(given_):
    """Frames of the past: few times, so that readings are doubled and corrected; no word comes again after another.

    (Between two ticks it is known for each word whether it was said; beyond that, what was said last.)
    """
    for number, rows in enumerate(given_, 1):
        signal, time = zip(*rows, strict=True)
        told, nothing = np.full(len(rows), number // 2), np.zeros(len(rows))
        batch = Batch.of(signal=signal, time=np.array(time) * SECOND, received=nothing, value=told, status=nothing)
        yield Frame(FrameHeader(kind="samples", partition=0, producer="old", sequence=number, registry=REGISTRY.digest), batch)


def outcome(frames):
    part, tail, rows = partition(), Tail(), []

    def lookup(asked):
        return existing(asked, EMPTY, Footers(), tail.around(asked))

    for position, frame in enumerate(frames, 1):
        if frame.header.kind == "tick":
            effects = part.tick(frame.header, position, [])
        else:
            effects = part.fold(part.rows_of(frame).with_columns(received=np.full(len(frame.batch), 1000 * SECOND + position)), position, lookup)
        tail.add(position, effects.rows)
        rows.append(effects.rows)
    stored = Batch.concat(rows)
    said = sorted(zip(stored.signal.tolist(), stored.time.tolist(), stored.value.tolist(), stored.status.tolist(), strict=True))
    lanes = part.lanes.shown(np.arange(N))
    return said, (lanes.time.tolist(), lanes.value.tobytes(), lanes.status.tolist()), part.conditioner.totals()


@settings(deadline=None, max_examples=60)
@given(st.lists(step, max_size=12), st.lists(old, min_size=1, max_size=5), st.data())
def test_the_same_is_stored_and_shown_wherever_the_past_stands(steps, given_, data):
    live = log([*HEARD, *steps])
    behind = len(HEARD)
    first = [*live[:behind], *past(given_), *live[behind:]]
    places = sorted(data.draw(st.lists(st.integers(behind, len(live)), min_size=len(given_), max_size=len(given_))))
    mixed, frames = list(live), list(past(given_))
    for place, frame in reversed(list(zip(places, frames, strict=True))):
        mixed.insert(place, frame)
    assert outcome(mixed) == outcome(first)
