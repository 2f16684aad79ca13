"""A real Chromium that looks at a running twin, and notes everything that it asks of whom and complains about."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pace_kit import allowed

__all__ = ["allowed"]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ROOT = "gemel/riverside"
PUMP_1 = f"{ROOT}/waterworks/pumping/pump-1"
PUMP_2 = f"{ROOT}/waterworks/pumping/pump-2"
TANK = f"{ROOT}/waterworks/distribution/tank-1"
VIEWS = {
    "overview": "#/overview",
    "area": f"#/overview/{ROOT}/waterworks",
    "asset": f"#/asset/{PUMP_1}",
    "alarms": "#/alarms",
    "commands": "#/commands",
    "quality": "#/quality",
    "audit": "#/audit",
    "compare": f"#/compare/{PUMP_1}",
}


def wait(condition, timeout_s, words, page=None):
    """Wait until a condition holds and give what it gave; a test that waited in vain says for what.

    A condition that asks the page nothing names the page, so that what the browser tells is heard meanwhile.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if got := condition():
            return got
        if page is None:
            time.sleep(0.05)
        else:
            page.wait_for_timeout(50)
    pytest.fail(f"after {timeout_s} s still not: {words}")


@dataclass
class Demo:
    """A running `gemel demo`."""

    process: subprocess.Popen
    data: Path
    url: str = ""
    operator: tuple[str, str] = ("", "")
    engineer: tuple[str, str] = ("", "")
    said: list[str] = field(default_factory=list)
    listener: threading.Thread | None = None

    def pids(self):
        """Give the processes by name, read from the kernel's list of children."""
        found, pending = {}, [self.process.pid]
        while pending:
            pid = pending.pop()
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                pending += [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if b"gemel.config" in words:
                found.setdefault(words[words.index(b"gemel.config") + 1].decode(), pid)  # a process before its fork
        return found

    def answers(self):
        """Tell whether the page's server is there and hears the twin."""
        try:
            with urllib.request.urlopen(f"{self.url}api/v1/health", timeout=5) as answer:
                return json.load(answer)["link"]["up"]
        except OSError:
            return False

    def kill(self, name, how=signal.SIGKILL):
        """Send a process of the family a signal; the default cannot be refused."""
        os.kill(self.pids()[name], how)


@contextmanager
def stopped(demo, name):
    """Hold a process still, as a machine would that hangs."""
    pid = demo.process.pid if name == "family" else demo.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@dataclass
class Look:
    """One browser window, with what it asked for and complained about."""

    page: object
    base: str
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, view):
        self.page.goto(self.base + VIEWS.get(view, view))
        self.page.locator("main").wait_for()
        return self.page

    def go_hash(self, view):
        """Go to a view as a link of the page does, and keep the rest of the address."""
        self.page.evaluate("view => { location.hash = view }", view)
        self.page.locator("main").wait_for()

    def log_in(self, person):
        name, password = person
        self.page.get_by_role("button", name="Log in").first.click()
        self.page.locator("dialog input[name=user]").fill(name)
        self.page.locator("dialog input[name=password]").fill(password)
        self.page.locator("dialog button[type=submit]").click()
        self.page.get_by_test_id("person").get_by_text(name).wait_for(timeout=60_000)

    def wait_live(self, timeout_s=60):
        self.page.locator(".link[data-state=up]").wait_for(timeout=timeout_s * 1000)


@contextmanager
def looking(browser, base, **options):
    """Open a window whose every request to another host is refused and remembered."""
    host = urlsplit(base).netloc
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
    context.set_default_timeout(60_000)
    look = Look(context.new_page(), base)

    def gate(route):
        if urlsplit(route.request.url).netloc == host:
            route.continue_()
        else:
            look.foreign.append(route.request.url)
            route.abort()

    context.route(re.compile("^(http|ws)"), gate)
    look.page.on("console", lambda m: m.type in {"error", "warning"} and look.complaints.append(m.text))
    look.page.on("pageerror", lambda e: look.complaints.append(str(e)))
    try:
        yield look
    finally:
        context.close()


def start_demo(data, port):
    """Start `gemel demo` and wait until it has said where it is and who may log in."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gemel", "demo", "--data", str(data), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    demo = Demo(process, Path(data), f"http://127.0.0.1:{port}/")
    demo.listener = threading.Thread(target=lambda: demo.said.extend(process.stdout), daemon=True)
    demo.listener.start()

    def said(role):
        found = re.search(rf"{role}\s+(\S+)\s+password (\S+)", "".join(demo.said))
        return found and found.groups()

    def alive():
        if process.poll() is not None:
            pytest.fail("the demo ended:\n" + "".join(demo.said[-30:]))
        return "page     " in "".join(demo.said)

    try:
        wait(alive, 180, "the demo says where its page is")
        demo.operator, demo.engineer = said("operator"), said("engineer")
    except BaseException:
        stop_demo(demo)
        raise
    return demo


def stop_demo(demo):
    """End the demo as Ctrl-C would."""
    if demo.process.poll() is None:
        demo.process.send_signal(signal.SIGINT)
    try:
        demo.process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(demo.process.pid, signal.SIGKILL)
        demo.process.wait()
    demo.listener.join(5)
    demo.process.stdout.close()
