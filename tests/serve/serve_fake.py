"""A twin in memory: the port of serve, filled by dictionaries and arrays. A fake, not a mock: it behaves."""

import asyncio
import hashlib
import itertools
import tempfile
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from gemel.assets import load
from gemel.condition.retrospect import retrospect
from gemel.errors import ConflictError, ModelError, NotFoundError, RefusedError
from gemel.operate import jobs, whatif
from gemel.operate.joining import members
from gemel.operate.applying import check, told
from gemel.samples import Batch, Fact
from gemel.samples.clock import iso
from gemel.samples.status import is_bad
from gemel.twin import override_requests
from gemel.twin.override_requests import Wish
from gemel.twin.desired import Wishes
from gemel.operate import life_law, life_record
from gemel.operate.release import told as release_told
from gemel.operate.view_life import LifeAsked
from gemel.twin.overrides import Overrides
from gemel.twin.judged import Judgements
from gemel.twin.releases import Releases, learner_released, released, rolled_back
from gemel.twin.versions import Versions

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
NEVER = np.iinfo(np.int64).min
ROOT = "acme/riverside"
PUMP = f"{ROOT}/area-1/line-1/pump-1"
OTHER = f"{ROOT}/area-1/line-1/pump-2"

PLANT = """
plant: acme/riverside
title: Riverside pumping station
timezone: Europe/Berlin
writes: true
connections:
  field: {mqtt: "mqtt://127.0.0.1:1883"}
types:
  Pump:
    description: Lifts water.
    source: {from: field, topic: "station/{asset}/{signal}"}
    signals:
      speed: {unit: rpm, range: [0, 3600], interval: 1 s, stale_after: 10 s, normal: [1000, 3000]}
      flow: {unit: m3/h, range: [0, 400], interval: 1 s, stale_after: 10 s, alarm: {high: 300, high_high: 350}}
      volume: {unit: m3, kind: total, interval: 1 s, stale_after: 10 s}
      running: {kind: state, states: [stopped, running], interval: 1 s, stale_after: 10 s}
    parameters:
      rated_head: {unit: m}
    commands:
      set_speed: {unit: rpm, range: [600, 3000], approval: engineer, sets: speed, read_back: speed, tolerance: 30 rpm,
                  to: field, topic: "station/{asset}/set/speed", payload: '{"value": {value}}'}
assets:
  pump-1: {type: Pump, at: area-1/line-1, title: Pump 1, parameters: {rated_head: 32 m}}
  pump-2: {type: Pump, at: area-1/line-1}
relations: [pump-1 feeds pump-2]
"""


@dataclass
class Delta:
    kind: str
    signals: object = None
    fact: object = None


@dataclass
class Aggregated:
    times: object
    values: object
    counts: object
    worst: object


class Values:
    def __init__(self, n):
        self.value = np.full(n, np.nan)
        self.status = np.zeros(n, np.uint32)
        self.time = np.full(n, NEVER)
        self.received = np.full(n, NEVER)
        self.sigma = None
        self.stale = np.ones(n, bool)
        self.seen = np.zeros(n, bool)
        self.held = {}
        self.sequence, self.plant_time, self.behind_s, self.facts = 0, START, 0.0, 0


