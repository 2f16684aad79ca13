"""What is shipped: small, built, with the licences of what it contains, and nothing vendored in git (check 20)."""

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
WEB = REPO / "web"
# With the other tests of the page: building may put another page in the place of the one they look at.
pytestmark = pytest.mark.xdist_group("browser")


def hook():
    spec = importlib.util.spec_from_file_location("build_page", WEB / "build_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel as pip builds it, in its own environment, from a copy of what git tracks."""
    out = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(out), str(REPO)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if built.returncode and "cannot be reached" in built.stdout + built.stderr:
        pytest.skip("no package registry answers here")
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("gemel-*.whl"))


@pytest.mark.slow
def test_the_wheel_is_small_and_holds_the_page_with_its_licences(wheel):
    assert wheel.stat().st_size < 3_000_000
    with zipfile.ZipFile(wheel) as box:
        names = box.namelist()
        page = [n for n in names if n.startswith("gemel/serve/page/")]
        index = box.read("gemel/serve/page/index.html").decode()
        licences = box.read("gemel/serve/page/licences.txt").decode()
        scripts = [box.read(n).decode() for n in page if n.endswith(".js")]
    assert scripts
    for bundled in json.loads((WEB / "package.json").read_text())["dependencies"]:
        if bundled != "vite":  # it builds the page and is no part of it
            assert re.search(rf"^{re.escape(bundled)} \d", licences, re.M), bundled
    assert "Permission is hereby granted" in licences
    assert not any("node_modules" in n or n.startswith("web/") for n in names)
    assert "<script>" not in index and "style=" not in index
    for script in scripts:
        hosts = set(re.findall(r"https?://([\w.-]+)", script)) - {"www.w3.org"}
        assert hosts == set(), hosts


def test_git_holds_no_built_or_vendored_javascript_and_no_registry():
    tracked = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    names = tracked.stdout.split()
    assert not [n for n in names if n.endswith((".js", ".mjs", ".min.css")) or "node_modules" in n]
    assert "resolved" not in (WEB / "package-lock.json").read_text()


def test_a_page_is_built_again_only_when_its_sources_changed(tmp_path):
    build = hook()
    web, page = tmp_path / "web", tmp_path / "page"
    (web / "src").mkdir(parents=True)
    for name in build.SOURCES:
        if not (web / name).exists() and "." in name:
            (web / name).write_text("x")
    (web / "public").mkdir()
    (web / "src" / "main.tsx").write_text("one")
    page.mkdir()
    assert not build.is_fresh(web, page)
    (page / "index.html").write_text("")
    (page / build.STAMP).write_text(build.digest(web))
    assert build.is_fresh(web, page)
    (web / "src" / "main.tsx").write_text("two")
    assert not build.is_fresh(web, page)


def test_a_build_without_a_registry_says_so_in_words():
    build = hook()
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="npm error code ECONNREFUSED")
    with pytest.raises(build.PageError, match="npm's registry cannot be reached.*GEMEL_WITHOUT_PAGE=1"):
        build._check(failed, "npm ci")
    with pytest.raises(build.PageError, match="vite build failed"):
        build._check(subprocess.CompletedProcess([], 1, stdout="syntax", stderr=""), "vite build")
