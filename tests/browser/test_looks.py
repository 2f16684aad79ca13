"""Greys for what is as it should be, and every quality and priority told apart without colour (checks 7 and 8)."""

import io
import struct
import zlib

import pytest

from browser_kit import PUMP_1, TANK, looking, wait
from stand_in import order_script

np = pytest.importorskip("numpy")

QUALITIES = ["none", "good", "uncertain", "bad", "stale", "substituted", "simulated", "manual"]


def pixels(png):
    """Decode a PNG of 8 bits a channel that is not interlaced, as screenshots are."""
    stream = io.BytesIO(png)
    assert stream.read(8) == b"\x89PNG\r\n\x1a\n"
    data = b""
    while True:
        length, kind = struct.unpack(">I4s", stream.read(8))
        body = stream.read(length)
        stream.read(4)
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            data += body
        elif kind == b"IEND":
            break
    assert depth == 8 and colour in (2, 6) and interlaced == 0
    channels = 3 if colour == 2 else 4
    raw = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * channels)
    rows = np.zeros((height + 1, width * channels), np.uint8)
    for y in range(height):
        rows[y + 1] = _unfilter(int(raw[y, 0]), raw[y, 1:], rows[y], channels)
    return rows[1:].reshape(height, width, channels)[:, :, :3]


def _unfilter(kind, line, above, channels):
    """PNG, 9: filters Sub, Up, Average, Paeth; whole-array where the filter allows it."""
    if kind == 0:
        return line
    if kind == 2:
        return line + above
    if kind == 1:
        return np.cumsum(line.reshape(-1, channels), axis=0, dtype=np.uint64).astype(np.uint8).reshape(-1)
    out = np.zeros(len(line), np.int64)
    up = above.astype(np.int64)
    for i in range(len(line)):
        left = out[i - channels] if i >= channels else 0
        if kind == 3:
            guess = (left + up[i]) // 2
        else:
            corner = up[i - channels] if i >= channels else 0
            p = left + up[i] - corner
            pa, pb, pc = abs(p - left), abs(p - up[i]), abs(p - corner)
            guess = left if pa <= pb and pa <= pc else up[i] if pb <= pc else corner
        out[i] = (int(line[i]) + guess) & 255
    return out.astype(np.uint8)


def saturated_share(png):
    """Share of pixels whose chroma (largest less smallest channel) is more than a quarter of full."""
    rgb = pixels(png).astype(np.int16)
    return float(((rgb.max(axis=2) - rgb.min(axis=2)) > 64).mean())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["overview", "asset", "quality"])
def test_without_an_alarm_there_is_no_colour(chromium, demo, view, scheme):
    with looking(chromium, demo.url, color_scheme=scheme) as look:
        look.page.route("**/api/v1/alarms*", lambda r: r.fulfill(json=NO_ALARMS))
        look.page.add_init_script(SILENCE_ALARMS)
        page = look.go(view)
        look.wait_live()
        page.wait_for_timeout(1500)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert saturated_share(page.screenshot()) < 0.01


NO_ALARMS = {
    "items": [],
    "counts": {
        "unacknowledged": 0,
        "acknowledged": 0,
        "returned": 0,
        "shelved": 0,
        "by_priority": {"1": 0, "2": 0, "3": 0},
    },
    "flood": False,
    "next": None,
}
# The demo may have an alarm of its own by now; this page is shown as if it had none.
SILENCE_ALARMS = """
  const add = WebSocket.prototype;
  const own = Object.getOwnPropertyDescriptor(add, 'onmessage');
  Object.defineProperty(add, 'onmessage', { ...own, set(take) {
    own.set.call(this, (event) => {
      if (typeof event.data === 'string' && event.data.includes('"type":"alarms"')) return;
      take.call(this, event);
    });
  } });
"""


def alarm(priority, state, n):
    path = f"{PUMP_1}/bearing_temperature"
    return {
        "id": f"{path}#high{n}", "signal": path, "asset": PUMP_1, "level": "high", "priority": priority, "state": state,
        "active": True, "limit": 85.0, "unit": "degC", "value": 90.0, "since": "2026-01-01T00:00:00Z",
        "raised": "2026-01-01T00:00:00Z", "cleared": None, "first_out": n == 0,
    }  # fmt: skip


