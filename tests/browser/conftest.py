"""One demo and one Chromium for all tests of the page."""

import os

import pytest

from browser_kit import CHROMIUM, FLAGS, looking, start_demo, stop_demo, wait


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    # One worker for all of them: they share a demo, and two Chromiums on two cores measure each other.
    for item in items:
        if item.path.parent.name == "browser" and "demo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium():
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"{CHROMIUM} is not installed (Debian package chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[test]')")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    from gemel.bus.server import free_port

    running = start_demo(tmp_path_factory.mktemp("demo") / "data", free_port())
    yield running
    stop_demo(running)


@pytest.fixture
def look(chromium, demo):
    """A window of a person who is not logged in."""
    with looking(chromium, demo.url) as window:
        yield window


@pytest.fixture
def windows(chromium, demo):
    """Opens further windows, each a person of its own; all are closed at the end."""
    opened = []

    def another(**options):
        context = looking(chromium, demo.url, **options)
        opened.append(context)
        return context.__enter__()

    yield another
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture
def whole(demo):
    """The demo with all its processes up, also after a test that killed one."""
    wait(lambda: {"serve", "twin", "ingest"} <= set(demo.pids()) and demo.answers(), 60, "every process is back")
    return demo
