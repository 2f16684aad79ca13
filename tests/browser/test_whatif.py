"""What if, on the page (check 14): progress, stop, the same seed the same result, framed, and never a word to the plant."""

import re
import time

import pytest
from browser_kit import allowed, looking
from test_access import SERIOUS, axe  # noqa: F401 - a fixture

import whatif_kit
from gemel.bench.site import wait
from whatif_kit import ASSET

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MORE = f"#/whatif/{ASSET}?set=demand*1.15@0&h=6&n=200&seed=3"


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    with whatif_kit.station(tmp_path_factory.mktemp("station")) as found:
        yield found


@pytest.fixture
def look(chromium, station):
    with looking(chromium, station[0].settings.url + "/") as window:
        yield window


def try_out(look):
    look.page.get_by_role("button", name="Try it out").click()


def done(page, count=1):
    page.locator("[data-job][data-state=done]").nth(count - 1).wait_for(timeout=180_000)


def test_it_is_tried_out_compared_and_shared_by_its_address(look, station, windows_of):
    page, asked = look.page, []
    page.on("request", lambda r: r.method not in ("GET", "HEAD") and asked.append((r.method, r.url)))
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + MORE)
    page.locator(".whatif-banner").get_by_text("not the plant").wait_for()
    page.locator("[data-quantity=demand][data-changed=yes]").wait_for()
    try_out(look)
    done(page)
    wait(lambda: page.locator(".fan").count() >= 20, 60)
    assert page.locator(".fan").count() >= 20 and page.locator(".fan .watermark").count() == page.locator(".fan").count()
    first = page.locator("[data-kpi='level, at the end']").inner_text()
    assert "clear" in first
    slider = page.locator("[data-quantity=setpoint_a] input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    try_out(look)
    done(page, 2)
    assert wait(lambda: page.locator(".fan").first.locator("[data-scenario]").count() == 3, 60)  # baseline and two
    assert page.locator("[data-job]").count() == 2
    with windows_of(station[0].settings.url + "/") as other:  # anybody, by the address alone
        other.page.goto(page.url)
        done(other.page, 2)
        assert other.page.locator("[data-kpi='level, at the end']").inner_text() == page.locator("[data-kpi='level, at the end']").inner_text()
        assert wait(other.page.get_by_role("button", name="Try it out").is_disabled, 60)
    writes = [(m, re.sub(r"^.*/api/v1/", "", u)) for m, u in asked]
    assert {w for w in writes if not w[1].startswith(("session", "scenarios"))} == set()
    assert station[2].get("facts", kind="CommandRequested", limit=10)["items"] == []
    assert look.foreign == [] and look.complaints == []


def test_the_same_seed_gives_the_same_numbers(look, station):
    _, _, face = station
    body = {"asset": ASSET, "scenarios": [{"name": "s", "changes": [{"of": "demand", "how": "scale", "value": 1.1}]}], "members": 100, "horizon_s": 3600, "points": 5}
    at = face.get(f"state/{ASSET}")["at"]
    results = []
    for seed in (5, 6, 5):
        _, job = face.post("scenarios", **body, at=at, seed=seed)
        assert wait(lambda: face.get(f"scenarios/{job['id']}")["state"] == "done", 180)
        results.append(face.get(f"scenarios/{job['id']}")["result"])
        face.ask("DELETE", f"scenarios/{job['id']}")  # computed anew each time
    assert results[0] == results[2] != results[1]


def test_it_speaks_the_units_of_the_plant(look, station):
    """The model computes in m³/s; the plant file says m3/h, and so does everything on the page, and what is typed."""
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + f"#/whatif/{ASSET}?h=1&n=20")
    demand = page.locator(".what-slider[data-quantity=demand]")
    assert wait(lambda: demand.locator("output").inner_text() == "306 m³/h", 60)
    demand.get_by_label("demand becomes").fill("360")
    demand.get_by_label("demand becomes").press("Tab")
    with page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/scenarios")) as told:
        try_out(look)
    sent = told.value.post_data_json["scenarios"][0]
    assert sent == {"name": "demand = 360 m³/h", "changes": [{"of": "demand", "how": "set", "value": 360, "unit": "m3/h"}]}
    done(page)
    job = station[2].get("scenarios/" + page.locator("[data-job]").get_attribute("data-job"))
    assert job["question"]["scenarios"][0]["changes"][0]["value"] == pytest.approx(0.1)
    ambient = page.locator(".what-slider[data-quantity=ambient]").locator("output")
    assert ambient.inner_text() == "20 °C"


