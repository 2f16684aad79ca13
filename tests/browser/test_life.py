"""Remaining life on the page of an asset (check 13): median, 50 and 90 % fan, threshold, the learner; what more load does."""

import os
import re

import numpy as np
import pytest
from browser_kit import allowed, looking
from test_access import SERIOUS, axe  # noqa: F401 - a fixture

from gemel.bench.site import running, wait
from story_kit import Face, add_person
from wheel_kit import ASSET, PLANT, foretold, post

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
NEW = "acme/works/hall/pump-2"


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    folder = tmp_path_factory.mktemp("works")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT.replace("assets: {", "assets: {pump-2: {type: Pump, at: hall}, "))
    with running(folder / "plant", folder / "data", timeout_s=allowed(60)) as site:
        otto = add_person(site.places.data, "otto", "operator")
        face = Face(site.settings.port, otto)
        post(face)
        assert wait(lambda: foretold(face), allowed(120)), face.get("health")
        yield site, otto


@pytest.fixture
def look(chromium, works):
    with looking(chromium, works[0].settings.url + "/") as window:
        yield window


def test_everybody_sees_the_fan_the_threshold_and_who_foretold_it(look):
    page = look.page
    page.goto(f"{look.base}#/asset/{ASSET}")
    panel = page.locator("[data-degradation=wheel]")
    panel.locator(".life-fan .inner").wait_for(timeout=allowed(15) * 1000)
    assert panel.locator(".life-fan .outer").count() == panel.locator(".life-fan .median").count() == 1
    assert panel.locator(".life-threshold").count() == 1 and panel.locator(".seen").count() > 20
    told = panel.inner_text()
    assert re.search(r"all goes on\s+[\d.]+ d, 90 %: [\d.]+ d to [\d.]+ d", told), told
    assert "failed at 20" in panel.locator(".life-fan > svg").text_content() and "ageing" in told
    kept = page.evaluate("asset => fetch(`/api/v1/life/last?asset=${asset}`).then(r => r.json())", ASSET)["item"]["result"]
    assert f"{kept['versions']['learner']}, plant {kept['versions']['plant'][-64:][:8]}" in " ".join(told.split()), told
    assert f"{kept['readings']} readings" in told
    assert "Log in" in told and panel.get_by_role("button", name="Try it out").is_disabled()


def test_what_was_foretold_is_kept_in_signals_of_its_own_panel_and_not_among_the_assets_values(look):
    page = look.page
    page.goto(f"{look.base}#/asset/{ASSET}")
    values = page.get_by_role("region", name="Values", exact=True).locator("tr[data-signal]")
    values.first.wait_for()
    assert values.evaluate_all("rows => rows.map(r => r.dataset.signal.split('/').pop())") == ["speed", "head_loss"]
    panel = page.locator("[data-degradation=wheel]")
    folded = panel.locator("details.life-kept")
    assert folded.get_attribute("open") is None
    folded.locator("summary").click()
    kept = folded.locator("tr[data-signal]").evaluate_all("rows => rows.map(r => r.dataset.signal.split('/').pop())")
    assert kept == ["wheel_degradation", "wheel_life", "wheel_life_low", "wheel_life_high", "wheel_risk"]
    folded.get_by_label("trend of wheel life low").check()
    page.locator(".plot .pen", has_text="wheel life low").wait_for()
    page.reload()
    page.locator(".plot .pen", has_text="wheel life low").wait_for()
    assert page.locator("details.life-kept").get_attribute("open") is not None, "what is drawn is not hidden"


def test_more_load_and_an_overhaul_are_tried_out_in_seconds_framed_as_what_they_are(look, works, axe):  # noqa: F811 - the fixture
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(works[1])
    page.goto(f"{look.base}#/asset/{ASSET}")
    panel = page.locator("[data-degradation=wheel]")
    panel.locator("[data-drive=speed] input").fill("115")
    panel.get_by_role("button", name="Try it out").click()
    panel.locator(".life-difference[data-clear=true]").wait_for(timeout=allowed(20) * 1000)
    assert "clearly earlier" in panel.locator(".life-difference").inner_text()
    assert panel.locator("[data-frame=what-if] .whatif-banner").inner_text().startswith("WHAT IF")
    assert panel.locator(".life-fan .watermark").count() == 1 and panel.locator(".life-fan .median").count() == 2
    if kept := os.environ.get("LIFE_SHOT"):
        panel.screenshot(path=kept)
    panel.locator("[data-drive=speed] input").fill("100")
    panel.locator("select").select_option("overhaul")
    panel.get_by_role("button", name="Try it out").click()
    panel.get_by_text("clearly later").wait_for(timeout=allowed(20) * 1000)
    page.evaluate(axe)  # past the page's own policy, which lets no foreign script in
    assert page.evaluate(SERIOUS) == [] and look.complaints == []


def test_thin_data_give_a_word_instead_of_a_fan(look):
    page = look.page
    page.goto(f"{look.base}#/asset/{NEW}")
    page.get_by_text("No estimate: only 0 readings, 20 are needed.").wait_for(timeout=allowed(15) * 1000)
    assert page.locator(".life-fan").count() == 0


def test_a_past_time_shows_what_was_foretold_by_then(look, works):
    page, face = look.page, Face(works[0].settings.port)
    kept = np.datetime64(face.get("life/last", asset=ASSET)["item"]["at"][:19])
    page.goto(f"{look.base}?at={kept - np.timedelta64(1, 'h')}Z#/asset/{ASSET}")
    panel = page.locator("[data-degradation=wheel]")
    panel.get_by_text("No prognosis of before that time is kept").wait_for(timeout=allowed(15) * 1000)
    assert panel.locator(".life-fan").count() == 0
    page.goto(f"{look.base}?at={kept}Z#/asset/{ASSET}")
    panel.locator(".life-fan .inner").wait_for(timeout=allowed(15) * 1000)
    assert "Then " in panel.inner_text()
