"""How faithful a model proved, on the asset's page: calibration by calibration, with who runs beside, and nothing where none was."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from browser_kit import allowed, looking
from whatif_kit import ASSET, PLANT

from gemel.bench.site import running
from gemel.bus import Bus
from gemel.operate.places import read_running

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
HOUR = 3_600_000_000_000
BEGAN = 1_714_550_400_000_000_000


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fidelity")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)

    async def tell(address):
        bus = await Bus.open(address, "test")
        for night, (fidelity, beside, decision) in enumerate([(0.91, None, "beside"), (0.88, 0.97, "beside"), (0.86, 0.968, "promoted")]):
            body = {"due": BEGAN + night * 24 * HOUR, "version": 0, "fidelity": {"level": fidelity, "power": 0.99}, "decision": decision,
                    "shadow_fidelity": beside and {"level": beside}, "words": "the gate says yes", "shadow": None}  # fmt: skip
            await bus.ask("twin.ask", {"do": "judge", "asset": ASSET, "body": body}, timeout_s=15)
        await bus.close()

    with running(folder / "plant", folder / "data") as site:
        with ThreadPoolExecutor(1) as beside:  # the browser's driver has a loop in this thread already
            beside.submit(lambda: asyncio.run(tell(read_running(folder / "data").bus))).result(30)
        yield site


def test_the_last_judgements_stand_on_the_asset_s_page_the_newest_first(chromium, judged):
    with looking(chromium, judged.settings.url + "/") as look:
        look.page.goto(look.base + f"#/asset/{ASSET}")
        panel = look.page.get_by_role("region", name="Fidelity of the model")
        panel.wait_for(timeout=allowed(20) * 1000)
        rows = [row.inner_text().split("\t") for row in panel.locator("tbody tr").all()]
        assert [[cell.strip() for cell in row][1:] for row in rows] == [
            ["0", "86.0 %", "96.8 %", "promoted by the gate"], ["0", "88.0 %", "97.0 %", "another runs beside"],
            ["0", "91.0 %", "–", "another runs beside"],
        ]  # fmt: skip
        assert rows[0][0].strip() == "2024-05-03 08:00"
        assert panel.locator("svg path").get_attribute("d").count("L") == 2


def test_a_past_time_shows_what_was_judged_by_then(chromium, judged):
    with looking(chromium, judged.settings.url + "/") as look:
        look.page.goto(look.base + f"?at=2024-05-02T12:00:00Z#/asset/{ASSET}")
        panel = look.page.get_by_role("region", name="Fidelity of the model")
        panel.wait_for(timeout=allowed(20) * 1000)
        assert [row.inner_text().split("\t")[2].strip() for row in panel.locator("tbody tr").all()] == ["88.0 %", "91.0 %"]
        look.page.goto(look.base + f"?at=2024-04-30T12:00:00Z#/asset/{ASSET}")
        look.page.get_by_role("region", name="About").wait_for(timeout=allowed(20) * 1000)
        assert panel.count() == 0
