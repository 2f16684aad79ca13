"""A log that was lost takes nothing with it that the history has: the state is whole again, and equals its replay."""

import asyncio
import shutil

from kit import ROOT, SIGNALS, Sender, connected, get, rig, stored
from story_kit import gemel
from test_flipped import whole_family_killed

from gemel.bench.ingest import ask
from gemel.bench.site import wait
from gemel.history import Reader


def in_the_lake(site):
    with Reader(site.places.lake) as reader:
        return reader.rows_count()


def test_what_the_lake_has_and_the_log_lost_is_in_the_state_again(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port, rate=300).start()
        assert wait(lambda: len(sender.acknowledged) > 300, 30)
        asyncio.run(ask(site.places, "save"))
        folder = site.places.snapshots / "0"
        old = set(folder.glob("*.snap"))
        mark = len(sender.acknowledged)
        assert wait(lambda: len(sender.acknowledged) > mark + 600, 30)
        sender.stop()
        assert wait(lambda: in_the_lake(site) >= len(sender.acknowledged), 60, 1.0), (in_the_lake(site), len(sender.acknowledged), len(stored(site)))
        whole_family_killed(site)
        for later in set(folder.glob("*.snap")) - old:
            later.unlink()
        shutil.rmtree(site.places.streams / "jetstream" / "$G" / "streams" / "SAMPLES_0")
        last = {name: max(n for n in sender.acknowledged if sender.sent[n][0] == name) for name in SIGNALS}
        again = site.again()
        try:
            assert wait(lambda: connected(again), 60)

            def shown():
                items = get(again, "latest")["items"]
                return {name: i["value"] for name in SIGNALS for i in items if i["signal"] == f"{ROOT}/hall/rig/{name}"}

            assert wait(lambda: shown() == last, 30), (shown(), last)
            assert {f["kind"] for f in get(again, "facts?limit=1000")["items"]} & {"LogLost", "LogHole"}
            assert len(stored(again)) == len(sender.acknowledged), "nothing is stored twice"
            told = gemel("state", tmp_path / "plant", "--data", site.places.data, "--verify", timeout=120)
            assert told.returncode == 0, told.stdout + told.stderr
        finally:
            again.stop()
        assert in_the_lake(again) == len(sender.acknowledged)
