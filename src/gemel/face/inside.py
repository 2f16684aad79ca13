"""Questions answered inside this process: the same application that serves the page, without a socket."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from gemel.errors import StorageError
from gemel.face.transport import Answer, refusal, target
from gemel.serve import ServeSettings, create_app
from gemel.serve.port import Twin

T = TypeVar("T")
WAITING: Final = 4  # pieces that may wait for whoever reads them
END: Final = None


class Loop:
    """An event loop in a thread of its own, so that a notebook, which has one already, does not matter."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gemel", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop and give what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin something in the loop."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def end(self) -> None:
        """End the loop; what still runs in it is cancelled."""
        if self._thread.is_alive():
            self.do(_cancel_others())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Pipe:
    """Parts of an answer, from the loop to whoever reads; one who stops reading does not hold the loop up."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(WAITING)
        self._given_up = False

    async def put(self, part: Any) -> None:
        """Give a part, waiting for room."""
        while not self._given_up:
            try:
                return self._queue.put_nowait(part)
            except queue.Full:
                await asyncio.sleep(0.001)
        raise ConnectionAbortedError("nobody reads any more")

    def parts(self) -> Iterator[Any]:
        """Take the parts until the end."""
        try:
            while (part := self._queue.get()) is not END:
                if isinstance(part, BaseException):
                    raise StorageError(f"the answer broke off: {part}") from part
                yield part
        finally:
            self._given_up = True


class Inside:
    """Asks the application that would serve a twin.

    Args:
        twin: what it shows.
        data: where people would be looked up; nobody needs to be one here.
        loop: where it runs.
        ending: done before the loop ends.
    """

    def __init__(
        self, twin: Twin, data: Path, loop: Loop, ending: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._app = create_app(twin, ServeSettings(data=data))
        self._twin, self._plant = twin, twin.plant
        self._loop = loop
        self._ending = ending

    def get(self, path: str, query: Mapping[str, Any]) -> Answer:
        """Give the answer, its body in pieces."""
        pipe = Pipe()
        self._loop.start(self._ask(target(path, query), pipe))
        pieces = pipe.parts()
        status, head = next(pieces)
        if status != 200:
            raise refusal(status, b"".join(pieces))
        return Answer(pieces, head)

    def close(self) -> None:
        """End what runs."""
        if self._ending is not None:
            self._loop.do(_awaited(self._ending()))
        self._loop.end()

    async def _ask(self, address: str, pipe: Pipe) -> None:
        if self._twin.plant is not self._plant:  # another one was applied meanwhile
            self._plant = self._twin.plant
            self._app.state.hub.on_plant()
        path, _, words = address.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": words.encode(), "root_path": "",
            "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 0), "server": ("localhost", 80), "state": {},
        }  # fmt: skip

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                head = {name.decode().lower(): text.decode() for name, text in message["headers"]}
                await pipe.put((message["status"], head))
            elif message.get("body"):
                await pipe.put(message["body"])

        try:
            await self._app(scope, _nothing_more, send)
        except Exception as e:  # whatever broke, whoever reads must hear of it
            await pipe.put(e)
        await pipe.put(END)


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _nothing_more() -> dict[str, Any]:
    """There is no body to come, and nobody hangs up: whoever stops reading closes the pipe."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
