"""What is due is foretold and kept as rows; what is not is left alone; what fails is said and tried again."""

import asyncio
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from life_kit import ASSET, DAY, lived, now, plant_in

from gemel.errors import StorageError
from gemel.operate import jobs, life
from gemel.operate.foretelling import Foretelling

HOUR = DAY // 24


class Jobs:
    """Works on a job when it is looked at."""

    def __init__(self):
        self.asked, self.gone, self.fails = [], [], False

    async def ask(self, kind, spec, title, by):
        made = jobs.Asked(id=jobs.digest(kind, spec), kind=kind, title=title, by=by, made=0, spec=spec)
        self.asked.append(made)
        return jobs.Job(asked=made, state="queued")

    async def get(self, name):
        asked = self.asked[-1]
        if self.fails:
            return jobs.Job(asked=asked, state="failed", ended=jobs.Ended(wall=0, seconds=0, problem="it died"))
        return jobs.Job(asked=asked, state="done", ended=jobs.Ended(wall=0, seconds=0, result=life.run(asked.spec, lambda done: True)))

    async def listed(self, kind):
        return [jobs.Job(asked=a, state="done") for a in self.asked if a.id not in self.gone]

    async def cancel(self, name):
        self.gone.append(name)


@pytest.fixture
def twin(tmp_path):
    twin = lived(plant_in(tmp_path), pace=1.2)
    n = len(twin.registry)
    twin.values = SimpleNamespace(time=np.zeros(n, np.int64), seen=np.zeros(n, bool), plant_time=now(twin))
    twin.jobs, twin.kept = Jobs(), []

    async def keep(rows):
        for path, at, value, _ in msgspec.json.decode(msgspec.json.encode(rows)):
            number = twin.registry.index(path, "estimated")
            twin.values.time[number], twin.values.seen[number] = at, True
            twin.kept.append((path.rpartition("/")[2], at, value))

    twin.keep_prognosis = keep
    return twin


def test_what_is_due_is_foretold_once_and_again_after_its_time(twin):
    loop = Foretelling(twin, 0.01)
    assert asyncio.run(loop.look()) == 2
    kept = {name: value for name, _, value in twin.kept}
    assert {"wheel_degradation", "wheel_life", "wheel_life_low", "wheel_life_high", "wheel_risk"} <= kept.keys()
    assert kept["wheel_life_low"] < kept["wheel_life"] < kept["wheel_life_high"]
    assert all(at == now(twin) for _, at, _ in twin.kept)
    assert "bearing_life" not in kept and kept["bearing_risk"] == 0.0  # no end in sight within two years
    assert twin.jobs.gone == []
    assert asyncio.run(loop.look()) == 0
    twin.values.plant_time += HOUR
    assert asyncio.run(loop.look()) == 2 and loop.measures()["prognoses_total"] == 4
    assert twin.jobs.gone == [a.id for a in twin.jobs.asked[:2]]  # the newest is kept for its fan, those before are not
    assert asyncio.run(Foretelling(twin).look()) == 0  # a new process goes on by what was kept


def test_thin_data_wake_nobody_and_are_looked_at_again_sooner(twin):
    twin.columns = {name: values[:10] for name, values in twin.columns.items()}
    twin.values.plant_time = now(twin)
    loop = Foretelling(twin, 0.01)
    assert asyncio.run(loop.look()) == 0 and twin.jobs.asked == []
    assert list(loop.due()) == []
    twin.values.plant_time += HOUR // 20
    assert len(list(loop.due())) == 2


def test_what_fails_is_said_and_tried_again(twin):
    twin.jobs.fails = True
    loop = Foretelling(twin, 0.01)

    async def until_said():
        running = asyncio.create_task(loop.run())
        while not loop.problems():
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(until_said())
    assert twin.kept == [] and "it died" in loop.problems()[0]["message"]
    twin.jobs.fails = False

    async def refuse(rows):
        raise StorageError("nobody is there")

    twin.keep_prognosis, keep = refuse, twin.keep_prognosis
    twin.values.plant_time += HOUR
    with pytest.raises(StorageError):
        asyncio.run(loop.look())
    twin.keep_prognosis = keep
    twin.values.plant_time += HOUR
    assert asyncio.run(loop.look()) == 2
