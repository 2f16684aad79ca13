"""Everybody can use it: axe finds nothing serious, targets are 44 px, nothing is lost at 200 % zoom (check 19)."""

import pytest

from browser_kit import PUMP_1, VIEWS, looking, wait
from node_kit import packages

SERIOUS = """() => axe.run(document, { resultTypes: ['violations'] }).then((told) => told.violations
  .filter((v) => ['serious', 'critical'].includes(v.impact))
  .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`))"""


@pytest.fixture(scope="session")
def axe():
    return (packages() / "axe-core" / "axe.min.js").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(chromium, whole, axe, view, scheme):
    with looking(chromium, whole.url, color_scheme=scheme) as look:
        page = look.go(view)
        look.wait_live()
        page.wait_for_timeout(600)
        page.evaluate(axe)  # past the page's own policy, which lets no foreign script in
        assert page.evaluate(SERIOUS) == []


@pytest.mark.parametrize("view", ["overview", "asset", "alarms", "quality"])
def test_buttons_and_fields_can_be_hit(look, whole, view):
    page = look.go(view)
    look.wait_live()
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input:not([type=checkbox]), label.tick, .top a')]
          .filter((node) => node.offsetParent !== null && !node.matches('.skip'))
          .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
          .filter(([, box]) => box.height < 43.5).map(([html, box]) => `${html}: ${box.width} × ${box.height}`)"""
    )
    assert small == []


@pytest.mark.parametrize("view", VIEWS)
def test_at_twice_the_size_nothing_sticks_out(chromium, whole, view):
    """200 % zoom of a 1280 × 900 window is a page of 640 × 450."""
    with looking(chromium, whole.url, viewport={"width": 640, "height": 450}) as look:
        page = look.go(view)
        look.wait_live()
        page.wait_for_timeout(500)
        wait(lambda: page.evaluate("document.documentElement.scrollWidth") <= 640, 10, "nothing sticks out")
        assert page.get_by_role("link", name="Alarms", exact=True).is_visible()


def test_the_cursor_of_a_trend_moves_by_keys_and_its_data_stand_in_a_table(look, whole):
    page = look.go(f"#/asset/{PUMP_1}?trend=flow&span=300")
    look.wait_live()
    wait(lambda: page.locator(".pen b").count() and all(t not in ("", "–") for t in page.locator(".pen b").all_inner_texts()), 60, "it is drawn")
    plot, at = page.locator(".plot .canvas").first, page.locator(".plot time.at").first
    plot.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    first = wait(at.inner_text, 60, "the cursor tells its time")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    wait(lambda: at.inner_text() < first, 60, "it went back")
    page.get_by_text("Table of these data").click()
    page.locator("details.data tbody tr").first.wait_for()