def test_in_greyscale_every_priority_is_still_told_apart(look):
    listed = {**NO_ALARMS, "items": [alarm(p, "unacknowledged", p) for p in (1, 2, 3)]}
    look.page.route("**/api/v1/alarms*", lambda r: r.fulfill(json=listed))
    page = look.go("alarms")
    shapes = []
    for priority in (1, 2, 3):
        mark = page.locator(f"tr[data-priority='{priority}'] .alarm-shape")
        mark.wait_for()
        assert mark.locator("text").text_content() == str(priority)
        shapes.append(mark.locator("path").get_attribute("d"))
    assert len(set(shapes)) == 3
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedVisionDeficiency", {"type": "achromatopsia"})
    page.emulate_media(reduced_motion="reduce")
    grey = [
        pixels(page.locator(f"tr[data-priority='{p}'] .alarm-shape").screenshot()).astype(np.int16).mean(axis=2)
        for p in (1, 2, 3)
    ]
    small = [image[:22, :22] for image in grey]
    for a in range(3):
        for b in range(a):
            assert np.abs(small[a] - small[b]).mean() > 10, f"priorities {a + 1} and {b + 1} look alike"


def analog_paths(page, base, asset):
    answer = page.request.get(f"{base}api/v1/assets/{asset}").json()
    return [signal["path"] for signal in answer["signals"] if signal["kind"] == "analog"]


def test_each_quality_has_its_own_shape_and_word_beside_its_value(look):
    paths = analog_paths(look.page, look.base, PUMP_1)
    assert len(paths) >= 8
    look.page.add_init_script(order_script(paths))
    page = look.go("asset")
    seen = {}
    for code, word in enumerate(QUALITIES):
        mark = page.locator(f"tr[data-signal='{paths[code]}'] .quality")
        wait(lambda mark=mark, word=word: mark.get_attribute("data-quality") == word, 60, f"{word} is shown")
        assert mark.locator(".word").inner_text() == word
        seen[word] = mark.locator("path").get_attribute("d")
    assert len(set(seen.values())) == len(QUALITIES)


def test_each_quality_has_its_shape_and_word_on_the_synoptic(look):
    """A node shows three values: each quality takes its turn on the tank's level."""
    level = f"{TANK}/level"
    shapes = set()
    for code, word in enumerate(QUALITIES):
        page = look.page.context.new_page()
        page.add_init_script(order_script(["-"] * code + [level]))
        page.goto(look.base + "#/overview")
        row = page.locator(f".row[data-signal='{level}']")
        wait(lambda row=row, word=word: row.count() == 1 and row.get_attribute("data-quality") == word, 60, f"{word} is shown")
        shapes.add(row.locator(".quality path").get_attribute("d"))
        assert row.locator(".word").text_content() == word
        visible = row.locator(".word").evaluate("node => getComputedStyle(node).display !== 'none'")
        assert visible == (word != "good")
        page.close()
    assert len(shapes) == len(QUALITIES)


def test_rows_that_are_not_good_are_marked_on_the_trend_and_named_in_its_table(look):
    """History answers with each kind of row once; marks are counted on the canvas by what they paint."""
    now = look.page.evaluate("Date.now() / 1000")
    statuses = [0, 0x40930000, 0x803C0000, 0x40910000, 0x00960000, 0]
    times = [now - 300 + 40 * i for i in range(len(statuses))]

    def answer(route):
        values = [5.0, 6.0, 999.0, 5.5, 6.5, None]
        route.fulfill(json={"signal": "x", "unit": "m", "mode": "raw", "time": times, "value": values, "status": statuses})

    look.page.route("**/api/v1/history*", answer)
    page = look.page
    page.add_init_script(
        """const fill = CanvasRenderingContext2D.prototype.fill; window.marks = 0;
           CanvasRenderingContext2D.prototype.fill = function (path) {
             if (path instanceof Path2D) window.marks += 1;
             return fill.apply(this, arguments); };"""
    )
    look.go(f"#/asset/{TANK}?trend=level&from={now - 320:.3f}&to={now:.3f}")
    page.get_by_text("Table of these data").click()
    table = page.locator("details.data table")
    wait(lambda: table.locator("tbody tr").count() == len(statuses), 60, "the table has the rows")
    words = [w for w in table.locator("tbody .quality .word").all_inner_texts()]
    assert set(words) >= {"good", "uncertain", "bad", "substituted", "manual"}
    assert "gap" in table.inner_text()
    wait(lambda: page.evaluate("window.marks") >= 4, 60, "the marks are painted")


def test_on_a_window_of_1366_px_the_header_is_one_line(chromium, whole):
    with looking(chromium, whole.url, viewport={"width": 1366, "height": 850}) as look:
        page = look.go("overview")
        look.wait_live()
        look.log_in(whole.operator)
        wait(lambda: page.locator("header.top").bounding_box()["height"] < 60, 10, "all of it stands in one line", page)
