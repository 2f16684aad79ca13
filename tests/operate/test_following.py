"""When a calibration is due, and what becomes of it: a challenger comes in, runs beside, is promoted or dropped, and why."""

import json
import asyncio
from types import SimpleNamespace
from zoneinfo import ZoneInfo
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_release import Kept

from gemel.assets.spec import Calibrating
from gemel.errors import ModelError
from gemel.operate import calibrate_job, following, recalibrating
from gemel.operate.jobs import Asked, Ended, Job
from gemel.operate.recalibrating import Recalibrating
from gemel.operate.release import Releasing
from gemel.samples import Fact
from gemel.samples.clock import SECOND

HOUR = 3600 * SECOND
DAY = 24 * HOUR
ASSET = "a/b/rig"
YES = {"passed": True, "against": []}
NO = {"passed": False, "against": ["p = 0.4 that it is not better"]}
NIGHT = following.SETTLED_NS


def ns(text, zone="UTC"):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("now", "moment"),
    [("2026-07-02T01:59", "2026-07-01T02:00"), ("2026-07-02T02:01", "2026-07-02T02:00"), ("2026-07-02T02:00", "2026-07-01T02:00")],
)
def test_it_is_due_at_the_local_time_of_day_and_once_late_readings_have_come(now, moment):
    zone = "Europe/Berlin"
    assert following.due(ns(now, zone), Calibrating(), zone) == ns(moment, zone)


@settings(deadline=None)
@given(st.integers(0, 400 * 24 * 60), st.sampled_from([HOUR, 6 * HOUR, DAY, 7 * DAY]))
def test_what_is_due_is_never_ahead_and_at_most_one_distance_ago(minutes, every):
    now = ns("2026-01-01T00:00") + minutes * 60 * SECOND
    moment = following.due(now, Calibrating(every_ns=every), "Europe/Berlin")
    assert 0 <= now - NIGHT - moment < every
    assert following.due(now + every, Calibrating(every_ns=every), "UTC") - following.due(now, Calibrating(every_ns=every), "UTC") == every


def test_a_night_that_comes_twice_where_the_clocks_change_is_calibrated_once():
    zone, terms = "Europe/Berlin", Calibrating(at="02:30")
    hours = [ns("2026-10-24T12:00", "UTC") + h * HOUR for h in range(30)]
    last, nights = following.due(hours[0], terms, zone), 0
    for now in hours:
        moment = following.due(now, terms, zone)
        if following.is_due(moment, last, terms):
            last, nights = moment, nights + 1
    assert nights == 1


def result(gate=YES, *, champion=0, shadow=None, challenger=NO, wear=0.2):
    release = {"values": {"wear": wear}, "intervals": {}, "fidelity": {"flow": 0.99}, "gate": gate, "digest": str(wear), "data": {"to_s": 5.0}}
    told = {"gate": gate, "champion": champion, "release": {**release, "champion": champion}, "validation": {"readings": 300}, "chosen": {},
            "scores": {"champion": {"fidelity": {"flow": 0.9}, "rmse": {}}}}
    if shadow:
        told |= {"shadow": shadow, "challenger": challenger}
        told["scores"]["shadow"] = {"fidelity": {"flow": 0.95}, "rmse": {}}
    return told


class Source:
    """A twin whose record is real and whose jobs end as the test says."""

    def __init__(self, terms, results):
        self.record = Kept()
        self.asked = Releasing(self.record, SimpleNamespace(now=lambda: self.values.plant_time))
        self.values = SimpleNamespace(plant_time=ns("2026-07-01T12:00"))
        self.jobs, self.results, self.wishes, self.hybrids, self.done = self, list(results), [], [], []
        template = SimpleNamespace(calibration=terms, dynamics="m:M", parameters=[SimpleNamespace(calibrate=True)])
        assets = type("Fleet", (), {"template": [0], "paths": [ASSET], "__len__": lambda self: 1})()
        self.plant = SimpleNamespace(digest="d", timezone="UTC", clock="wall", templates=[template], assets=assets)

    def link(self):
        return {"up": True}

    async def _told(self, verb, **body):
        return json.loads(await self.asked.verbs[verb](body))

    async def calibration_ask(self, asset, wish, span, title, by, *, shadow=None):
        self.wishes.append((span, shadow))
        self.hybrids.append(wish["hybrid"])
        found = self.results.pop(0)
        if isinstance(found, Exception):
            raise found
        ended = Ended(wall=0, seconds=1.0, result=found) if isinstance(found, dict) else Ended(wall=0, seconds=1.0, problem=found)
        asked = Asked(id="j" * 20, kind="calibrate", title=title, by=by, made=0, spec={})
        return Job(asked=asked, state="done" if isinstance(found, dict) else "failed", ended=ended)

    async def releases(self, asset=None):
        return (await self._told("releases", asset=asset))["items"]

    async def release(self, asset, user, body, reason, *, despite_gate):
        return (await self._told("release", asset=asset, user=user, body=body, reason=reason, despite_gate=despite_gate))["items"]

    async def facts(self, after, limit, kind, subject):
        return [f for f in self.done if f.kind == kind and f.seq > after][:limit]

    async def judgement(self, asset):
        return await self._told("judgement", asset=asset)

    async def judged_until(self):
        return await self._told("judged_until")

    async def judge(self, asset, body):
        await self._told("judge", asset=asset, body=body)


