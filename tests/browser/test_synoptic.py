"""The picture follows the plant within 300 ms, and mouse and keyboard open the right asset (check 17)."""

import statistics

from browser_kit import PUMP_1, TANK, allowed, looking, wait

# Notes when a value frame came and when the tile's text was written next.
WATCH = """() => {
  const row = [...document.querySelectorAll('.row .number')];
  window.delays = [];
  const seen = new MutationObserver(() => {
    if (window.frameAt) { window.delays.push(performance.now() - window.frameAt); window.frameAt = 0; }
  });
  row.forEach((node) => seen.observe(node, { childList: true, characterData: true, subtree: true }));
}"""
NOTE_FRAMES = """
  const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
  Object.defineProperty(WebSocket.prototype, 'onmessage', { ...own, set(take) {
    own.set.call(this, (event) => {
      if (typeof event.data !== 'string') window.frameAt = performance.now();
      take.call(this, event);
    });
  } });
"""


def test_the_synoptic_shows_what_came_within_300_ms(look, whole):
    look.page.add_init_script(NOTE_FRAMES)
    page = look.go("overview")
    look.wait_live()
    page.locator(f".node[data-asset='{TANK}']").wait_for()
    page.evaluate(WATCH)
    wait(lambda: page.evaluate("window.delays.length") >= 20, 60, "twenty changes were seen")
    delays = page.evaluate("window.delays")
    assert max(delays) < allowed(300), delays
    assert statistics.median(delays) < allowed(60), delays


def test_it_shows_what_the_twin_says(look, whole):
    page = look.go("overview")
    look.wait_live()
    row = page.locator(f".row[data-signal='{TANK}/level']")
    wait(lambda: row.get_attribute("data-quality") == "good", 60, "the level is good")

    def agrees():
        shown = float(row.locator(".number").text_content().split()[0])
        level = page.request.get(f"{look.base}api/v1/state/{TANK}").json()["properties"]["level"]
        return abs(shown - level["value"]) < 0.02

    wait(agrees, 60, "picture and API say the same level")


def test_the_mouse_opens_the_asset(look, whole):
    page = look.go("overview")
    page.locator(f".node[data-asset='{PUMP_1}'] .equipment").click()
    page.wait_for_url(f"**/#/asset/{PUMP_1}")
    page.get_by_role("heading", name="Pump 1", level=1).wait_for()


def test_the_keyboard_opens_the_asset(look, whole):
    page = look.go("overview")
    node = page.locator(f".node[data-asset='{TANK}']")
    node.wait_for()
    node.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/#/asset/{TANK}")


def test_no_pipe_runs_through_a_tile_and_no_asset_is_missing(look, whole):
    page = look.go("overview")
    page.locator(f".node[data-asset='{TANK}']").wait_for()
    assert page.locator(".node").count() == 5
    assert page.locator("path.pipe").count() == 4


def test_without_webgl_nothing_is_missing(chromium, whole):
    """The page draws in SVG; a browser that has no WebGL shows the same picture."""
    with looking(chromium, whole.url) as look:
        look.page.add_init_script("HTMLCanvasElement.prototype.getContext = ((own) => function (kind, ...rest) {"
                                  "return /webgl/.test(kind) ? null : own.call(this, kind, ...rest); })(HTMLCanvasElement.prototype.getContext);")
        page = look.go("overview")
        page.locator(f".node[data-asset='{TANK}']").wait_for()
        assert look.complaints == []
