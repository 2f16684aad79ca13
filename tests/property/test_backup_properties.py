"""Restore = original: whatever the log holds, with whatever is missing in it, comes back at the same sequences."""

import asyncio

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.server import free_port
from gemel.operate.backup import Plain, Vault, streams
from gemel.operate.backup.streams import EACH, export, messages, put_back, unpack

STREAM, SUBJECT = "SAMPLES_0", "samples.0"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 3 * EACH), st.data())
def test_packs_give_back_every_message(tmp_path, payloads, first, data):
    vault = Vault.create(tmp_path / "vault", Plain())
    packer = streams._Packer(vault, STREAM)
    sequence, given_ = first, []
    for payload in payloads:
        message = streams.Message(sequence=sequence, data=payload, stored=sequence * 7)
        given_.append(message)
        packer.add(message)
        sequence += data.draw(st.sampled_from([1, 1, 1, 2, EACH]))
    packer.cut()
    stretch = streams.Stretch(stream=STREAM, subject=SUBJECT, after=first - 1, upto=packer.last, messages=len(given_), packs=packer.packs)
    assert list(messages(vault, stretch)) == given_
    assert [m for p in packer.packs for m in unpack(b"".join(vault.content(p)))] == given_


@settings(max_examples=4, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=3000), min_size=3, max_size=40), st.data())
def test_a_stream_is_made_anew_as_it_was(tmp_path_factory, payloads, data):
    folder = tmp_path_factory.mktemp("streams")
    gone = data.draw(st.sets(st.integers(2, len(payloads) - 1), max_size=5))
    after = data.draw(st.integers(0, 1))
    vault = Vault.create(folder / "vault", Plain())

    async def there():
        async with served(folder / "there") as bus:
            await bus.ensure_stream(STREAM, SUBJECT, 1 << 30)
            for payload in payloads:
                await bus.append(SUBJECT, payload)
            for sequence in gone:
                await bus.remove(STREAM, sequence)
            stretch, _ = await export(bus, vault, STREAM, after, len(payloads), lambda _: True)
            return stretch

    async def elsewhere(stretch):
        async with served(folder / "elsewhere") as bus:
            await put_back(bus, vault, stretch, -1)
            first, last, _ = await bus.bounds(STREAM)
            return first, last, [await bus.stored(STREAM, n) for n in range(1, len(payloads) + 1)]

    first, last, found = asyncio.run(elsewhere(asyncio.run(there())))
    want = [None if n in gone or n <= after else p for n, p in enumerate(payloads, 1)]
    assert found == want
    assert last == len(payloads)
    assert first == next(n for n, data in enumerate(want, 1) if data is not None), "as it was: what is gone at the head stays gone"


class served:
    """A log's server for the time of a block."""

    def __init__(self, folder):
        self.server = Server(ServerSettings(folder, free_port(), "t", sync='"1h"'))
        folder.mkdir(parents=True, exist_ok=True)

    async def __aenter__(self):
        await self.server.start(self.server.settings.store / "out")
        self.bus = await Bus.open(self.server.settings.url, "test")
        return self.bus

    async def __aexit__(self, *_):
        await self.bus.close()
        self.server.stop()
