"""The twin killed in the middle of applying a plant: the old one or the new one is in force, as a whole; nothing is lost."""

import asyncio
import os
import signal
import time

import pytest
from kit import PLANT, ROOT, Sender, get, rig, wait

from gemel.assets import load
from gemel.bus import Bus
from gemel.config.versions import Versions
from gemel.errors import GemelError
from gemel.operate.applying import SUBJECT

WHERE = ("hall", "yard")
EVERY = "start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z&limit=100000"


def text(port, number):
    """The rig in one of two halls, each formerly in the other; its unit changes with it."""
    here, there = WHERE[number % 2], WHERE[1 - number % 2]
    unit = ("{unit: bar}", "{unit: kPa, source: {unit: bar}}")[number % 2]
    moved = PLANT.format(root=ROOT, port=port).replace("at: hall}", f"at: {here}, formerly: {there}/rig}}")
    return moved.replace("a: {unit: bar}", f"a: {unit}").replace("plant:", f"title: Number {number}\nplant:", 1)


async def asked(site, digest, delay_s, pid):
    """Ask for a change, and kill the twin a little later."""
    bus = await Bus.open(site.running.bus, "fault")
    body = {"do": "apply", "digest": digest, "user": "olga", "accept_loss": False, "reason": ""}
    asking = asyncio.ensure_future(bus.ask(SUBJECT, body, timeout_s=2))
    await asyncio.sleep(delay_s)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    try:
        await asking
    except GemelError:
        pass
    finally:
        await bus.close()


def twin_of(site):
    try:
        return site.pids().get("twin")
    except (OSError, IndexError):  # one of the family is just ending
        return None


def completed(site, versions, digest):
    """Ask for a change, unless it is applied already: a twin that starts again does not answer at once."""
    if versions.pointer().plant != digest:
        asyncio.run(asked(site, digest, 0, None))
    return versions.pointer().plant == digest


def paths(site):
    try:
        return frozenset(s["path"] for s in get(site, "signals?limit=1000")["items"])
    except OSError:
        return frozenset()


def properties(site, asset):
    try:
        return len(get(site, f"state/{asset}")["properties"])
    except OSError:
        return 0


def rows(site, where, name):
    """Give what can be read back, nothing while the twin is away."""
    try:
        answer = get(site, f"history?signal={ROOT}/{where}/rig/{name}&{EVERY}")
    except OSError:
        return {}
    return {round(t, 4): v for t, v in zip(answer["time"], answer["value"], strict=True) if v is not None}


def unharmed(site, versions, folder, port):
    """Change the plant without a kill; give how long that took [s]."""
    (folder / "plant.yaml").write_text(text(port, 1))
    plant = load(folder)
    versions.stage(folder, plant)
    began = time.monotonic()
    asyncio.run(asked(site, plant.digest, 0, None))
    took = time.monotonic() - began
    assert wait(lambda: completed(site, versions, plant.digest), 60)
    assert wait(lambda: paths(site) == frozenset(f"{ROOT}/{WHERE[1]}/rig/{n}" for n in "abcd"), 60)
    return took


@pytest.mark.slow
def test_killed_while_it_applies_a_plant_the_twin_goes_on_with_one_plant_or_the_other(tmp_path):
    parts = [0.0, 0.05, 0.2, 0.4, 0.6, 0.9, 1.5, 3.0]  # of what a change takes that nobody kills
    ends = set()
    with rig(tmp_path) as (broker, site):
        whole = [frozenset(f"{ROOT}/{w}/rig/{n}" for n in "abcd") for w in WHERE]
        versions, now = Versions(site.places), 1
        took = unharmed(site, versions, tmp_path / "plant", broker.port)
        sender = Sender(broker.port).start()
        try:
            for delay in (part * took for part in parts):
                (tmp_path / "plant" / "plant.yaml").write_text(text(broker.port, now + 1))
                plant = load(tmp_path / "plant")
                versions.stage(tmp_path / "plant", plant)
                assert wait(lambda: twin_of(site) is not None, 60)
                killed = twin_of(site)
                asyncio.run(asked(site, plant.digest, delay, killed))
                assert wait(lambda: twin_of(site) not in (None, killed), 60, 0.1)
                pointer = versions.pointer()
                applied = pointer.plant == plant.digest
                ends.add(applied)
                want = whole[(now + 1) % 2] if applied else whole[now % 2]
                assert wait(lambda: paths(site) == want and versions.in_force() == pointer.version, 60), (delay, applied, paths(site))
                asset = next(iter(want)).rpartition("/")[0]
                assert wait(lambda: properties(site, asset) == 4, 60)
                assert wait(lambda: completed(site, versions, plant.digest), 60), "asked again it is applied"
                now += 1
                assert wait(lambda: paths(site) == whole[now % 2], 60)
        finally:
            sender.stop()
        where, scale = WHERE[now % 2], (1.0, 100.0)[now % 2]
        want = {n: {round(t / 1e9, 4): v * (scale if n == "a" else 1.0) for n2, t, v in sender.sent.values() if n2 == n} for n in "abcd"}
        assert wait(lambda: all(len(rows(site, where, n)) >= len(want[n]) for n in "abcd"), 60, 0.3)
        for name in "abcd":
            assert rows(site, where, name) == pytest.approx(want[name]), name
        told = [f["body"]["digest"] for f in get(site, "facts?kind=PlantApplied&limit=1000")["items"]]
        assert len(told) == len(parts) + 2, "each change is said once"
        assert get(site, "facts/verify")["ok"]
    assert ends == {True, False}, "some were killed before and some after the moment that counts"