def nights(source, count):
    loop = Recalibrating(source)
    asyncio.run(loop.look())
    for _ in range(count):
        source.values.plant_time += DAY
        asyncio.run(loop.look())
        asyncio.run(loop.look())  # nothing is due twice
    return [s["decision"] for s in asyncio.run(source._told("judgements"))]


def in_force(source):
    return asyncio.run(source._told("releases", asset=ASSET))["values"]


def test_what_the_gate_lets_in_is_in_force_and_what_it_refuses_is_told():
    source = Source(Calibrating(), [result(), result(NO, champion=1), ModelError("nothing to fit")])
    assert nights(source, 3) == ["released", "kept", "failed"]
    assert in_force(source) == {"wear": 0.2}
    assert [f.kind for f in source.record.facts] == ["ParametersReleased", "ModelJudged", "ModelJudged", "ModelJudged"]
    assert source.wishes[0][0] == (ns("2026-07-01T02:00"), ns("2026-07-02T02:00"))
    told = asyncio.run(source._told("judgements", asset=ASSET))
    assert told[1]["fidelity"] == {"flow": 0.9} and "not better" in told[1]["words"] and told[2]["words"] == "nothing to fit"


def test_in_shadow_it_must_be_better_so_often_before_the_gate_lets_it_in():
    source = Source(Calibrating(shadow=2), [result(), result(shadow=YES, wear=0.3), result(shadow=YES, wear=0.4), result(NO, champion=1)])
    assert nights(source, 1) == ["beside"] and in_force(source) == {}
    assert nights(source, 1) == ["beside", "beside"] and in_force(source) == {}
    assert nights(source, 1)[-1] == "promoted"
    assert in_force(source) == {"wear": 0.2}, "the one that ran beside, not the one of the night"
    assert [bool(shadow) for _, shadow in source.wishes] == [False, True, True]
    assert nights(source, 1)[-1] == "kept" and source.wishes[-1][1] is None


def test_in_shadow_it_is_dropped_when_it_is_no_better_any_more():
    source = Source(Calibrating(shadow=2), [result(), result(NO, shadow=NO), result(NO)])
    assert nights(source, 2) == ["beside", "dropped"]
    assert nights(source, 1)[-1] == "kept" and in_force(source) == {}


def test_a_person_promotes_where_the_plant_file_says_so_and_a_better_one_takes_the_place_beside():
    runs = [result(), result(shadow=YES), result(shadow=YES, challenger=YES, wear=0.5)]
    source = Source(Calibrating(promote="person"), runs)
    assert nights(source, 3) == ["beside"] * 3 and in_force(source) == {}
    assert asyncio.run(source.judgement(ASSET))["shadow"]["release"]["values"] == {"wear": 0.5}


ALONE = ["only rig/flow tells wear: no other reading confirms that it changed"]


def unconfirmed(**more):
    """What nothing but one sensor speaks for."""
    told = result(**more)
    return {**told, "unconfirmed": ALONE, "release": {**told["release"], "unconfirmed": ALONE}}