@dataclass
class FakeTwin(LifeAsked):
    plant: object
    up: bool = True
    listeners: set = field(default_factory=set)

    def __post_init__(self):
        self.registry = self.plant.registry()
        self.values = Values(len(self.registry))
        self.rows = Batch.empty()
        self.holes = []
        self.record = []
        self.fmus = []
        self.alarm_list = {}
        self.commands = {}
        self.numbers = itertools.count(1)
        self.forked = FakeForks()
        self.jobs = FakeJobs()
        self.together = []  # as who estimates tells it

    # ---- what a test does to it

    def index(self, path):
        return self.registry.index(path)

    def send(self, readings, at=None, status=0, sigma=None):
        """Show readings: path -> value."""
        v = self.values
        v.plant_time = max(v.plant_time, at or v.plant_time)
        at = at or v.plant_time
        signals = np.array([self.index(p) for p in readings], np.int32)
        v.value[signals] = list(readings.values())
        v.time[signals] = v.received[signals] = at
        v.status[signals], v.stale[signals], v.seen[signals] = status, False, True
        v.sequence += 1
        n = len(signals)
        told = None if sigma is None else [sigma] * n
        more = Batch.of(signal=signals, time=[at] * n, received=[at] * n, value=list(readings.values()), status=[status] * n, sigma=told)
        self.rows = Batch.concat([self.rows, more])
        self.tell(Delta("values", signals))

    def say(self, path, lane, value, status=0):
        """Show a value of one lane."""
        v, signal = self.values, self.registry.index(path, lane)
        v.value[signal], v.status[signal], v.time[signal], v.received[signal] = value, status, v.plant_time, v.plant_time
        v.stale[signal], v.seen[signal] = False, True
        v.sequence += 1
        self.tell(Delta("values", np.array([signal], np.int32)))

    def fill(self, path, times, values, status=0):
        """Put rows into history."""
        n = len(times)
        more = Batch.of(signal=[self.index(path)] * n, time=times, received=times, value=values, status=[status] * n)
        self.rows = Batch.concat([self.rows, more])

    def raise_alarm(self, path, level="high", state="unacknowledged"):
        alarm = f"{path}#{level}"
        now = self.values.plant_time
        self.alarm_list[alarm] = {
            "id": alarm, "signal": path, "asset": path.rpartition("/")[0], "level": level, "priority": 2, "state": state, "active": True,
            "limit": 300.0, "unit": "m3/h", "value": 310.0, "since": now, "raised": now, "cleared": None, "acknowledged_by": None,
            "comment": None, "first_out": True, "cause": "", "consequence": "", "response": "", "respond_within_s": None,
            "shelved_until": None,
        }
        self.append("AlarmRaised", "gemel", path, {"alarm": alarm})

    def append(self, kind, actor, subject="", body=None, reason=""):
        seq = len(self.record) + 1
        fact = Fact(seq=seq, id=f"f{seq}", kind=kind, at=self.values.plant_time, recorded=self.values.plant_time, actor=actor,
                    subject=subject, body=body or {}, reason=reason)  # fmt: skip
        self.record.append(fact)
        self.values.facts = seq
        self.tell(Delta("fact", fact=fact))

    def tell(self, delta):
        for queue in self.listeners:
            queue.put_nowait(delta)

    # ---- the port

    @asynccontextmanager
    async def listen(self):
        queue = asyncio.Queue()
        self.listeners.add(queue)

        async def deltas():
            while True:
                yield await queue.get()

        try:
            yield deltas()
        finally:
            self.listeners.discard(queue)

    def link(self):
        return {"up": self.up, "age_s": 0.0 if self.up else 3.0}

    def _of(self, signal, start, end, known=None):
        r = self.rows
        keep = (r.signal == signal) & (r.time >= start) & (r.time < end)
        if known is not None:
            keep &= r.received <= known
        found = r.take(keep)
        return found.take(found.order())

    async def history_raw(self, signal, start, end, limit, known=None):
        return self._of(signal, start, end, known)[:limit]

    async def history_rows(self, signals, start, end, limit=None, known=None):
        return Batch.concat([self._of(s, start, end, known) for s in sorted(set(signals))])[:limit]

    async def history_holes(self, signals, start, end):
        return [h for h in self.holes if h.start < end and h.end > start]

    async def history_decimated(self, signal, start, end, points):
        rows = self._of(signal, start, end)
        if len(rows) <= 2 * points:
            return rows
        keep = set()
        for part in np.array_split(np.arange(len(rows)), points):
            keep |= {part[np.argmin(rows.value[part])], part[np.argmax(rows.value[part])]}
        return rows.take(np.array(sorted(keep)))

    async def history_aggregated(self, signal, start, end, interval_ns, aggregate):
        rows = self._of(signal, start, end)
        n = -(-(end - start) // interval_ns)
        bucket = (rows.time - start) // interval_ns
        of = {"mean": np.mean, "min": np.min, "max": np.max, "count": len, "last": lambda v: v[-1], "worst": np.max,
              "time_weighted_mean": np.mean}[aggregate]
        values, counts, worst = np.full(n, np.nan), np.zeros(n, np.int64), np.zeros(n, np.uint32)
        for b in np.unique(bucket):
            mine = rows.take((bucket == b))
            usable = mine.take(~is_bad(mine.status))
            counts[b], worst[b] = len(usable), mine.status.max()
            values[b] = of(usable.value) if len(usable) else np.nan
        return Aggregated(start + np.arange(n) * interval_ns, values, counts, worst)

    @property
    def past(self):
        return FakePast(self)

    @property
    def forks(self):
        return self.forked

    async def whatif_assets(self, asset):
        return members(self.plant, asset)

    async def whatif_begin(self, asset, shown, releases, at, estimated=()):
        return whatif.begin(self.plant, asset, shown, releases, at, estimated)

    async def whatif_together(self, assets):
        return [g for g in self.together if any(p.rpartition("/")[0] in assets for p in g["paths"])]

    async def whatif_spec(self, begun, question, at):
        return whatif.spec(begun, question, at, self.plant)

    async def life_last(self, asset, of, at):
        name = life_law.wearing(self.plant, asset, of)[0].spec.name
        mine = [j for j in self.jobs.all.values() if j.asked.kind == "life" and j.state == "done" and j.asked.by == life_record.BY]
        mine = [j for j in mine if j.asked.spec["at"] <= iso(at)]
        return next((j for j in reversed(mine) if (j.asked.spec["asset"], j.asked.spec["of"]) == (asset, name)), None)

    async def maintained(self, asset, of, body, user):
        one = life_law.wearing(self.plant, asset, of)[0]
        life_law.left(one, body["action"])
        self.append(life_record.DONE, user, asset, {"of": one.spec.name, **body}, body["reason"])

    async def facts(self, after, limit, kind, subject):
        found = [f for f in self.record if f.seq > after and kind in (None, f.kind) and f.subject.startswith(subject or "")]
        return found[:limit]

    async def verify(self):
        return {"ok": True, "checked": len(self.record), "broken_at": None, "reason": "", "head": "0" * 64}

    async def alarms(self):
        return list(self.alarm_list.values())

    def _alarm(self, alarm_id):
        if alarm_id not in self.alarm_list:
            raise NotFoundError(f"no alarm {alarm_id!r}", remedy="see GET /api/v1/alarms")
        return self.alarm_list[alarm_id]

    async def acknowledge(self, alarm_id, user, comment):
        alarm = self._alarm(alarm_id)
        if alarm["acknowledged_by"]:
            raise ConflictError(f"{alarm['acknowledged_by']} did already")
        alarm |= {"state": "acknowledged", "acknowledged_by": user, "comment": comment}
        self.append("AlarmAcknowledged", user, alarm["signal"], {"comment": comment})

    async def shelve(self, alarm_id, user, reason, seconds):
        alarm = self._alarm(alarm_id)
        alarm |= {"state": "shelved", "shelved_until": self.values.plant_time + int(seconds * SECOND)}
        self.append("AlarmShelved", user, alarm["signal"], {"seconds": seconds}, reason)

    def _versions(self):
        versions = Versions()
        for fact in self.record:
            versions.take(fact)
        return versions

    async def version(self, asset):
        return self._versions().of(asset).version

    async def desired(self, asset):
        wishes = Wishes()
        for fact in self.record:
            wishes.on_fact(fact)
        return [asdict(d) for d in wishes.of(asset)]

    async def command(self, user, role, asset, name, value, reason, expected=None):
        self._versions().check(asset, expected)
        spec = self.plant.commands.get(asset, name)
        if spec is None:
            raise NotFoundError(f"no command {name!r} of {asset!r}", remedy="see GET /api/v1/assets")
        if not spec.low <= value <= spec.high:
            raise RefusedError(f"{value} is outside {spec.low} … {spec.high} {spec.unit}", code="out-of-limits", remedy="ask for less")
        number = f"c{next(self.numbers)}"
        state = "awaiting_approval" if spec.approval else "approved"
        self.commands[number] = {
            "id": number, "asset": asset, "command": name, "value": value, "unit": spec.unit, "state": state, "requested_by": user,
            "requested": self.values.plant_time, "reason": reason, "approval": spec.approval, "approved_by": None, "refusal": None,
            "sent": None, "read_back": None, "confirmed": None, "failure": None,
            "steps": [{"state": state, "at": self.values.plant_time, "by": user, "note": reason}],
        }
        self.append("CommandRequested", user, f"{asset}/{name}", {
            "command": number, "asset": asset, "name": name, "value": value, "unit": spec.unit, "target": f"{asset}/{spec.sets}",
            "read_back": f"{asset}/{spec.read_back}", "tolerance": spec.tolerance, "approval": spec.approval,
        })  # fmt: skip
        return self.commands[number]

    async def command_get(self, command_id):
        if command_id not in self.commands:
            raise NotFoundError(f"no command {command_id!r}", remedy="see GET /api/v1/commands")
        return self.commands[command_id]

    async def command_list(self, asset=None):
        return [c for c in reversed(self.commands.values()) if asset in (None, c["asset"])]

    async def _decide(self, command_id, user, role, reason, state):
        command = await self.command_get(command_id)
        if command["state"] != "awaiting_approval":
            raise ConflictError(f"it is {command['state']} already")
        if state == "approved" and (user == command["requested_by"] or role != command["approval"]):
            raise RefusedError(f"another person must approve, who is {command['approval']}", code="second-person")
        command["state"] = state
        command["approved_by"] = user if state == "approved" else None
        command["steps"].append({"state": state, "at": self.values.plant_time, "by": user, "note": reason})
        return command

    async def approve(self, command_id, user, role, reason):
        return await self._decide(command_id, user, role, reason, "approved")

    async def reject(self, command_id, user, role, reason):
        return await self._decide(command_id, user, role, reason, "rejected")

    async def cancel(self, command_id, user, role, reason):
        return await self._decide(command_id, user, role, reason, "cancelled")

    async def revert(self, seq, user, reason):
        if not 1 <= seq <= len(self.record):
            raise NotFoundError(f"there is no fact {seq}")
        done = [f for f in self.record if f.body.get("reverts") == seq]
        if not done:
            self.append("AlarmUnacknowledged", user, self.record[seq - 1].subject, {"reverts": seq}, reason)
        return done[0] if done else self.record[-1]

    def _overrides(self):
        overrides = Overrides(self.registry)
        for fact in self.record:
            overrides.on_fact(fact, fact.at)
        overrides.on_tick(self.values.plant_time)
        return overrides

    def _held(self, draft):
        """Record it, and let it take effect."""
        self.append(draft.kind, draft.actor, draft.subject, draft.body, draft.reason)
        self.values.held = self._overrides().held
        self.tell(Delta("values", np.array([self.index(draft.subject)], np.int32)))

    async def plant_version(self):
        return {"digest": self.plant.digest, "registry": self.registry.digest, "applied_by": "emil"}

    def _planned(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            plant = load(folder)
        return plant.planned_from(self.plant), plant

    async def plant_fmu(self, data):
        if not data.startswith(b"PK"):
            raise ModelError("the FMU: File is not a zip file", code="fmu", remedy="check it")
        self.fmus.append(data)
        return {"digest": hashlib.sha256(data).hexdigest(), "kind": "ModelExchange", "size": len(data), "states": ["x"], "inputs": [], "outputs": [], "parameters": []}

    async def plant_plan(self, files):
        found, plant = self._planned(files)
        return told(found, plant.digest, applied=False)

    async def plant_apply(self, files, user, *, accept_loss, reason):
        found, plant = self._planned(files)
        check(found, accept_loss=accept_loss)
        self.append("PlantApplied", user, plant.root, {"digest": plant.digest}, reason)
        return told(found, plant.digest, applied=True)

    async def releases(self, asset=None):
        stands = Releases().take_all(self.record)
        return [release_told(r, stands) for r in (stands.all() if asset is None else stands.of(asset))]

    def _judgements(self):
        found = Judgements()
        for fact in self.record:
            found.take(fact)
        return found

    async def judgements(self, asset=None):
        return [s._asdict() for s in self._judgements().scores(asset)]

    async def judgement(self, asset):
        return self._judgements().last(asset)

    async def release(self, asset, user, body, reason, *, despite_gate):
        if not body.get("gate", {}).get("passed") and not despite_gate:
            raise RefusedError("the gate refuses", code="gate", remedy="see the checks")
        put = released if body.get("kind", "parameters") == "parameters" else learner_released
        draft = put(asset, body, user, self.values.plant_time, stands=Releases().take_all(self.record), reason=reason)
        self.append(draft.kind, user, asset, dict(draft.body), reason)
        return await self.releases(asset)

    async def calibration_ask(self, asset, wish, span, title, by):
        if self.plant.assets.find(asset) is None:
            raise NotFoundError(f"there is no asset {asset!r}", remedy="see GET /api/v1/assets")
        spec = {"asset": asset, "wish": dict(wish), "span": list(span), "champion": {"version": 0}}
        return await self.jobs.ask("calibrate", spec, title, by)

    async def roll_back(self, asset, user, reason, kind=None):
        draft = rolled_back(asset, user, self.values.plant_time, stands=Releases().take_all(self.record), reason=reason, kind=kind)
        self.append(draft.kind, user, asset, dict(draft.body), reason)
        return await self.releases(asset)

    async def origins(self, signals):
        return [{"frame": f"samples.0:{100 + s}", "producer": "ingest-1", "version": "0.1"} for s in signals]

    async def override(self, user, wish):
        now, path = self.values.plant_time, wish["path"]
        self._versions().check(path.rpartition("/")[0], wish["expected"])
        until = wish["until"] or now + int(wish["seconds"] * SECOND)
        asked = Wish(path, wish["value"], until, wish["reason"], wish["replaces"])
        states = len(self.registry.row(self.index(path))["states"])
        number = f"o{next(self.numbers)}"
        self._held(override_requests.set_(asked, number, user, now, stands=self._overrides(), states=states))
        return await self.override_get(number)

    async def override_clear(self, override_id, user, reason):
        draft = override_requests.clear(override_id, user, reason, self.values.plant_time, stands=self._overrides())
        before = await self.override_get(override_id)
        self._held(draft)
        return before

    async def override_list(self):
        rows = [(o, self.registry.row(self.index(o.path))) for o in self._overrides().all()]
        return [{**asdict(o), "unit": r["unit"], "states": r["states"], "in_force": True} for o, r in rows]

    async def override_get(self, override_id):
        found = [o for o in await self.override_list() if o["id"] == override_id]
        if not found:
            raise NotFoundError(f"no override {override_id!r}", code="override-unknown")
        return found[0]

    async def note(self, kind, user, body):
        self.append(kind, user, body=dict(body))

    async def quality(self, signals):
        n = len(signals)
        counted = np.bincount(self.rows.signal, minlength=len(self.registry)).astype(float)[signals]
        columns = {"received": counted, "stored": counted, "out_of_range": np.ones(n), "rate_per_s": np.full(n, 1.0),
                   "jitter_ms": np.full(n, np.nan)}  # fmt: skip
        return {"signals": columns, "connections": [
            {"name": "field", "protocol": "mqtt", "state": "connected", "messages": 3, "values": 3, "refused": {"not_json": 1},
             "examples": [{"reason": "not_json", "topic": "a", "text": "{"}]}]}  # fmt: skip

    async def ingest(self, rows):
        refused = []
        for i, (path, time, value, status, sigma) in enumerate(rows):
            if value == 13.0:  # so that a test sees a refusal of the twin's own
                refused.append({"row": i, "code": "unlucky", "message": "not 13"})
            else:
                self.send({path: value}, at=time, status=status or 0, sigma=sigma)
        return refused

    async def health(self):
        return {"status": "ok" if self.up else "degraded", "link": self.link(), "behind_s": 0.0, "plant_time": self.values.plant_time,
                "processes": {"twin": {"state": "up", "restarts": 0, "pid": 1}}, "problems": [], "told": getattr(self, "told", {})}  # fmt: skip


class FakePast:
    """The past of what is in memory; alarms and commands are never forgotten here."""

    def __init__(self, twin):
        self.twin = twin

    async def stood(self, signals, at, known):
        n = len(signals)
        shown = Batch.of(signal=signals, time=[NEVER] * n, received=[NEVER] * n, value=[np.nan] * n, status=[0] * n)
        for i, s in enumerate(signals):
            for row in [self.twin._of(s, 0, at + 1, known)[-1:]]:
                for name in ("time", "received", "value", "status"):
                    if len(row):
                        getattr(shown, name)[i] = getattr(row, name)[0]
        return Stood(shown, shown.time.copy())

    async def quality(self, signals, start, end, known):
        rows = Batch.concat([self.twin._of(s, start, end, known) for s in sorted(signals.tolist())])
        return retrospect(signals, rows, np.full(len(signals), SECOND), 50_000_000)

    async def alarms(self, at, known, under=None):
        return [a for a in self.twin.alarm_list.values() if a["since"] <= at and a["signal"].startswith(under or "")]

    async def commands(self, at, known, asset=None):
        return [c for c in reversed(self.twin.commands.values()) if c["requested"] <= at and asset in (None, c["asset"])]

    async def applied(self, at, known):
        found = [f for f in self.twin.record if f.kind == "PlantApplied" and f.at <= at]
        return {"digest": found[-1].body["digest"], "since": found[-1].at, "by": found[-1].actor, "fact": found[-1].seq} if found else None

    async def facts(self, at, known, *, kind="", under=None, after=0):
        return [f for f in self.twin.record if f.at <= at and f.kind.startswith(kind) and f.seq > after and f.subject.startswith(under or "")]

    async def newest(self, limit, before, until, wanted):
        kind, subject = wanted["kind"], wanted["subject"] or ""
        found = [f for f in self.twin.record if f.seq < before and f.at <= until and kind in (None, f.kind) and f.subject.startswith(subject)]
        return found[::-1][:limit]


@dataclass
class FakeFork:
    name: str
    by: str
    why: str
    at: int
    made: int = START
    state: str = "ready"
    origin: str = "live"
    position: int = 5
    facts: int = 1
    problem: str = ""


class FakeForks:
    """Forks in memory; it is also the place that keeps them."""

    def __init__(self):
        self.all = {}

    @property
    def kept(self):
        return self

    async def now(self, name, by, why, at):
        if name in self.all:
            raise ConflictError(f"there is a fork {name!r} already", code="fork-exists")
        self.all[name] = FakeFork(name, by, why, at)
        return self.all[name]

    async def then(self, name, by, why, at):
        fork = await self.now(name, by, why, at)
        fork.state, fork.origin = "making", "log"
        return fork

    def get(self, name):
        if name not in self.all:
            raise NotFoundError(f"no fork {name[:80]!r}", remedy="see GET /api/v1/forks")
        return self.all[name]

    def listed(self):
        return list(self.all.values())[::-1]

    def delete(self, name):
        self.get(name)
        return self.all.pop(name)


class FakeJobs:
    """Jobs in memory: each waits until a test says how it ended."""

    def __init__(self):
        self.all = {}

    async def warm(self):
        pass

    async def ahead(self, spec):
        self.ready = spec

    async def ask(self, kind, spec, title, by):
        name = jobs.digest(kind, spec)
        asked = jobs.Asked(id=name, kind=kind, title=title, by=by, made=START, spec=spec)
        return self.all.setdefault(name, jobs.Job(asked=asked, state="queued"))

    async def get(self, name):
        if name not in self.all:
            raise NotFoundError(f"no job {name[:40]!r}", remedy="see GET /api/v1/scenarios")
        return self.all[name]

    async def listed(self, kind):
        return [job for job in self.all.values() if job.asked.kind == kind]

    async def cancel(self, name):
        await self.get(name)
        return msgspec.structs.replace(self.all.pop(name), state="cancelled")


@dataclass
class Stood:
    shown: object
    heard: object


def make_plant(folder):
    folder.mkdir(exist_ok=True)
    (folder / "plant.yaml").write_text(PLANT)
    return load(folder)


FLOW_NOW = {f"{PUMP}/flow": 120.5, f"{PUMP}/speed": 1450.0, f"{PUMP}/running": 1.0, f"{PUMP}/volume": 16777217.0}
