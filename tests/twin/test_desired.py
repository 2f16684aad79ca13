"""Desired and reported: the last approved command says what shall be, readings from after it say what is."""

from command_kit import GUARDED, PLAIN, PUMP, WELL, ask, at

from gemel.samples import Fact
from gemel.twin.commands import Gate
from gemel.twin.desired import Wishes

SET = f"{PUMP}/speed_setpoint"


class Site:
    """A gate and the wishes that follow its facts."""

    def __init__(self):
        self.gate, self.wishes, self.seq = Gate(), Wishes(), 0

    def take(self, drafts):
        for draft in drafts:
            self.gate.apply(draft)
            self.seq += 1
            fields = {name: getattr(draft, name) for name in draft.__struct_fields__}
            self.wishes.on_fact(Fact(seq=self.seq, recorded=draft.at, **fields))

    def ask(self, value, t, id="c1", spec=PLAIN):
        self.take(ask(self.gate, value, id=id, spec=spec, t=t).drafts)

    def write(self, t, id="c1"):
        self.take(self.gate.sending(id, at=at(t)).drafts)
        self.take(self.gate.sent(id, at=at(t)).drafts)

    def read(self, value, t):
        self.wishes.on_tick(at(t + 0.1), {f"{PUMP}/speed": (value, at(t))}.get)

    def stands(self):
        found = self.wishes.of(PUMP)
        return [(d.target, d.value, d.reported, d.in_sync) for d in found]


def test_a_command_without_approval_is_desired_at_once_and_in_sync_when_it_is_read_back():
    site = Site()
    site.ask(1500.0, 1)
    assert site.stands() == [(SET, 1500.0, None, None)]
    site.write(2)
    site.read(1000.0, 0.5)
    assert site.stands() == [(SET, 1500.0, None, None)], "a reading from before says nothing"
    site.read(1200.0, 3)
    assert site.stands() == [(SET, 1500.0, 1200.0, False)]
    site.read(1490.0, 9)
    site.read(1510.0, 12)
    (desired,) = site.wishes.of(PUMP)
    assert (desired.in_sync, desired.reported, desired.since) == (True, 1510.0, at(9))


def test_what_somebody_changes_on_the_spot_is_out_of_sync():
    site = Site()
    site.ask(1500.0, 1)
    site.write(2)
    site.read(1500.0, 3)
    site.take(site.gate.on_reading(f"{PUMP}/speed", 1500.0, time=at(3), at=at(3)))
    site.read(900.0, 40)
    (desired,) = site.wishes.of(PUMP)
    assert (desired.in_sync, desired.reported, desired.since) == (False, 900.0, at(40))


def test_what_waits_for_approval_or_is_refused_is_not_desired():
    site = Site()
    site.ask(1500.0, 1, spec=GUARDED)
    site.ask(9000.0, 1, id="c2")
    assert site.stands() == []
    site.take(site.gate.approve("c1", "emil", "engineer", at=at(2), spec=GUARDED, situation=WELL).drafts)
    assert site.stands() == [(SET, 1500.0, None, None)]


def test_one_that_was_never_written_leaves_what_was_desired_before():
    site = Site()
    site.ask(1500.0, 1)
    site.write(2)
    site.read(1500.0, 3)
    site.take(site.gate.on_reading(f"{PUMP}/speed", 1500.0, time=at(3), at=at(3)))
    site.ask(1600.0, 100, id="c2")
    assert site.stands()[0][1] == 1600.0
    site.take(site.gate.cancel("c2", "olga", "operator", at=at(101)).drafts)
    assert site.stands() == [(SET, 1500.0, 1500.0, True)]


def test_one_whose_outcome_is_unknown_stays_desired():
    site = Site()
    site.ask(1500.0, 1)
    site.take(site.gate.sending("c1", at=at(2)).drafts)
    site.take(site.gate.recover(at(3)))
    assert site.stands() == [(SET, 1500.0, None, None)]


def test_a_snapshot_goes_on_where_it_stood():
    site = Site()
    site.ask(1500.0, 1, spec=GUARDED)
    again = Wishes()
    again.from_notes(site.wishes.to_notes())
    site.wishes = again
    site.take(site.gate.approve("c1", "emil", "engineer", at=at(2), spec=GUARDED, situation=WELL).drafts)
    assert site.stands() == [(SET, 1500.0, None, None)]
    more = Wishes()
    more.from_notes(again.to_notes())
    assert more.of(PUMP) == again.of(PUMP)