def test_what_only_one_sensor_says_waits_for_a_person_and_is_never_promoted_by_itself():
    source = Source(Calibrating(), [unconfirmed(), unconfirmed(shadow=YES), unconfirmed(shadow=YES, challenger=YES, wear=0.5)])
    assert nights(source, 3) == ["proposed"] * 3 and in_force(source) == {}
    told = asyncio.run(source._told("judgements", asset=ASSET))
    assert told[0]["words"] == f"a person must say so: {ALONE[0]}"
    standing = asyncio.run(source.judgement(ASSET))["shadow"]
    assert standing["release"]["values"] == {"wear": 0.5}, "one that beats it takes its place"
    asyncio.run(source.release(ASSET, "olga", {**standing["release"], "champion": 0}, "the gauge was checked", despite_gate=False))
    assert in_force(source) == {"wear": 0.5}


def test_what_a_second_sensor_confirms_needs_nobody_even_where_another_waits():
    source = Source(Calibrating(), [unconfirmed(), result(shadow=NO, wear=0.3)])
    assert nights(source, 2) == ["proposed", "released"] and in_force(source) == {"wear": 0.3}


def test_who_waits_goes_on_waiting_while_another_is_refused():
    source = Source(Calibrating(), [unconfirmed(), result(NO, shadow=YES), unconfirmed(gate=NO, shadow=NO)])
    assert nights(source, 2) == ["proposed", "proposed"]
    assert asyncio.run(source.judgement(ASSET))["shadow"]["release"]["unconfirmed"] == ALONE
    assert nights(source, 1)[-1] == "dropped", "it is no better any more"


def test_another_version_in_force_ends_who_ran_beside_the_one_before():
    source = Source(Calibrating(promote="person"), [result(), result(NO, champion=1)])
    nights(source, 1)
    asyncio.run(source.release(ASSET, "olga", {"values": {"wear": 0.7}, "gate": YES}, "known", despite_gate=False))
    assert nights(source, 1)[-1] == "kept" and source.wishes[-1][1] is None


def test_where_a_hybrid_is_in_force_what_is_left_over_is_learned_anew_too():
    source = Source(Calibrating(), [result(NO), result(NO)])
    nights(source, 1)
    body = {"values": {"wear": 0.7}, "gate": YES, "hybrid": [{"output": "flow"}]}
    asyncio.run(source.release(ASSET, "olga", body, "known", despite_gate=False))
    nights(source, 1)
    assert source.hybrids == [False, True]


def test_the_plant_file_has_nights_learn_a_first_hybrid_and_what_somebody_asks_for_goes_before_it():
    source = Source(Calibrating(hybrid=True), [result(NO)])
    nights(source, 1)
    assert source.hybrids == [True]
    terms = Calibrating(hybrid=True, step_s=10.0, lead_s=600.0, running=(("flow", (5.0, None)),))
    usual = calibrate_job.wish({}, terms)
    assert (usual.hybrid, usual.step_s, usual.lead_s, usual.running) == (True, 10.0, 600.0, {"flow": (5.0, None)})
    asked = calibrate_job.wish({"hybrid": False, "lead": 30, "step_s": 1.0}, terms)
    assert (asked.hybrid, asked.step_s, asked.lead_s, asked.lead) == (False, 1.0, None, 30)
    assert calibrate_job.wish({}) == calibrate_job.Wish()


def learned_from(text, **more):
    """A challenger that passes, and since when there are readings that it was fitted to."""
    told = result(shadow=NO, **more)
    return {**told, "release": {**told["release"], "data": {"from_s": ns(text) / SECOND}}}


def test_once_a_version_was_taken_back_what_is_learned_of_readings_from_before_waits_for_a_person():
    """The same sensor, the same readings in a long window: the night after would put in force again what a person took back."""
    found = [result(), *(learned_from(text, wear=wear) for text, wear in (("2026-07-02T02:00", 0.3), ("2026-07-02T12:00", 0.4), ("2026-07-01T02:00", 0.5)))]
    source = Source(Calibrating(), found)
    assert nights(source, 1) == ["released"]
    asyncio.run(source._told("roll_back", asset=ASSET, user="olga", reason="it was the sensor"))
    assert nights(source, 1)[-1] == "proposed" and in_force(source) == {}
    why = "version 1 was taken back (it was the sensor), and this was learned of readings from before too"
    assert asyncio.run(source._told("judgements"))[-1]["words"] == f"a person must say so: {why}"
    assert asyncio.run(source.judgement(ASSET))["shadow"]["release"]["unconfirmed"] == [why]
    assert nights(source, 1)[-1] == "released" and in_force(source) == {"wear": 0.4}, "of what came after it, it learns as ever"
    assert nights(source, 1)[-1] == "released" and in_force(source) == {"wear": 0.5}, "and of all, once a version came in after it"


