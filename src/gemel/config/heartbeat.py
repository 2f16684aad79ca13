"""The heartbeat of a process: each second it says that it lives, and how it goes."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

from gemel.bus import Bus
from gemel.errors import GemelError
from gemel.operate.measures import Vitals


async def heartbeat(bus: Bus, name: str, told: Callable[[], dict[str, Any]]) -> None:
    """Tell once a second what `told` gives, until cancelled."""
    vitals, loop = Vitals(), asyncio.get_running_loop()
    while True:
        with contextlib.suppress(GemelError, OSError):
            body = {"process": name, "pid": os.getpid(), "bus_up": bus.up, "log_mute_s": round(bus.mute_s, 1),
                    "wall": time.time_ns(), **told()}  # fmt: skip
            body["measures"] = {**vitals.told(), **body.get("measures", {})}
            await bus.tell(f"health.{name}", json.dumps(body).encode())
        due = loop.time() + 1
        await asyncio.sleep(1)
        vitals.loop_lag_s = max(loop.time() - due, 0.0)
