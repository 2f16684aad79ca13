"""What damage took of the history is hatched in the trends, with the word, and told in their table."""

import os
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_kit import PUMP_1, allowed, wait

pytestmark = pytest.mark.xdist_group("browser")
LOST = 0x809D0000  # OPC UA: Bad_DataLost


def instant(text):
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")


def iso(time_s):
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def third_missing(query):
    """Give a history as the twin would, if a file with the middle third of what is asked for were torn."""
    start, end = (instant(query[name][0]).timestamp() for name in ("start", "end"))
    at = [start + k * (end - start) / 60 for k in range(60)]
    first, last = at[20], at[40]
    rows = [(t, 1500.0 + k, 0) for k, t in enumerate(at) if not first <= t < last] + [(first, None, LOST)]
    time, value, status = zip(*sorted(rows, key=lambda row: row[0]), strict=True)
    missing = [{"start": iso(first), "end": iso(last), "rows": 1234, "why": "cut off"}]
    return {"signal": query["signal"][0], "unit": "rpm", "mode": "decimated", "time": time, "value": value, "status": status, "missing": missing}


@pytest.fixture
def torn(look, whole):
    def tear(route):
        query = parse_qs(urlsplit(route.request.url).query)
        if query.get("lane"):
            route.fulfill(json={"signal": "", "unit": "", "mode": "raw", "time": [], "value": [], "status": [], "missing": []})
        else:
            route.fulfill(json=third_missing(query))

    look.page.route(re.compile(r"/api/v1/history\?"), tear)
    return look


# How often the colour changes, from top to bottom, at a share of the width of the first plot.
STRIPES = """(share) => {
  const over = document.querySelector('.plot .u-over').getBoundingClientRect();
  const canvas = document.querySelector('.plot canvas');
  const box = canvas.getBoundingClientRect();
  const ratio = canvas.width / box.width;
  const x = Math.round((over.left - box.left + over.width * share) * ratio);
  const { data } = canvas.getContext('2d').getImageData(x, Math.round((over.top - box.top) * ratio), 1, Math.round(over.height * ratio));
  let changes = 0;
  for (let i = 4; i < data.length; i += 4) changes += [0, 1, 2, 3].some((k) => Math.abs(data[i + k] - data[i + k - 4]) > 20);
  return changes;
}"""


def test_a_hole_is_hatched_told_under_the_cursor_and_in_the_table(torn):
    page = torn.go(f"#/asset/{PUMP_1}?trend=speed,flow&span=60")
    torn.wait_live()
    plot = page.locator(".plot .canvas[data-holes='1']").first
    plot.wait_for()
    over = plot.locator(".u-over")
    over.scroll_into_view_if_needed()
    page.get_by_role("button", name="Earlier").click()  # held: it does not move away while it is looked at
    plot.wait_for()
    assert torn.complaints == []
    if kept := os.environ.get("HOLE_SHOT"):
        page.locator(".trends").screenshot(path=kept)
    wait(lambda: page.evaluate(STRIPES, 0.4) > 30 > 2 * page.evaluate(STRIPES, 0.2), allowed(20), "hatched there and nowhere else", page)
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    reading = page.locator(".plot .pen b").first
    wait(lambda: reading.inner_text() == "lost", 60, "the cursor tells it", page)
    page.mouse.move(box["x"] + 10, box["y"] + 20)
    wait(lambda: re.search(r"\d", reading.inner_text()), 60, "beside it there are readings", page)
    page.get_by_text("Table of these data").click()
    told = page.get_by_role("list", name="Readings lost").inner_text()
    assert "1234" in told.replace("\u202f", "") and "cut off" in told and "from" in told
