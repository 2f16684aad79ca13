"""One family at a time on a data directory."""

import contextlib
import fcntl
import time
from collections.abc import Iterator

from gemel.errors import ConfigError
from gemel.operate.places import Places


@contextlib.contextmanager
def lock(places: Places) -> Iterator[None]:
    """Hold a data directory: one family at a time."""
    places.make()
    with (places.data / "lock").open("a+") as file:
        deadline = time.monotonic() + 8  # a former family may still be ending
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise ConfigError(
                        f"a twin runs on {places.data} already",
                        remedy="stop it, or give another --data",
                        code="data-busy",
                    ) from None
                time.sleep(0.1)
        yield
