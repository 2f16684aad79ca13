"""A reading that is not as its model expects is an alarm until it is back: raised by the record, by no reading, the same in a replay."""

import json

import pytest
from estimates_kit import PLANT, ROOT, SECOND, START
from plants import plant

from gemel.bus import FrameHeader
from gemel.operate.site import Site
from gemel.samples import Batch, Fact, Snapshot
from gemel.twin.alarm_past import alarms_at

LOWER = f"{ROOT}/rig-1/lower"
ALARM = f"{LOWER}#deviation"
OUT = {"signal": LOWER, "read": 4600.0, "expected": 4000.0, "sigma": 60.0, "unit": "mV", "by": "m@1", "since": START + SECOND,
       "suspects": [{"kind": "sensor", "name": "lower", "probability": 0.97}], "how": "off", "substituted": True}  # fmt: skip
IN = {"signal": LOWER, "read": 4010.0, "expected": 4000.0, "sigma": 60.0, "unit": "mV", "by": "m@1"}


def fact(seq, kind, body):
    return Fact(seq=seq, recorded=0, previous="", id=f"f{seq}", kind=kind, at=START + seq * SECOND, actor="gemel", subject=f"{ROOT}/rig-1", body=body)


class Twin:
    def __init__(self, folder, text=PLANT):
        made = plant(folder, text)
        self.site = Site(made, made.registry())
        self.partition, self.count = self.site.partition(), 0

    def tick(self, *facts):
        self.count += 1
        now = START + self.count * SECOND
        header = FrameHeader(kind="tick", partition=0, producer="t", sequence=self.count, time=now, facts=self.count)
        return [d for d in self.partition.tick(header, self.count, facts).drafts if d.kind.startswith("Alarm")]

    def read(self, value):
        self.count += 1
        now, number = START + self.count * SECOND, self.site.registry.index(LOWER)
        batch = Batch.of(signal=[number], time=[now], received=[now], value=[value], status=[0])
        return [d for d in self.partition.fold(batch, self.count, None).drafts if d.kind.startswith("Alarm")]

    @property
    def shown(self):
        return self.partition.alarms.view()


@pytest.fixture
def twin(tmp_path):
    return Twin(tmp_path)


def test_it_is_raised_once_with_who_is_suspected_and_ends_when_the_reading_is_back(twin):
    [raised] = twin.tick(fact(1, "ResidualRaised", OUT))
    assert (raised.kind, raised.subject, raised.at) == ("AlarmRaised", LOWER, START + SECOND)
    assert {k: raised.body[k] for k in ("alarm", "priority", "limit", "value", "residual")} == {"alarm": ALARM, "priority": 3, "limit": None, "value": 4600.0, "residual": 1}
    assert "sensor lower 97 %" in raised.reason
    [alarm] = twin.shown
    assert (alarm["id"], alarm["level"], alarm["active"], alarm["state"], alarm["limit"]) == (ALARM, "deviation", True, "unacknowledged", None)
    assert json.dumps(twin.shown, allow_nan=False)
    assert twin.tick(fact(2, "ResidualRaised", OUT)) == [], "weighed again: who is suspected is news, that it is out is none"
    assert twin.read(4000.0) == twin.read(4700.0) == twin.tick() == [], "what is read neither raises nor clears it"
    [cleared] = twin.tick(fact(6, "ResidualCleared", IN))
    assert (cleared.kind, cleared.body["value"], cleared.body["raised"]) == ("AlarmCleared", 4010.0, raised.at)
    [alarm] = twin.shown
    assert (alarm["active"], alarm["state"]) == (False, "returned_unacknowledged")
    assert twin.tick(fact(7, "ResidualCleared", IN)) == []


def test_where_the_estimates_begin_anew_it_does_not_stand_for_ever_and_says_why_it_ended(twin):
    twin.read(4600.0)
    twin.tick(fact(1, "ResidualRaised", OUT))
    [cleared] = twin.tick(fact(2, "ResidualCleared", {"signal": OUT["signal"], "anew": True}))
    assert (cleared.kind, cleared.reason) == ("AlarmCleared", "watched anew: the estimates began anew")


def test_it_stands_after_a_restart_and_the_record_alone_says_the_same(twin, tmp_path):
    twin.read(4000.0)
    facts = twin.tick(fact(2, "ResidualRaised", OUT))
    kept = twin.partition.snapshot().to_bytes()
    (tmp_path / "again").mkdir()
    again = Twin(tmp_path / "again")
    again.partition.restore(Snapshot.from_bytes(kept))
    again.count = twin.count
    assert again.shown == twin.shown
    recorded = [fact(3, d.kind, d.body) for d in facts]
    assert twin.tick(*recorded) == again.tick(*recorded) == [], "its own fact changes nothing"
    told = again.tick(fact(4, "ResidualCleared", IN))
    assert [d.id for d in told] == [d.id for d in twin.tick(fact(4, "ResidualCleared", IN))] != []
    past = alarms_at([fact(3, d.kind, d.body) for d in facts])
    assert [(a["id"], a["active"], a["limit"], a["priority"]) for a in past.view()] == [(ALARM, True, None, 3)]


def test_the_plant_file_says_how_urgent_it_is_and_only_of_what_a_model_expects(tmp_path):
    twin = Twin(tmp_path, PLANT.replace("estimated: {dynamics: true}", "estimated: {dynamics: true, priority: 1}, alarm: {high: 11000}"))
    [raised] = twin.tick(fact(1, "ResidualRaised", OUT))
    assert raised.body["priority"] == 1
    assert [d.body["level"] for d in twin.read(11500.0)] == ["high"], "beside limits of its own"
    assert twin.tick(fact(3, "ResidualRaised", {**OUT, "signal": f"{ROOT}/rig-1/upper"})) == [], "which nothing measures"
