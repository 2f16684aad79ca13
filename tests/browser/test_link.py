"""When the twin is not heard the page says so within two seconds, believes nothing, commands nothing (check 6)."""

import time

import pytest

from browser_kit import PUMP_1, allowed, stopped, wait

BANNER = "[data-testid=link-banner]"
COMMAND = "[data-command=set_speed]"


def stale_everywhere(page):
    return page.evaluate(
        """() => { const shown = [...document.querySelectorAll('.value[data-quality]:not([data-quality=none])')];  // a prognosis to come
          return shown.length > 5 && shown.every((node) => node.dataset.quality === 'stale'); }"""
    )


def believed_again(page):
    return page.evaluate("() => document.querySelectorAll('.value[data-quality=good]').length > 5")


@pytest.fixture
def operator(look, whole):
    look.go(f"#/asset/{PUMP_1}")
    look.log_in(whole.operator)
    look.wait_live()
    wait(lambda: believed_again(look.page), 60, "values are live")
    look.page.evaluate("window.sameDocument = true")
    return look


def test_a_killed_server_shows_within_two_seconds_and_comes_back_without_a_reload(operator, whole):
    page = operator.page
    assert page.locator(f"{COMMAND} input[name=value]").is_enabled()
    with stopped(whole, "family"):  # else another server may be there before all of this was looked at
        whole.kill("serve")
        began = time.monotonic()
        page.locator(BANNER).wait_for(timeout=60_000)
        assert time.monotonic() - began <= allowed(2.0)
        wait(lambda: stale_everywhere(page), 60, "values look stale")
        wait(lambda: page.locator(f"{COMMAND} input[name=value]").is_disabled(), 60, "no value is taken")
        assert page.locator(f"{COMMAND} button").first.is_disabled()
    page.locator(BANNER).wait_for(state="detached", timeout=60_000)
    wait(lambda: believed_again(page), 60, "values are live again")
    assert page.evaluate("window.sameDocument") is True


def test_a_server_that_hangs_shows_within_two_seconds_with_its_age(operator, whole):
    page = operator.page
    with stopped(whole, "serve"):
        began = time.monotonic()
        page.locator(BANNER).wait_for(timeout=60_000)
        assert time.monotonic() - began <= allowed(2.3)  # two seconds, and what looking costs
        wait(lambda: stale_everywhere(page), 60, "values look stale")
        wait(lambda: page.locator(f"{COMMAND} input[name=value]").is_disabled(), 60, "no value is taken")
        first = page.locator(BANNER).inner_text()
        wait(lambda: page.locator(BANNER).inner_text() != first, 60, "the banner's age rises")
    page.locator(BANNER).wait_for(state="detached", timeout=60_000)
    wait(lambda: believed_again(page), 60, "values are live again")


def test_a_silent_twin_behind_a_living_server_shows_too(operator, whole):
    page = operator.page
    with stopped(whole, "twin"):
        page.locator(BANNER).wait_for(timeout=60_000)
        wait(lambda: stale_everywhere(page), 60, "values look stale")
    page.locator(BANNER).wait_for(state="detached", timeout=60_000)


def test_trends_go_on_where_they_were_after_the_link_returns(operator, whole):
    page = operator.page
    asked = []
    page.on("request", lambda request: "/api/v1/history" in request.url and asked.append(request.url))
    whole.kill("serve")
    page.locator(BANNER).wait_for(timeout=60_000)
    before = len(asked)
    page.locator(BANNER).wait_for(state="detached", timeout=60_000)
    wait(lambda: len(asked) > before, 60, "history is asked again for what was missed", page)
