"""The record as columns: what had happened and was known by a time, about whom, is found without reading the rest."""

import asyncio

import numpy as np
from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.server import free_port, new_token
from gemel.operate.chronicle import Chronicle
from gemel.samples import Draft
from gemel.samples.fact import Fact, encode
from gemel.twin.record import Record


def fact(seq, at, recorded=None, kind="Tried", subject="a/b/pump-1/flow"):
    return Fact(seq=seq, id=f"f{seq}", kind=kind, at=at, recorded=at if recorded is None else recorded, actor="ann", subject=subject)


def chronicle(tmp_path, *facts, wall=True):
    told = Chronicle(None, tmp_path, wall=wall)
    told.take(encode(f) for f in facts)
    return told


def test_a_fact_counts_once_it_has_happened_and_was_recorded(tmp_path):
    """A late reading raises an alarm in the past: true then, and not yet known."""
    told = chronicle(tmp_path, fact(1, 10), fact(2, 5, recorded=20), fact(3, 30))
    assert told.find(9).tolist() == [2]
    assert told.find(10).tolist() == [1, 2]
    assert told.find(10, known=15).tolist() == [1]
    assert told.find(100, after=2).tolist() == [3]
    assert [f.at for f in told.facts([3, 2])] == [30, 5]


def test_in_a_replay_of_old_data_a_fact_is_known_when_it_happens(tmp_path):
    told = chronicle(tmp_path, fact(1, 10, recorded=10**18), wall=False)
    assert told.find(20, known=20).tolist() == [1]


def test_facts_are_found_by_kind_and_by_whom_they_are_about(tmp_path):
    told = chronicle(tmp_path, fact(1, 1, kind="AlarmRaised"), fact(2, 2, subject="a/b/pump-2/flow"), fact(3, 3))
    assert told.find(kinds=lambda k: k.startswith("Alarm")).tolist() == [1]
    assert told.find(subjects=lambda s: s.startswith("a/b/pump-1/")).tolist() == [1, 3]
    assert told.find(kinds=lambda k: False).tolist() == []


def test_what_cannot_be_read_any_more_takes_its_place_and_hides_nothing(tmp_path):
    told = Chronicle(None, tmp_path)
    told.take([encode(fact(1, 1)), b"{broken", encode(fact(3, 3))])
    assert told.position == 3
    assert told.find().tolist() == [1, 3]
    assert [f.seq for f in told.facts([1, 2, 3])] == [1, 3]


def test_the_file_has_no_name_and_goes_with_its_owner(tmp_path):
    told = chronicle(tmp_path, fact(1, 1))
    assert list(tmp_path.iterdir()) == []
    assert len(told.facts([1])) == 1
    told.close()


def test_it_follows_the_record_as_it_grows(tmp_path):
    async def run():
        server = Server(ServerSettings(tmp_path / "log", free_port(), new_token()))
        await server.start(tmp_path / "nats.out")
        bus = await Bus.open(server.settings.url, "test")
        try:
            (tmp_path / "heads").mkdir()
            record = Record(bus, tmp_path / "heads")
            await record.open()
            told = Chronicle(bus, tmp_path)
            await told.follow()
            assert told.position == 0
            for n in range(30):
                await record.append(Draft(id=f"d{n}", kind="Tried", at=n, actor="ann", subject="a"))
                if n == 20:
                    await asyncio.gather(told.follow(), told.follow())
            await told.follow()
            assert told.find().tolist() == np.arange(1, 31).tolist()
            assert [f.id for f in told.facts(told.find(14, after=12).tolist())] == ["d12", "d13", "d14"]
        finally:
            await bus.close()
            server.stop()

    asyncio.run(asyncio.wait_for(run(), 60))
