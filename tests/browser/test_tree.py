"""The tree is asked for piece by piece, so that a plant of a million assets is as light as one of forty (check 2, 4)."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_kit import allowed, looking, wait
from test_access import SERIOUS, axe  # noqa: F401 - a fixture

from gemel.bench.fleet import write_fleet
from gemel.bench.site import running

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TREE = "aside.tree"
FLEET = "bench/fleet"


def pieces(page):
    """Note what is asked of the tree."""
    asked = []
    page.on("request", lambda r: "/api/v1/tree" in r.url and asked.append({k: v[0] for k, v in parse_qs(urlsplit(r.url).query).items()}))
    return asked


def lines(page):
    return page.locator(f"{TREE} li").count()


# ---- a million assets, the answers a stand-in's, the page not


AREAS, EACH = 100, 10_000


def node(path, kind, count, assets, children=(), following=None):
    name = path.rpartition("/")[2]
    return {"path": path, "name": name, "title": "", "kind": kind, "count": count, "assets": assets, "children": list(children), "next": following}


def area(number):
    return node(f"big/site/area-{number:02d}", "area", EACH, EACH)


def answer(query):
    """Give what a twin of 100 areas of 10,000 machines would."""
    under, after, limit = query.get("under", "big"), int(query.get("after", -1)) + 1, int(query["limit"])
    if under == "big":
        site = node("big/site", "site", AREAS, AREAS * EACH, map(area, range(AREAS)))
        return node("big", "enterprise", 1, AREAS * EACH, [site])
    place = re.fullmatch(r"big/site/area-(\d\d)(?:/m-(\d{5}))?", under)
    if place[2]:
        return node(under, "asset", 0, 1)
    upto = min(after + limit, EACH)
    machines = [node(f"{under}/m-{i:05d}", "asset", 0, 1) for i in range(after, upto)]
    return {**area(int(place[1])), "children": machines, "next": upto - 1 if upto < EACH else None}


@pytest.fixture
def million(look):
    def give(route):
        query = {k: v[0] for k, v in parse_qs(urlsplit(route.request.url).query).items()}
        assert query, "the whole tree is never asked for"
        route.fulfill(json=answer(query))

    look.page.route("**/api/v1/tree*", give)
    return look


def test_of_a_million_assets_only_what_is_opened_is_asked_for(million):
    page = million.page
    asked = pieces(page)
    million.go("overview")
    page.locator(".picture").get_by_text("1\u202f000\u202f000 assets in 100 parts").wait_for()
    million.wait_live()  # connected, it asks once more: another plant may be in force than when it was loaded
    assert len(asked) <= 2 and all(a == {"depth": "64", "limit": "300"} for a in asked)
    begun = len(asked)
    page.locator(".card.part").first.get_by_text("10\u202f000 assets").wait_for()
    began = time.monotonic()
    page.get_by_role("button", name="Open area-03").click()
    page.locator(TREE).get_by_role("link", name="m-00042", exact=True).wait_for()
    assert time.monotonic() - began < allowed(1.0)
    assert asked[begun:] == [{"under": "big/site/area-03", "limit": "100"}]
    assert lines(page) < 250, "what is closed is not in the page"
    page.locator(TREE).get_by_role("button", name="9900 more").wait_for()
    assert million.complaints == []


def test_scrolling_asks_for_more_and_gives_each_once_in_order(million):
    page = million.page
    asked = pieces(page)
    million.go("overview")
    page.get_by_role("button", name="Open area-00").click()
    more = page.locator(f"{TREE} button.more")
    for least in (200, 300, 400):
        more.scroll_into_view_if_needed()
        wait(lambda least=least: lines(page) > AREAS + least, 60, "the next machines are drawn", page)
    names = page.locator(f"{TREE} .branch[data-kind=asset] a").all_inner_texts()
    assert names == [f"m-{i:05d}" for i in range(len(names))]
    assert [int(a["after"]) for a in asked if "after" in a] == [100 * k - 1 for k in range(1, len(names) // 100)]


def test_an_address_deep_in_the_plant_shows_where_it_is(million):
    """Neither its area nor the nine thousand machines before it are needed."""
    page = million.page
    page.route("**/api/v1/assets/**", lambda r: r.fulfill(status=404, json={"detail": "none", "code": "not-found", "remedy": ""}))
    asked = pieces(page)
    million.go("#/asset/big/site/area-77/m-09123")
    here = page.locator(f"{TREE} a[aria-current=page]")
    here.wait_for()
    assert here.inner_text() == "m-09123"
    assert lines(page) < 250 and len(asked) <= 4


# ---- a real twin of twenty thousand


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    write_fleet(folder / "plant", 20_000)
    with running(folder / "plant", folder / "data", timeout_s=allowed(120)) as site:
        yield site.settings.url + "/"


@pytest.fixture
def wide(chromium, fleet):
    with looking(chromium, fleet) as window:
        yield window


def test_twenty_thousand_real_assets_are_counted_opened_and_found(wide):
    page = wide.page
    asked = pieces(page)
    wide.go("overview")
    page.locator(".picture").get_by_text("20\u202f000 assets in 2 parts").wait_for()
    page.get_by_role("button", name="Open area-001").click()
    page.get_by_role("button", name="Open line-37").last.click()
    page.locator(TREE).get_by_text("pump-0013742", exact=True).wait_for()
    assert all("limit" in a for a in asked)
    search = page.get_by_label("Find an asset")
    search.fill("line-37 PUMP-0013")
    page.locator(TREE).get_by_text("100 assets found").wait_for()
    found = page.locator(".tree-found a")
    assert found.count() == 50 and "area-001/line-37" in found.first.inner_text()
    page.locator(f"{TREE} button.more").scroll_into_view_if_needed()
    wait(lambda: found.count() == 100, 60, "the rest of what was found", page)
    search.fill("19999")
    page.locator(TREE).get_by_text("1 asset found").wait_for()
    found.click()
    page.get_by_role("heading", name="pump-0019999", level=1).wait_for()
    assert "area-001" in page.get_by_role("navigation", name="Where").inner_text()
    search.press("Escape")
    page.locator(f"{TREE} a[aria-current=page]", has_text="pump-0019999").wait_for()
    assert wide.complaints == []


def test_a_line_of_many_assets_is_shown_as_parts_to_the_last(wide):
    page = wide.page
    wide.go(f"#/overview/{FLEET}/area-000/line-05")
    page.locator(".picture").get_by_text("100 assets in 100 parts").wait_for()
    wait(lambda: page.locator(".card.part").count() == 100, 60, "all parts are shown", page)
    page.goto(f"{wide.base}#/overview/{FLEET}/area-000/line-99x")
    page.get_by_text("There is nothing at").wait_for()


def test_whoever_cannot_see_or_use_a_mouse_finds_too(wide, axe):  # noqa: F811 - the fixture
    page = wide.page
    wide.go("overview")
    search = page.get_by_label("Find an asset")
    search.focus()
    page.keyboard.type("pump-0000007")
    page.get_by_text("1 asset found").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/line-00/pump-0000007")
    page.evaluate(axe)  # past the page's own policy, which lets no foreign script in
    assert page.evaluate(SERIOUS) == []
