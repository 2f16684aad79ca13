"""Law: plan then apply = fresh start. Where nothing was lost, a twin whose plant changed on the way knows the same as
one that began with the changed plant and heard the same readings."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from evolve_kit import ADDED, CM, EDITS, MOVED, RENAMED, SECOND, START, WORDS, Log, Plants, applied, edited
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.samples.lineage import lineage

NAMES = {
    "level": ("a/b/hall/t1/level", 1.0), "flow": ("a/b/hall/t1/flow", 1.0), "state": ("a/b/hall/t1/state", 1.0),
    "other": ("a/b/hall/t2/level", 1.0),
}  # fmt: skip
LOSSLESS = {"cm": CM, "moved": MOVED, "renamed": RENAMED, "added": ADDED, "words": WORDS}


def called(name, kinds):
    """Give the path of a property after the changes."""
    path = NAMES[name][0] if name in NAMES else f"a/b/hall/t1/{name}"
    if "moved" in kinds:
        path = path.replace("hall/t1", "yard/t1")
    return path.replace("/flow", "/outflow") if "renamed" in kinds else path


readings = st.lists(
    st.tuples(
        st.sampled_from(sorted(NAMES)), st.integers(0, 80),
        st.integers(-120, 220).map(lambda n: n / 4), st.sampled_from([0, 0, 0, 0x80000000]),
    ),
    max_size=12,
)  # fmt: skip
batches = st.lists(readings, min_size=1, max_size=10)


def told(frame, kinds, new):
    """Spell readings (name, tenths of a second, value, status) by the paths of a version; a state is a code."""
    found = []
    for name, tenths, value, status in frame:
        path = called(name, kinds) if new else NAMES[name][0]
        found.append((path, START + tenths * SECOND // 10, float(int(value) % 2) if name == "state" else value, status))
    return found


def run(plants, frames, at, kinds, *, fresh):
    old = plants.first()
    new = plants.next(old, edited(*(LOSSLESS[k] for k in sorted(kinds))))
    if fresh:
        new = plants.first(edited(*(LOSSLESS[k] for k in sorted(kinds))))
    log = Log(plants.partition(new if fresh else old))
    if not fresh:
        log.partition.know(new.registry)
    for i, frame in enumerate(frames):
        now = START + (i + 1) * SECOND
        framed_new = fresh or i >= at + 1  # one frame was on its way while the plant changed
        log.feed(new if framed_new else old, told(frame, kinds, framed_new), now)
        log.tick(now, *([applied(new)] if i == at - 1 and not fresh else []))
    if not fresh and log.partition.version != new.version:
        log.tick(START + (len(frames) + 1) * SECOND, applied(new))
    else:
        log.tick(START + (len(frames) + 1) * SECOND)
    return log, new


def known(log, site, kinds):
    """What is known of each property, by its name of today and in its unit."""
    p, found = log.partition, {}
    counts = p.conditioner.counts
    for name in (*NAMES, "volume"):
        signal = p.registry.index(called(name, kinds))
        latest = p.lanes.shown(np.array([signal]))
        usable = p.lanes.usable(np.array([signal]))
        found[name] = (
            latest.time.tolist(), latest.value.round(9).tolist(), latest.status.tolist(), usable.time.tolist(), usable.value.round(9).tolist(),
            counts[:, signal].tolist(), bool(p.stale[signal]),
        )  # fmt: skip
    found["alarms"] = [(a["id"], a["state"], round(a["value"], 9)) for a in p.alarms.view()]
    return str(found)  # NaN equals NaN


def history(log, kinds):
    """Every row of each property, through all the signals that it was, in the order of its times."""
    p, found = log.partition, {}
    for name in NAMES:
        rows = []
        for part in lineage(p.registry, p.registry.index(called(name, kinds))):
            for batch in log.rows:
                own = batch.take(batch.signal == part.signal)
                rows += zip(own.time.tolist(), own.received.tolist(), (own.value * part.scale + part.offset).round(9).tolist(),
                            own.status.tolist(), strict=True)  # fmt: skip
        found[name] = sorted(rows)
    return str(found)


@given(batches, st.integers(1, 9), st.sets(st.sampled_from(sorted(LOSSLESS))))
@settings(max_examples=60, deadline=None)
def test_a_changed_plant_knows_what_a_fresh_one_knows(frames, at, kinds):
    with tempfile.TemporaryDirectory() as folder:
        plants = Plants(Path(folder))
        changed, site = run(plants, frames, at, kinds, fresh=False)
        fresh, _ = run(plants, frames, at, kinds, fresh=True)
        assert known(changed, site, kinds) == known(fresh, site, kinds)
        assert history(changed, kinds) == history(fresh, kinds)
        assert [d.kind for d in changed.drafts] == [d.kind for d in fresh.drafts]


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_no_edit_of_this_law_loses_anything(tmp_path, kind):
    plants = Plants(tmp_path)
    old = plants.first()
    new = plants.next(old, edited(EDITS[kind]))
    assert new.plant.planned_from(old.plant).losses == []
