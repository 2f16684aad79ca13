"""What a measurement reads of the processes it measures."""

import os
import subprocess
from types import SimpleNamespace

from gemel.bench.site import Site


def test_a_process_that_ends_while_it_is_looked_at_is_left_out(monkeypatch):
    """The writer of a snapshot lives for a second: it may be listed, and gone when its memory is read."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    site = Site(None, None, SimpleNamespace(pid=os.getpid()))
    monkeypatch.setattr(Site, "pids", lambda _: {"twin": os.getpid(), "twin's snapshot": gone.pid})
    assert list(site.resident_mb()) == ["twin"] and site.resident_mb()["twin"] > 1
    assert list(site.cpu_s()) == ["twin"]
