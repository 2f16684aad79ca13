"""What the process *serve* is made of: a view of the twin, a reader of the history, and the HTTP server."""

import asyncio
from typing import Any

from gemel import serve
from gemel.assets import secret
from gemel.bus import Bus
from gemel.config.apply import applied
from gemel.config.follow import Follower
from gemel.config.heartbeat import heartbeat
from gemel.config.memory import settle
from gemel.config.running import running_of, settings_of
from gemel.config.versions import Versions
from gemel.errors import ConfigError, GemelError, StorageError
from gemel.history import Reader
from gemel.operate.foretelling import Foretelling
from gemel.operate.notify import Notifier
from gemel.operate.places import Places
from gemel.operate.recalibrating import Recalibrating
from gemel.operate.view import View
from gemel.serve import ServeSettings


async def run(places: Places) -> None:
    """Answer people and programs over HTTP."""
    site, running, settings = applied(places), running_of(places), settings_of(places)
    bus = await Bus.open(running.bus, "serve")
    for _ in range(100):  # the lake is made by the twin, at its first start
        try:
            reader = await asyncio.to_thread(Reader, places.lake)
            break
        except GemelError:
            await asyncio.sleep(0.1)
    else:
        raise StorageError("the lake does not open", remedy="see twin.log; it is tried again")
    view = View(bus, site.plant, site.registry, reader)
    await view.start()
    settle()
    await Follower(Versions(places), site.version, view.follow).listen(bus)
    given = ServeSettings(
        host=settings.host, port=settings.port, data=places.data, tls_certificate=settings.tls_certificate,
        tls_key=settings.tls_key,
    )  # fmt: skip
    notifier = Notifier(view, places.notices, lambda name: secret(name, places.data))

    recalibrating, foretelling = Recalibrating(view), Foretelling(view)

    def told() -> dict[str, Any]:
        return {
            "problems": [*notifier.problems(), *recalibrating.problems(), *foretelling.problems()],
            "measures": {**notifier.measures(), **foretelling.measures()},
        }

    works = (heartbeat(bus, "serve", told), notifier.run(), recalibrating.run(), foretelling.run())
    beside = [asyncio.create_task(work) for work in works]
    try:
        await _run_once_free(view, given)
    finally:
        for task in beside:
            task.cancel()
        reader.close()
        await bus.close()


async def _run_once_free(view: View, settings: ServeSettings) -> None:
    """Serve; wait for the port where a former process of this family is still giving it up."""
    for patience in range(40, -1, -1):
        try:
            return await serve.run(view, settings)
        except ConfigError as e:
            if e.code != "port-busy" or not patience:
                raise
            await asyncio.sleep(0.2)
    return None
