"""Olga asks on the page what pump 2 at 2400 rpm would cost before she asks for it: the tutorial's question, in its figures."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("browser")
FIGURES = ["energy", "cost", "pumped", "specific_energy", "hot_bearing", "hot_bearing, times", "cavitation", "cavitation, times", "bearing_life"]


def test_the_demo_says_what_more_speed_would_cost(look, demo):
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(demo.operator)
    page.goto(look.base + "#/whatif/gemel/riverside/waterworks/pumping/pump-2?n=50&h=24")
    speed = page.locator(".what-slider[data-quantity=speed_setpoint]").get_by_label("speed_setpoint becomes")
    speed.wait_for(timeout=60_000)
    speed.fill("2800")
    speed.press("Tab")
    page.get_by_role("button", name="Try it out").click()
    page.locator("[data-job][data-state=done]").wait_for(timeout=240_000)
    rows = page.locator(".whatif-figures [data-kpi]")
    assert rows.evaluate_all("all => all.map(row => row.dataset.kpi)") == FIGURES
    cost = page.locator(".whatif-figures [data-kpi=cost]")
    expect(cost.locator("td").nth(0)).to_have_text("EUR")
    expect(cost.locator("td").last).to_contain_text("clear, worse")
    expect(page.locator(".whatif-figures [data-kpi=pumped] td").last).to_contain_text("clear, better")