def test_a_profile_is_drawn_row_by_row_and_shared_by_its_address(look, station, windows_of):
    page, demand = look.page, ".what-slider[data-quantity=demand]"
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + f"#/whatif/{ASSET}?h=2&n=20")
    page.locator(demand).get_by_label("Course of demand").select_option("profile")
    rows = page.locator(demand).locator(".what-profile tbody tr")
    assert wait(lambda: rows.count() == 2, 60)
    page.locator(demand).get_by_label("hour of row 2").fill("1")
    page.locator(demand).get_by_label("value of row 2").fill("36")
    page.locator(demand).get_by_label("value of row 2").press("Tab")
    try_out(look)
    done(page)
    job = station[2].get("scenarios/" + page.locator("[data-job]").get_attribute("data-job"))
    asked = job["question"]["scenarios"][0]["changes"][0]
    assert asked["how"] == "set" and asked["shape"] == "hold"
    assert [pytest.approx(pair) for pair in asked["profile"]] == [[0, 0.085], [3600, 0.01]]
    level = next(i for i, w in enumerate(job["result"]["watch"]) if w["name"] == "level")
    usual, tried = (f["bands"][level][2] for f in job["result"]["futures"])
    assert tried[:50] == pytest.approx(usual[:50], rel=1e-4) and tried[-1] > usual[-1] + 0.1  # the first hour is as it was, then less is drawn
    with windows_of(station[0].settings.url + "/") as other:
        other.page.goto(page.url)
        other.page.locator(demand).get_by_label("value of row 2").wait_for()
        assert other.page.locator(demand).get_by_label("value of row 2").input_value() == "36"


def test_progress_moves_twice_a_second_and_it_stops_within_one(look, station):
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + f"#/whatif/{ASSET}?set=demand*1.15@0&h=720&n=6000&seed=4")
    page.locator("[data-quantity=demand][data-changed=yes]").wait_for()
    asked = []
    page.on("response", lambda r: "/scenarios/" in r.url and r.request.method == "GET" and asked.append(time.monotonic()))
    try_out(look)
    page.locator(".whatif-running progress").wait_for(timeout=60_000)
    bar, shown, began = page.locator(".whatif-running progress"), set(), time.monotonic()
    while len(shown) < 5 and time.monotonic() - began < allowed(10):
        shown.add(bar.get_attribute("value"))
        page.wait_for_timeout(50)
    assert len(shown) >= 5, shown
    told = [t for t in asked if t > began]
    assert len(told) >= 2 * (told[-1] - told[0]) / allowed(1), "told less than twice a second"
    began = time.monotonic()
    page.get_by_role("button", name="Stop it").click()
    page.locator(".whatif-running").wait_for(state="detached", timeout=60_000)
    assert time.monotonic() - began < allowed(1.0)


def asked(face, at, change, hours=1, seed=1):
    """Have something computed, as the page would ask for it; give its id."""
    changes = [{"of": "demand", "how": "scale", "value": change}]
    title = f"demand x {change}"
    _, job = face.post("scenarios", asset=ASSET, at=at, title=title, scenarios=[{"name": title, "changes": changes}], members=20, horizon_s=3600 * hours, points=5, seed=seed)
    assert wait(lambda: face.get(f"scenarios/{job['id']}")["state"] == "done", 180)
    return job["id"]


