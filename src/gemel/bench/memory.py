"""How much memory a family of processes takes: proportional shares, so that a page that all map counts once."""

import contextlib
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from gemel.bench.beside import beside
from gemel.bench.site import Site

LOOK_S = 0.5


def shares_mb(site: Site) -> dict[str, float]:
    """Give each process's proportional set size [MB], anonymous memory and file pages together (proc(5))."""
    found = {}
    for name, pid in site.pids().items():
        with contextlib.suppress(OSError):  # it ended just now
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            found[name] = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
    return found


class Watch:
    """The greatest sum that was seen, and what made it up."""

    def __init__(self) -> None:
        self.peak_mb: dict[str, float] = {}

    def look(self, site: Site) -> None:
        """Look once."""
        with contextlib.suppress(OSError):
            now = shares_mb(site)
            if sum(now.values()) > sum(self.peak_mb.values()):
                self.peak_mb = now


def watched(site: Site, watch: Watch) -> AbstractContextManager[None]:
    """Look twice a second until the block ends."""

    def look(over: threading.Event) -> None:
        while not over.wait(LOOK_S):
            watch.look(site)

    return beside(look)
