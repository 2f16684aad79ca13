"""All alarms at any time come out the same, whether folded from the beginning or from a place kept on the way."""

import random

import pytest
from gemel.operate.chronicle import Chronicle
from gemel.operate.past_alarms import AlarmFolds
from gemel.samples.fact import Fact, encode
from gemel.twin.alarm_past import alarms_at

SECOND = 1_000_000_000


def facts(n=400):
    """Raises, notes and clears of some alarms; one in ten is recorded late, so that times do not rise."""
    r, found, onset, active = random.Random(3), [], {}, set()
    for seq in range(1, n + 1):
        name = f"a/b/p{r.randrange(7)}/s#high"
        turn = "AlarmCleared" if name in active else "AlarmRaised"
        kind = r.choice([turn, turn, "AlarmAcknowledged", "Tried"])
        at = (seq + 50) * SECOND - (r.randrange(40) * SECOND if r.random() < 0.1 else 0)
        (active.add if kind == "AlarmRaised" else active.discard if kind == "AlarmCleared" else len)(name)
        if kind == "AlarmRaised":
            onset[name] = max(at, onset.get(name, 0) + 1)
        body = {"alarm": name, "onset": onset.get(name, 0), "limit": 4.0 + seq % 3, "value": 9.0, "unit": "bar", "priority": 2, "comment": ""}
        found.append(Fact(seq=seq, id=f"f{seq}", kind=kind, at=at, recorded=(seq + 50) * SECOND, actor="ann", subject=name[:-5], body=body))
    return found


@pytest.mark.parametrize("step", [1, 7, 50, 1000])
def test_a_fold_from_a_place_on_the_way_is_the_fold_from_the_beginning(tmp_path, step, monkeypatch):
    monkeypatch.setattr("gemel.operate.past_alarms.MOST", 8)  # so that places are given up too
    told, record = Chronicle(None, tmp_path), facts()
    folds = AlarmFolds(told, lambda _: None, step)
    for part in range(0, len(record), 100):
        told.take(encode(f) for f in record[part : part + 100])
        for at in range(0, part + 160, 23):
            for known in (at - 15, at, 10**9):
                now, by = at * SECOND, known * SECOND
                counted = [f for f in record[: part + 100] if f.at <= now and f.recorded <= by]
                assert folds.at(now, by).view(now=now) == alarms_at(counted).view(now=now)
    assert len(folds._places) <= 9