def test_five_are_compared_and_told_apart_without_colour_and_a_sixth_replaces_the_first(look, station):
    page, face = look.page, station[2]
    at = face.get(f"state/{ASSET}")["at"]
    changes = (1.05, 1.1, 1.15, 1.2, 1.25, 1.3)
    jobs = [asked(face, at, change) for change in changes]
    view = lambda these: f"{look.base}#/whatif/{ASSET}?at={at}&jobs={','.join(these)}"  # noqa: E731
    page.goto(view(jobs[:5]))
    done(page, 5)
    level = page.locator(".fan[data-quantity=level]")
    scenarios = level.locator("[data-scenario]")
    wait(lambda: scenarios.count() == 6, 60)
    assert scenarios.evaluate_all("all => all.map(g => g.dataset.scenario)") == ["baseline", *(f"demand x {c}" for c in changes[:5])]
    dashes = level.locator(".median").evaluate_all("all => all.map(path => path.getAttribute('stroke-dasharray') ?? '')")
    assert len(set(dashes)) == 6, "each line has a dash of its own"
    heads = page.locator(".whatif-figures thead th").all_inner_texts()
    assert len([h for h in heads if h.startswith("Difference")]) == 5
    ends = page.locator("[data-kpi='level, at the end'] [data-clear]").all_inner_texts()
    values = [float(re.match(r"[+−-]?[\d.]+", text)[0].replace("−", "-")) for text in ends]
    assert values == sorted(values, reverse=True) and values[-1] < values[0] < 0, "the more is drawn, the lower it stands"
    page.goto(view(jobs))
    wait(lambda: page.locator("[data-job]").evaluate_all("all => all.map(one => one.dataset.job)") == jobs[1:], 60)


def test_what_looks_further_ahead_is_drawn_on_its_own_times(look, station):
    page, face = look.page, station[2]
    at = face.get(f"state/{ASSET}")["at"]
    jobs = [asked(face, at, 1.1, hours) for hours in (1, 4)]
    page.goto(f"{look.base}#/whatif/{ASSET}?at={at}&jobs={','.join(jobs)}")
    done(page, 2)
    level = page.locator(".fan[data-quantity=level]")
    wait(lambda: level.locator("[data-scenario]").count() == 3, 60)
    ends = level.locator(".median").evaluate_all("all => all.map(path => path.getBBox().width)")
    assert ends[1] == pytest.approx(ends[0]) and ends[2] == pytest.approx(4 * ends[0], rel=0.01)
    told = level.locator("[data-scenario]").evaluate_all("all => all.map(g => g.dataset.scenario)")
    assert told[1:] == ["demand x 1.1, over 1 h", "demand x 1.1, over 4 h"]
    assert level.locator("svg text").last.text_content() == "+4 h"


def test_nothing_on_it_can_be_written_to_the_plant_by_anybody(look, station):
    """No faceplate, no override, no acknowledgement stands on the page, and a command is none of what-if's."""
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + MORE)
    page.locator(".whatif-banner").wait_for()
    inside = page.locator("[data-frame=what-if]")
    assert inside.locator("[data-command]").count() == 0
    words = {word.strip() for word in inside.locator("button").all_inner_texts()}
    assert not {word for word in words if re.search(r"ask for|command|override|acknowledge|approve|write", word, re.I)}, words
    assert page.evaluate("getComputedStyle(document.querySelector('[data-frame=what-if]')).borderStyle") != "none"


def test_it_can_be_read_without_seeing_colours_and_without_a_mouse(look, station, axe):  # noqa: F811
    page = look.page
    page.goto(look.base + MORE)
    page.locator(".whatif-banner").wait_for()
    look.wait_live()
    page.locator("a.plant").get_by_text("station").wait_for()  # its path's last part: this plant has no title
    page.evaluate(axe)  # past the page's own policy, which lets no foreign script in
    assert page.evaluate(SERIOUS) == []


@pytest.fixture
def windows_of(chromium):
    return lambda url: looking(chromium, url)


def test_a_state_is_set_at_the_beginning_and_it_says_what_is_uncertain(look, station):
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + f"#/whatif/{ASSET}?h=1&n=20")
    page.get_by_text("States at the beginning").click()
    level = page.locator(".what-slider[data-quantity=level]")
    courses = level.get_by_label("Course of level").locator("option").all_inner_texts()
    assert courses == ["at once", "profile"], "the model moves a state: it follows no ramp"
    level.get_by_label("level becomes").fill("2")
    level.get_by_label("level becomes").press("Tab")
    with page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/scenarios")) as told:
        try_out(look)
    (change,) = told.value.post_data_json["scenarios"][0]["changes"]
    assert change == {"of": "level", "how": "set", "value": 2, "unit": "m"}
    done(page)
    said = page.locator("[data-job]").inner_text()
    assert "Uncertain (5 % by default): best_efficiency." in said
    job = station[2].get("scenarios/" + page.locator("[data-job]").get_attribute("data-job"))
    at = [w["name"] for w in job["result"]["watch"]].index("level")
    assert [f["bands"][at][2][0] for f in job["result"]["futures"]] == pytest.approx([4.0, 2.0])
