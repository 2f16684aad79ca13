"""A year of readings, one a second, opens within a second, and a spike of one reading stays in sight (check 12)."""

import re
import time

import numpy as np
import pytest
from browser_kit import allowed, looking, wait
from gemel.bench.site import wait as until
from gemel.bus.server import free_port
from gemel.history import Store, Terms
from gemel.samples import Batch

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]  # a year is laid down and rolled up
SECOND = 1_000_000_000
DAY = 86_400
SPIKE = 380.0
RIG = "acme/year/hall/rig"
PLANT = """
plant: acme/year
types:
  Rig:
    signals:
      flow: {unit: m3/h, range: [0, 400], interval: 1 s}
      level: {unit: m, range: [0, 10], interval: 60 s}
assets:
  rig: {type: Rig, at: hall}
"""


def column(signal, start, n, step, value):
    times = (start + np.arange(n) * step) * SECOND
    return Batch(np.full(n, signal, np.int32), times, times + SECOND // 10, value, np.zeros(n, np.uint32))


def lay_down(lake, start):
    """A year of both signals, as a back-fill would have brought them, rolled up as the twin does when it is idle."""
    spike = 0
    with Store.open(lake) as store:
        epoch = store.take_over(9)  # not the twin's own partition: its log knows nothing of these
        noise = np.random.default_rng(1)
        for month in range(13):
            days = min(30, 365 - month * 30)
            n, first = days * DAY, start + month * 30 * DAY
            flow = np.round(100 + 20 * np.sin(np.arange(n) / 8640) + noise.normal(0, 1, n), 1)
            if month == 6:
                flow[n // 2] = SPIKE
                spike = first + n // 2
            rows = [column(0, first, n, 1, flow), column(1, first, n // 60, 60, np.round(5 + np.sin(np.arange(n // 60) / 20_000), 2))]
            store.commit(9, epoch, month + 1, Batch.concat(rows), np.array(["default"] * 2))
        terms = Terms(np.full(2, 30 * SECOND), np.array(["default"] * 2))
        while store.roll_up((start + 366 * DAY) * SECOND, 60.0, terms).behind:
            pass
    return spike


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    from story_kit import Face, child, end

    folder = tmp_path_factory.mktemp("year")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)
    port, data = free_port(), folder / "data"
    start = int(time.time()) // DAY * DAY - 365 * DAY

    def run():
        process = child(folder / "said", "run", folder / "plant", "--data", data, "--port", port)

        def heard():
            try:
                return Face(port).get("health")["link"]["up"]
            except OSError:
                return False

        assert until(heard, 180), (folder / "said").read_text()
        return process

    end(run())  # it makes its data directory
    spike = lay_down(data / "lake", start)
    process = run()
    yield f"http://127.0.0.1:{port}/", start, spike
    end(process)


@pytest.fixture
def opened(chromium, year):
    with looking(chromium, year[0]) as look:
        look.go(f"#/asset/{RIG}?trend=flow,level&span=300")
        look.wait_live()
        yield look, *year[1:]


def show_year(page, start, query=""):
    """Open the year by its address, as somebody who was sent it; give how long it took [s]."""
    view = f"#/asset/{RIG}?trend=flow,level&from={start}&to={start + 365 * DAY}{query}"
    began = time.perf_counter()
    page.evaluate("view => { location.hash = view }", view)
    drawn = "() => [...document.querySelectorAll('.plot .pen b')].length === 2 && " \
        "[...document.querySelectorAll('.plot .pen b')].every(b => !['', '–'].includes(b.textContent)) && " \
        "!document.querySelector('.trends [role=toolbar] .quiet').textContent.includes('…')"  # fmt: skip
    page.wait_for_function(drawn, polling="raf", timeout=60_000)
    return time.perf_counter() - began


def inked(page, at, window, low, high, plot=0):
    """Give the share of a narrow column of a plot that is drawn on, between two shares of its height from the top."""
    return page.evaluate(
        """([at, from, to, low, high, plot]) => {
          const over = document.querySelectorAll('.plot .u-over')[plot].getBoundingClientRect();
          const canvas = document.querySelectorAll('.plot canvas')[plot];
          const box = canvas.getBoundingClientRect();
          const ratio = canvas.width / box.width;
          const x = Math.round((over.left - box.left + over.width * (at - from) / (to - from)) * ratio);
          const [y0, y1] = [low, high].map((part) => Math.round((over.top - box.top + over.height * part) * ratio));
          const { data } = canvas.getContext('2d').getImageData(x - 2, y0, 5, y1 - y0);
          let rows = 0;
          for (let y = 0; y < y1 - y0; y++) {
            let dark = false;
            for (let k = 0; k < 5; k++) {
              const i = 4 * (y * 5 + k);
              dark ||= data[i + 3] > 128 && data[i] + data[i + 1] + data[i + 2] < 250;
            }
            rows += dark;
          }
          return rows / (y1 - y0);
        }""",
        [at, *window, low, high, plot],
    )


def test_a_year_opens_within_a_second(opened, capsys):
    look, start, _ = opened
    took = []
    for _ in range(3):
        took.append(show_year(look.page, start))
        look.page.evaluate("view => { location.hash = view }", f"#/asset/{RIG}?trend=flow,level&span=300")
        look.page.wait_for_timeout(300)
    with capsys.disabled():
        print(f"\n  a year of 1 s data: {', '.join(f'{1000 * t:.0f}' for t in took)} ms (limit {1000 * allowed(1.0):.0f} ms)")
    assert min(took) < allowed(1.0)
    assert look.complaints == []


def test_a_spike_of_one_reading_is_drawn(opened):
    look, start, spike = opened
    show_year(look.page, start)
    window = (start, start + 365 * DAY)
    look.page.locator(".plot").first.scroll_into_view_if_needed()
    wait(lambda: inked(look.page, spike, window, 0.15, 0.5) > 0.95, 60, "a line from the others up to it", look.page)
    for other in (spike - 20 * DAY, spike + 20 * DAY):
        assert inked(look.page, other, window, 0.15, 0.5) == 0, "nothing else is so high"


def test_the_cursors_of_a_year_are_in_step(opened):
    look, start, spike = opened
    page = look.page
    show_year(page, start)
    over = page.locator(".plot .u-over").first
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (spike - start) / (365 * DAY), box["y"] + 20)
    texts = lambda: page.locator(".plot time.at").all_inner_texts()  # noqa: E731
    wait(lambda: len(set(texts())) == 1 and texts()[0] != "", 60, "both plots read at the same time", page)
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.up()
    page.keyboard.up("Shift")
    page.get_by_test_id("time-bar").wait_for()
    page.mouse.move(0, 0)
    told = page.get_by_test_id("past-time").inner_text
    when = wait(lambda: re.search(r"\d{4}-\d\d-\d\d", told()), 60, "the time is told", page)[0]
    assert abs(np.datetime64(when) - np.datetime64(spike, "s").astype("datetime64[D]")) <= np.timedelta64(1, "D")
    window = (start, start + 365 * DAY)
    held = page.evaluate("new Date(new URLSearchParams(location.search).get('at')).getTime() / 1000")
    for plot in (0, 1):
        drawn = lambda plot=plot: inked(page, held, window, 0.05, 0.95, plot) > 0.95  # noqa: E731
        wait(drawn, 60, "the held cursor stands at the same place in both", page)
        assert inked(page, held - 9 * DAY, window, 0.05, 0.95, plot) < 0.9
