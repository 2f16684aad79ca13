"""One demo a module, started as its user starts it."""

import pytest
from story_kit import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    running = Demo(folder / "data", folder / "said").start()
    yield running
    running.stop()