def test_started_again_it_does_no_night_twice_and_of_those_away_the_last():
    source = Source(Calibrating(), [result(NO), result(NO), result(NO)])
    assert nights(source, 1) == ["kept"]
    assert nights(source, 0) == ["kept"], "the night is in the record"
    source.values.plant_time += 3 * DAY
    assert nights(source, 0) == ["kept", "kept"]
    assert source.wishes[-1][0][1] == ns("2026-07-05T02:00")


def test_what_was_read_before_an_overhaul_is_of_another_machine():
    source = Source(Calibrating(window_ns=3 * DAY), [result(NO)] * 3)
    night, noon = ns("2026-07-02T02:00"), ns("2026-06-30T12:00")

    def done(at, keep=0.0, subject=ASSET, told=None):
        of = len(source.done) + 1
        body = {"keep": keep, "at": told}
        source.done.append(Fact(seq=of, id=f"f{of}", kind="MaintenanceDone", at=at, recorded=0, actor="otto", subject=subject, body=body))

    nights(source, 1)
    assert source.wishes[-1][0] == (night - 3 * DAY, night)
    done(noon + DAY, keep=1.0)
    done(noon + 2 * DAY, subject="a/b/other")
    done(noon + 5 * DAY, told=noon)
    nights(source, 1)
    assert source.wishes[-1][0] == (noon, night + DAY), "an inspection leaves the machine as it was"
    done(noon + 2 * DAY)
    done(noon + 9 * DAY)
    nights(source, 1)
    assert source.wishes[-1][0] == (noon + 2 * DAY, night + 2 * DAY), "what is told of a time to come counts then"


def test_a_job_that_failed_keeps_who_runs_beside():
    source = Source(Calibrating(shadow=3), [result(), "it blew up", result(shadow=YES)])
    assert nights(source, 3) == ["beside", "failed", "beside"]
    assert asyncio.run(source.judgement(ASSET))["shadow"]["runs"] == 1


def test_a_machine_that_said_nothing_leaves_no_word_in_the_record():
    silent = ModelError("the history has nothing", code="no-readings")
    source = Source(Calibrating(), [silent, result(NO)])
    assert nights(source, 2) == ["kept"] and len(source.wishes) == 2


def test_a_replay_is_calibrated_at_once_for_its_past_is_there():
    source = Source(Calibrating(), [result(NO)])
    source.plant.clock = "data"
    assert nights(source, 0) == ["kept"] and source.wishes[0][0][1] == ns("2026-07-01T02:00")


def test_a_job_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(recalibrating, "LONGEST_S", -1.0)
    source = Source(Calibrating(), [])
    stopped = []

    async def cancel(name):
        stopped.append(name)
        return Job(asked=job.asked, state="cancelled")

    job = Job(asked=Asked(id="x", kind="calibrate", title="", by="", made=0, spec={}), state="queued")

    async def ask(*_, **__):
        return job

    source.cancel, source.calibration_ask = cancel, ask
    assert nights(source, 1) == ["failed"] and stopped == ["x"]


def alone_beside():
    """A hybrid that stands beside the one in force, as the last judgement tells."""
    hybrid = {"kind": "hybrid", "digest": "cd" * 32, "good_for": {"parameters": 0}, "hybrid": {"flow": {}}, "gate": YES, "champion": 1}
    return {"release": hybrid, "champion": 0, "runs": 1}


def test_a_hybrid_that_ran_beside_another_is_dropped_once_that_one_is_taken_back():
    source = Source(Calibrating(shadow=2), [result(NO, shadow=YES)])
    first = {**alone_beside()["release"], "digest": "ab" * 32, "champion": 0}
    asyncio.run(source.release(ASSET, "olga", first, "learned", despite_gate=False))
    before = following.failed(following.due(source.values.plant_time, Calibrating(), "UTC"), "j", 0, "", alone_beside())
    asyncio.run(source.judge(ASSET, before))
    assert following.beside(before, {"version": 0, "hybrid_version": 1}) == alone_beside(), "while it is in force it runs on"
    asyncio.run(source._told("roll_back", asset=ASSET, user="olga", reason="it was the sensor"))
    assert nights(source, 1)[-1] == "kept" and source.wishes[-1][1] is None
