"""What futures are judged by, on the page: as the plant file declares, or as ticked; for up to five, shared by the address."""

import re

import pytest
from browser_kit import looking

import whatif_kit
from gemel.bench.site import wait
from whatif_kit import ASSET, JUDGED

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DECLARED = ["energy", "cost", "lifted", "warm", "low", "low, times", "bearing"]


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    with whatif_kit.station(tmp_path_factory.mktemp("judged"), JUDGED) as found:
        yield found


@pytest.fixture
def look(chromium, station):
    with looking(chromium, station[0].settings.url + "/") as window:
        yield window


def done(page, count=1):
    page.locator("[data-job][data-state=done]").nth(count - 1).wait_for(timeout=180_000)


def figures(page):
    page.locator(".whatif-figures [data-kpi]").first.wait_for()
    return page.locator(".whatif-figures [data-kpi]").evaluate_all("all => all.map(row => row.dataset.kpi)")


def cells(page, kpi):
    return page.locator(f".whatif-figures [data-kpi='{kpi}'] td").all_inner_texts()


def test_declared_figures_are_told_for_the_baseline_and_each_future_with_what_the_difference_means(look, station):
    page, face = look.page, station[2]
    at, jobs = face.get(f"state/{ASSET}")["at"], []
    for by in (1.05, 1.1, 1.15, 1.2, 1.25):
        change = [{"of": "demand", "how": "scale", "value": by}]
        _, job = face.post("scenarios", asset=ASSET, at=at, title=f"x {by}", scenarios=[{"name": f"x {by}", "changes": change}], members=40, horizon_s=7200, seed=1)
        jobs.append(job["id"])
    page.goto(f"{look.base}#/whatif/{ASSET}?at={at}&jobs={','.join(jobs)}")
    done(page, 5)
    assert figures(page) == DECLARED
    assert cells(page, "cost")[0] == "EUR" and cells(page, "lifted")[0] == "kW.h/m³" and cells(page, "warm")[0] == "°C"
    result = face.get(f"scenarios/{jobs[4]}")["result"]
    base, future = result["futures"]
    shown = cells(page, "low")
    assert len(shown) == 2 + 2 * 5
    assert float(shown[1].split()[0]) == pytest.approx(base["figures"]["low"]["quantiles"][2], rel=1e-3)
    assert float(shown[-2].split()[0]) == pytest.approx(future["figures"]["low"]["quantiles"][2], rel=1e-3)
    assert "▲" in shown[-1] and "clear, worse" in shown[-1] and re.search(r"\[\+[\d.]+ … \+[\d.]+\], p < 0\.001", shown[-1]), shown[-1]
    assert "What the mains cost" in page.locator("[data-kpi=cost] th").inner_text()


def test_what_is_ticked_is_asked_stands_in_the_address_and_is_shown_to_whom_it_is_given(look, station, chromium):
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(look.base + f"#/whatif/{ASSET}?set=demand*1.15@0&h=2&n=40&seed=3")
    boxes = page.locator(".whatif-kpis")
    boxes.get_by_label("energy", exact=False).first.wait_for()
    ticked = lambda: boxes.locator("label:has(input:checked)").all_inner_texts()  # noqa: E731
    assert [t.split()[0] for t in ticked()] == ["energy", "cost", "lifted", "warm", "low", "bearing"]
    for name in ("energy", "cost", "lifted", "warm"):
        boxes.locator("label", has_text=re.compile(rf"^\s*{name}\b")).first.locator("input").click()
    boxes.locator("summary").click()
    boxes.locator("label", has_text="level, at the end").locator("input").click()
    assert "kpis=" in page.url
    with page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/scenarios")) as told:
        page.get_by_role("button", name="Try it out").click()
    assert told.value.post_data_json["kpis"] == ["low", "bearing", "level, at the end"]
    done(page)
    assert figures(page) == ["low", "low, times", "bearing", "level, at the end"]
    with looking(chromium, station[0].settings.url + "/") as other:
        other.page.goto(page.url)
        done(other.page)
        assert figures(other.page) == figures(page)
        assert cells(other.page, "low") == cells(page, "low")
        assert [t.split()[0] for t in other.page.locator(".whatif-kpis label:has(input:checked)").all_inner_texts()] == ["low", "bearing", "level,"]
    boxes.locator("label", has_text=re.compile(r"^\s*energy")).locator("input").click()
    page.locator(".whatif-figures").locator("..").get_by_text("Not computed yet: energy").wait_for()
    assert look.foreign == [] and look.complaints == []


def test_the_last_figure_cannot_be_taken_away(look, station):
    page = look.page
    page.goto(look.base + f"#/whatif/{ASSET}?kpis=cost")
    box = page.locator(".whatif-kpis label", has_text=re.compile(r"^\s*cost")).locator("input")
    box.wait_for()
    assert box.is_checked() and box.is_disabled()
    page.locator(".whatif-kpis label", has_text=re.compile(r"^\s*energy")).locator("input").click()
    assert wait(lambda: box.is_enabled(), 10)


def test_an_order_is_written_in_words_shared_by_the_address_and_told_as_the_share_of_the_futures_that_meet_it(look, station):
    page = look.page
    page.goto(look.base + "#/overview")
    look.log_in(station[1])
    page.goto(f"{look.base}#/whatif/{ASSET}?set=setpoint_a*0.5@0&h=2&n=64&seed=1")
    page.get_by_text("In words: an order").click()
    figure, button = page.get_by_label("Figure", exact=True), page.get_by_role("button", name="Judge by it")
    figure.fill("A={order: inflow")
    assert button.is_disabled()
    figure.fill("A={order: inflow, amount: 500 m3, by: 2 h}")
    button.click()
    page.get_by_role("button", name="Try it out").click()
    done(page)
    assert "order" in page.url and {"A", "A, missing", *DECLARED} == set(figures(page))
    unit, baseline, slower, gone = cells(page, "A")
    assert (unit, baseline, slower) == ("%", "100 % of the members", "0 % of the members") and gone.startswith("-100 ") and "clear, worse" in gone
    assert cells(page, "A, missing")[0] == "m³"
