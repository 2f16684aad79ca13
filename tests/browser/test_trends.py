"""A trend zooms by dragging, asks again in the right density, shares its cursor, and stands in the address."""

from urllib.parse import parse_qs, urlsplit

from browser_kit import PUMP_1, wait


def opened(look, query="trend=speed,flow&span=300"):
    asked = []
    look.page.on(
        "request",
        lambda r: "/api/v1/history" in r.url and "points=120" not in r.url and asked.append(parse_qs(urlsplit(r.url).query)),
    )
    page = look.go(f"#/asset/{PUMP_1}?{query}")
    look.wait_live()
    page.locator(".plot canvas").first.wait_for()
    wait(lambda: len(asked) >= 2, 60, "both trends are asked for", page)
    wait(lambda: all(text not in ("", "–") for text in page.locator(".pen b").all_inner_texts()), 60, "values are read")
    return page, asked


def in_sight(element):
    element.scroll_into_view_if_needed()
    return element.bounding_box()


def test_it_asks_for_twice_as_many_points_as_it_has_pixels(look, whole):
    page, asked = opened(look)
    width = page.locator(".plot .u-over").first.bounding_box()["width"]
    assert 1.5 * width <= int(asked[0]["points"][0]) <= 2.5 * width


def test_dragging_zooms_asks_again_and_stands_in_the_address(look, whole):
    page, asked = opened(look)
    before = len(asked)
    box = in_sight(page.locator(".plot .u-over").first)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, y, steps=5)
    page.mouse.up()
    wait(lambda: "from=" in page.url and "to=" in page.url, 60, "the address names the window", page)
    wait(lambda: len(asked) > before, 60, "history is asked for the new window", page)
    query = parse_qs(urlsplit(page.url).fragment.split("?")[1])
    assert 60 <= float(query["to"][0]) - float(query["from"][0]) <= 90
    page.get_by_role("button", name="Zoom out").click()
    wait(lambda: "from=" in page.url and f"from={query['from'][0]}" not in page.url, 60, "the window is wider", page)
    page.get_by_role("button", name="Follow").click()
    wait(lambda: "span=" in page.url, 60, "it follows again", page)


def test_one_cursor_for_all(look, whole):
    page, _ = opened(look)
    box = in_sight(page.locator(".plot .u-over").first)
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 20)

    def clocks():
        texts = page.locator(".plot time.at").all_inner_texts()
        return len(texts) == 2 and texts[0] != "" and texts[0] == texts[1]

    wait(clocks, 60, "both plots read at the same time")


def test_following_it_grows_live_without_asking_each_time(look, whole):
    page, asked = opened(look)
    reading = page.locator(".plot .pen b").nth(1)
    before = len(asked)
    values = set()

    def moved():
        values.add(reading.inner_text())
        return len(values) >= 3

    wait(moved, 60, "the reading moves")
    assert len(asked) - before <= 2


def test_the_choice_of_trends_stands_in_the_address(look, whole):
    page, _ = opened(look)
    page.get_by_label("trend of bearing temperature").check()
    wait(lambda: "bearing_temperature" in page.url, 60, "the address names the trend", page)
    wait(lambda: page.locator(".plot").count() == 3, 60, "a third plot is there")
    page.reload()
    wait(lambda: page.locator(".plot").count() == 3, 60, "it is there after a reload")
