"""A machine's clock that a test sets: what Python processes started from here on read of it is off by what a file says.

The processes of a family load it as their `sitecustomize`; nats-server and the publisher of the readings keep the right time.
"""

SITE = '''
import os, time
_true_ns, _true = time.time_ns, time.time

def _off():
    try:
        with open({file!r}) as f:
            return int(f.read() or 0)
    except (OSError, ValueError):
        return 0

time.time_ns = lambda: _true_ns() + _off() * 1_000_000_000
time.time = lambda: _true() + _off()
'''


class Wall:
    """Sets it [s]."""

    def __init__(self, folder, monkeypatch):
        self._file = folder / "off"
        place = folder / "site"
        place.mkdir()
        (place / "sitecustomize.py").write_text(SITE.format(file=str(self._file)))
        monkeypatch.setenv("PYTHONPATH", str(place), prepend=":")

    def set(self, seconds):
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self._file)
