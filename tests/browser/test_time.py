"""One time cursor takes every view back, cannot be mistaken for now, and compares then with now (check 12, 16)."""

import csv
import io
import json
import re
import urllib.parse
import urllib.request
from datetime import datetime

import pytest
from browser_kit import PUMP_1, PUMP_2, TANK, looking, wait
from test_access import SERIOUS, axe  # noqa: F401 - a fixture

PAST = ".link[data-state=past]"


def ask(demo, path, **query):
    url = f"{demo.url}api/v1/{path}?{urllib.parse.urlencode(query, doseq=True)}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def lived(demo):
    """Two minutes of life, so that a minute back there is a past, and all had a value."""

    def old_enough():
        began = parse(ask(demo, "facts", kind="PlantApplied", limit=1)["items"][0]["at"])
        return (parse(ask(demo, f"state/{TANK}")["at"]) - began).total_seconds() > 120

    wait(old_enough, 300, "the twin has lived for two minutes")
    return demo


def to_the_past(look, seconds=60):
    """Take the page back, held; give the time in its address."""
    look.wait_live()
    look.page.get_by_role("button", name="Go back").click()
    look.page.get_by_test_id("time-bar").wait_for()
    for _ in range((60 - seconds) // 20):  # the button goes back by a minute: a little forth again
        for _ in range(20):
            look.page.get_by_role("button", name="+1 s").click()
    look.page.locator(PAST).wait_for()
    return address(look.page)


def address(page):
    return parse(urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["at"][0])


def parse(iso):
    return datetime.fromisoformat(iso[:26].rstrip("Z") + "+00:00")


def shown(page, signal):
    return page.locator(f'.value[data-signal="{signal}"] .number').first.inner_text().replace("\u202f", "").strip("\u2007\u2008 ")


def test_every_view_shows_what_stood_then(look, lived):
    page = look.go("overview")
    at = to_the_past(look)
    iso = at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    then = {i["asset"]: i["properties"] for i in ask(lived, "state", asset=[PUMP_1, TANK], at=iso)["items"]}
    level = f"{then[TANK]['level']['value']:.2f}"
    wait(lambda: shown(page, f"{TANK}/level") == level, 60, "the level of then is shown", page)
    look.go_hash(f"#/asset/{PUMP_1}")
    wait(lambda: shown(page, f"{PUMP_1}/power") == f"{then[PUMP_1]['power']['value']:.2f}", 60, "the power of then", page)
    before = page.locator("table.values tbody").first.inner_text()
    page.wait_for_timeout(2500)
    assert page.locator("table.values tbody").first.inner_text() == before, "something moved in the past"
    assert address(page) == at, "the cursor stays in the address from view to view"
    look.go_hash("#/audit")
    page.get_by_text("What had happened by").wait_for()
    page.locator(".fact-list tbody tr").first.wait_for()
    [newest] = ask(lived, "facts", order="newest", limit=1, until=iso)["items"]
    last = page.locator(".fact-list tbody tr").first
    wait(lambda: last.get_attribute("data-seq") == str(newest["seq"]), 60, "the list ends with the last fact of then", page)
    page.reload()
    page.locator(PAST).wait_for()
    assert address(page) == at
    assert look.complaints == [] and look.foreign == []


def test_alarms_and_commands_stand_as_they_did(look, lived):
    page = look.go(f"#/asset/{PUMP_2}")
    look.wait_live()
    look.log_in(lived.operator)
    plate = page.locator("[data-command=set_speed]")
    plate.locator("input[name=value]").fill("2350")
    plate.get_by_role("button", name="Ask for it").click()
    page.locator("dialog").get_by_role("button").last.click()
    plate.locator(".last").wait_for(timeout=60_000)
    made = wait(lambda: [c for c in ask(lived, "commands")["items"] if c["value"] == 2350], 60, "the command is told", page)[0]
    look.go_hash("#/commands")
    row = page.locator(f"table tbody tr[data-command-id='{made['id']}']")
    row.wait_for()
    to_the_past(look)
    while address(page) >= parse(made["requested"]):  # it took more than a minute to come here
        page.get_by_role("button", name="−1 min").click()
        page.wait_for_timeout(100)
    wait(lambda: row.count() == 0, 60, "the command is not there yet", page)
    look.go_hash("#/alarms")
    iso = address(page).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    then = ask(lived, "alarms", at=iso)["items"]
    wait(lambda: page.locator(".alarm-list tbody tr").count() == len(then), 60, "the alarms of then", page)


def test_the_quality_of_then_is_shown_and_stands_still(look, lived):
    page = look.go("quality")
    row = page.locator(f'.quality-table tr[data-signal="{TANK}/level"]')
    row.wait_for()
    at = to_the_past(look)
    iso = at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    told = ask(lived, "quality", asset=TANK, at=iso, span_s=600)["items"]
    then = next(i for i in told if i["signal"] == f"{TANK}/level")
    received = row.locator("td").nth(1)
    wait(lambda: received.inner_text().replace("\u202f", "") == str(then["received"]), 60, "what had come by then", page)
    assert "before the cursor" in page.get_by_role("note").inner_text()
    page.wait_for_timeout(6000)  # live it would have been asked for again
    assert received.inner_text().replace("\u202f", "") == str(then["received"])
    assert look.complaints == []


def test_the_past_cannot_be_taken_for_now(look, lived):
    page = look.go(f"#/asset/{PUMP_2}")
    look.wait_live()
    look.log_in(lived.operator)
    to_the_past(look)
    assert page.locator("html").get_attribute("data-time") == "past"
    border = page.evaluate("getComputedStyle(document.body, '::after').borderTopWidth")
    assert border == "8px"
    assert "Not live" in page.get_by_test_id("time-bar").inner_text()
    assert page.locator("header .link").inner_text().strip() == "past"
    plate = page.locator("[data-command=set_speed]")
    wait(plate.get_by_role("button", name="Ask for it").is_disabled, 60, "nothing can be asked for")
    assert "past" in plate.inner_text()
    look.go_hash("#/alarms")
    wait(page.get_by_role("button", name=re.compile("Acknowledge")).first.is_disabled, 60, "nothing can be acknowledged")
    page.get_by_role("button", name="Live", exact=True).click()
    look.wait_live()
    page.get_by_test_id("time-bar").wait_for(state="detached")
    assert page.evaluate("getComputedStyle(document.body, '::after').content") in ("none", "normal")
    wait(lambda: "at=" not in page.url, 60, "the address is of now", page)


def test_a_moving_cursor_keeps_its_distance_and_a_held_one_its_time(look, lived):
    page = look.go("overview")
    to_the_past(look)
    page.get_by_role("button", name="Move on").click()
    wait(lambda: "behind=" in page.url, 60, "the address moves on", page)
    text = lambda: page.get_by_test_id("past-time").inner_text()  # noqa: E731
    first = text()
    wait(lambda: text() != first and "…" not in text(), 60, "it moves on", page)
    wait(lambda: shown(page, f"{TANK}/inflow") not in ("", "–"), 60, "there are values", page)
    level = shown(page, f"{TANK}/inflow")
    wait(lambda: shown(page, f"{TANK}/inflow") != level, 60, "the values move with it", page)
    page.get_by_role("button", name="Hold").click()
    wait(lambda: "at=" in page.url and "…" not in text(), 60, "it is held", page)
    held = text()
    page.wait_for_timeout(1500)
    assert text() == held and "at=" in page.url


def test_then_and_now_are_compared_side_by_side(look, lived):
    page = look.go(f"#/asset/{PUMP_1}")
    at = to_the_past(look)
    page.get_by_role("link", name="Then and now").first.click()
    line = page.locator("tr[data-property=energy]")
    line.wait_for()

    def both():
        found = [t.replace("\u202f", "").strip("\u2007\u2008 ") for t in line.locator("td").all_inner_texts()]
        return found if all(re.search(r"\d", found[n]) for n in (0, 2, 4)) else None

    cells = wait(both, 60, "then and now have a value", page)
    assert line.get_attribute("data-changed") in ("yes", "no")
    then, now, delta = float(cells[0]), float(cells[2]), float(cells[4].replace("+", "").replace("−", "-"))
    assert delta == pytest.approx(now - then, abs=0.011) and delta >= 0, "a totaliser does not run backwards"
    asset = page.evaluate("path => fetch(`/api/v1/assets/${path}`).then(r => r.json())", PUMP_1)
    assert page.locator("table.compare tbody tr").count() == len(asset["signals"]) > 10
    iso = at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    setpoints = {ask(lived, f"state/{PUMP_1}", **when)["properties"]["speed_setpoint"]["value"] for when in ({}, {"at": iso})}
    same = page.locator("tr[data-property=speed_setpoint] .mark").inner_text().strip() == "= same"
    assert same == (len(setpoints) == 1)
    head = page.locator("table.compare thead").inner_text()
    assert at.strftime("%Y-%m-%d %H:%M:%S") in head


def test_a_trend_ends_at_the_cursor_and_takes_all_views_to_a_time(look, lived):
    asked = []
    look.page.on("request", lambda r: "/history?" in r.url and asked.append(urllib.parse.parse_qs(urllib.parse.urlsplit(r.url).query)))
    page = look.go(f"#/asset/{PUMP_1}?trend=speed,flow&span=60")
    at = to_the_past(look, 40)
    wait(lambda: any(parse(a["end"][0]) == at for a in asked if a.get("points") != ["120"]), 60, "the window ends then", page)
    wait(lambda: all(t not in ("", "–") for t in page.locator(".pen b").all_inner_texts()), 60, "both are drawn", page)
    canvas = page.locator(".plot .u-over").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.keyboard.down("Shift")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    page.keyboard.up("Shift")
    wait(lambda: address(page) != at, 60, "the cursor is where it was clicked", page)
    assert 20 <= (at - address(page)).total_seconds() <= 40, "half a window back"
    second = address(page)
    page.locator(".plot .canvas").nth(1).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("t")
    wait(lambda: address(page) < second, 60, "the keyboard does the same", page)


def test_the_audit_tells_who_when_before_and_after_and_comes_as_csv(look, lived):
    page = look.go("audit")
    look.wait_live()
    look.log_in(lived.operator)
    page.get_by_text("The chain is whole").wait_for()
    heads = page.locator(".fact-list thead th").all_inner_texts()
    assert [h.lower() for h in heads] == ["no.", "when", "who", "what", "about", "before", "after", "why"]
    page.locator("tr[data-kind=LoggedIn]", has_text=lived.operator[0]).first.wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))
    assert [int(r["seq"]) for r in rows] == list(range(1, len(rows) + 1))
    assert {"actor", "at", "recorded", "before", "after", "reason"} <= set(rows[0])
    assert any(r["kind"] == "LoggedIn" and r["actor"] == lived.operator[0] for r in rows)
    seqs = [int(s) for s in page.locator(".fact-list tbody tr").evaluate_all("rows => rows.map(r => r.dataset.seq)")]
    assert seqs == sorted(seqs, reverse=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_cursor(chromium, lived, axe, scheme):  # noqa: F811
    """axe finds nothing serious, targets are 44 px, and nothing sticks out at twice the size (check 19)."""
    with looking(chromium, lived.url, color_scheme=scheme) as look:
        page = look.go(f"?behind=20#/asset/{PUMP_1}")
        page.locator(PAST).wait_for()
        page.wait_for_timeout(600)
        page.evaluate(axe)
        assert page.evaluate(SERIOUS) == []
        heights = page.locator(".time-bar button, .time-bar input, .time-bar .button").evaluate_all("n => n.map(e => e.getBoundingClientRect().height)")
        assert min(heights) >= 43.5
        page.set_viewport_size({"width": 640, "height": 450})
        wait(lambda: page.evaluate("document.documentElement.scrollWidth") <= 640, 10, "nothing sticks out")
