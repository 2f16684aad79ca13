"""A reading that is not as its model expects, on the asset's page: the band behind its trend, who is suspected, and the alarm."""

import asyncio
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest
from browser_kit import allowed, looking, wait
from estimates_kit import PLANT, ROOT

from gemel.bench.site import running
from gemel.bus import Bus
from gemel.operate.places import read_running
from story_kit import Face, add_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
RIG = f"{ROOT}/rig-1"
LOWER = f"{RIG}/lower"
SPAN_S = 240
BANDED = """([box, colour]) => {
  const canvas = box.querySelector('canvas'), probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data, seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 0; i < seen.length; i += 4) count += [0, 1, 2].every((k) => seen[i + k] === wanted[k]);
  return count / (seen.length / 4);
}"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rig")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT.replace("connections", "writes: false\nconnections"))
    with running(folder / "plant", folder / "data", timeout_s=allowed(60)) as site:
        face = Face(site.settings.port, add_person(site.places.data, "ann", "engineer"))
        now = time.time()
        rows = [{"path": LOWER, "time": now - SPAN_S + k, "value": 4000.0 + 600 * (k > 200)} for k in range(SPAN_S)]
        assert face.post_rows(rows)[0] == 200
        yield site


def tell(site, kind, body):
    """Say what a residual did as who estimates does: over the bus, into the record."""

    async def told():
        bus = await Bus.open(read_running(site.places.data).bus, "test")
        asked = {"id": f"{kind}-1", "kind": kind, "at": time.time_ns(), "asset": RIG, "body": msgspec.json.encode(body)}
        await bus.ask("twin.residuals", asked, timeout_s=15)
        await bus.close()

    with ThreadPoolExecutor(1) as beside:  # the browser's driver has a loop in this thread already
        beside.submit(lambda: asyncio.run(told())).result(30)


def expected(route):
    """Expect 4000 ± 2 × 60 mV, as far as the window goes."""
    now = time.time()
    times = [now - SPAN_S + 4 * k for k in range(SPAN_S // 4)]
    n = len(times)
    route.fulfill(json={"signal": LOWER, "unit": "mV", "start": "", "end": "", "mode": "decimated", "time": times, "value": [4000.0] * n,
                        "status": [0] * n, "sigma": [60.0] * n, "rows": n, "next": None, "missing": []})  # fmt: skip


def test_the_band_stands_behind_the_trend_and_who_is_suspected_under_the_value_until_it_is_back(chromium, rig):
    read = {"signal": LOWER, "read": 4600.0, "expected": 4000.0, "sigma": 60.0, "unit": "mV", "by": "m@1"}
    with looking(chromium, rig.settings.url + "/") as look:
        page = look.page
        page.route(re.compile("history.*lane=estimated"), expected)
        page.goto(look.base + f"#/asset/{RIG}?trend=lower&span=300")
        look.wait_live()
        plot = page.locator(".plot .canvas[data-expected='1']")
        plot.wait_for(timeout=allowed(20) * 1000)
        colour = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--band')")
        wait(lambda: plot.evaluate(f"(box, colour) => ({BANDED})([box, colour])", colour) > 0.1, allowed(20), "the band is drawn", page)
        wait(lambda: page.locator(".pen b").inner_text().startswith("4600"), allowed(30), "what was read is drawn before it", page)
        assert page.locator(".not-expected").count() == 0
        suspects = [{"kind": "sensor", "name": "lower", "probability": 0.97}, {"kind": "process", "name": "k1", "probability": 0.02}]
        tell(rig, "ResidualRaised", {**read, "since": time.time_ns() - 39 * 10**9, "suspects": suspects, "how": "off", "against_nothing_log10": 8.5,
                                     "fired": 1, "substituted": True})  # fmt: skip
        line = page.locator(f".not-expected[data-residual='{LOWER}']")
        line.wait_for(timeout=allowed(20) * 1000)
        said = line.inner_text()
        assert re.search(r"Not as expected since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\. Suspected: sensor lower 97 % \(off\), process k1 2 %\.", said), said
        assert "Expected by CascadedTanks, parameters of the plant file." in said
        card = page.locator(".own-alarms .alarm-card[data-priority='3']")
        card.wait_for(timeout=allowed(20) * 1000)
        assert "lower deviation" in card.inner_text() and "not as expected" in card.inner_text()
        if kept := os.environ.get("EXPECTED_SHOT"):
            page.screenshot(path=kept, full_page=True)
        tell(rig, "ResidualSubstituted", {"signal": LOWER, "why": "blamed", "since": time.time_ns() - 29 * 10**9})
        wait(lambda: "The sensor is not listened to, it is to blame, since 20" in line.inner_text(), allowed(20), "why it is not listened to", page)
        between = time.time()
        tell(rig, "ResidualHeard", {"signal": LOWER})
        tell(rig, "ResidualCleared", {**read, "read": 4000.0})
        line.wait_for(state="detached", timeout=allowed(20) * 1000)
        page.goto(f"{look.base}?at={datetime.fromtimestamp(between, UTC):%Y-%m-%dT%H:%M:%S.%f}Z#/asset/{RIG}?trend=lower&span=300")
        line.wait_for(timeout=allowed(20) * 1000)  # as it stood then
        assert look.complaints == []
