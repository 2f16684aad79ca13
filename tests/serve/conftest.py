"""A running server on a free loopback port, showing a twin in memory."""

import asyncio
import threading
from concurrent.futures import Future

import httpx
import pytest
from certificate_kit import self_signed
from gemel.serve import ServeSettings, Users, run
from serve_fake import FLOW_NOW, FakeTwin, make_plant

PASSWORD = "correct horse"


class Serving:
    """A server in a thread; the twin lives in its loop."""

    def __init__(self, twin, settings):
        self.twin, self.settings = twin, settings
        self._ready = Future()
        self._thread = threading.Thread(target=self._main)
        self._thread.start()
        self.port = self._ready.result(20)
        self.url = f"http://127.0.0.1:{self.port}"

    def _main(self):
        try:
            asyncio.run(self._run())
        except BaseException as e:
            if not self._ready.done():
                self._ready.set_exception(e)

    async def _run(self):
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(run(self.twin, self.settings, self._ready.set_result))
        try:
            await self._task
        except asyncio.CancelledError:
            pass

    def do(self, work, *args, **kwargs):
        """Call something in the server's loop."""
        done = Future()

        def call():
            try:
                done.set_result(work(*args, **kwargs))
            except BaseException as e:
                done.set_exception(e)

        self._loop.call_soon_threadsafe(call)
        return done.result(10)

    def client(self, user=None, password=PASSWORD, **kwargs):
        auth = (user, password) if user else None
        return httpx.Client(base_url=f"{self.url}/api/v1", auth=auth, timeout=20, trust_env=False, **kwargs)

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive(), "it did not end"


@pytest.fixture(scope="session")
def plant(tmp_path_factory):
    return make_plant(tmp_path_factory.mktemp("plant") / "plant")


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A users file: hashing takes its time, so once."""
    data = tmp_path_factory.mktemp("people")
    users = Users(data / "users.json")
    for name, role in [("vera", "viewer"), ("otto", "operator"), ("olga", "operator"), ("emil", "engineer")]:
        users.add(name, role, PASSWORD)
    return data / "users.json"


@pytest.fixture
def twin(plant):
    twin = FakeTwin(plant)
    twin.send(FLOW_NOW)
    return twin


@pytest.fixture
def serve(twin, people, tmp_path):
    """Start a server; keyword arguments are settings."""
    started = []

    def start(**settings):
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        (data / "users.json").write_bytes(people.read_bytes())
        serving = Serving(twin, ServeSettings(**{"data": data, "port": 0, "page": tmp_path / "page", **settings}))
        started.append(serving)
        return serving

    yield start
    for serving in started:
        serving.stop()


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def anybody(server):
    with server.client() as client:
        yield client


@pytest.fixture
def operator(server):
    with server.client("otto") as client:
        yield client


@pytest.fixture
def engineer(server):
    with server.client("emil") as client:
        yield client


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for this machine, as a small plant makes one."""
    return self_signed(tmp_path)
