"""An owner without a log's server: frames are handed to it as if they had been read."""

from types import SimpleNamespace

from gemel.assets import Checks
from gemel.bus import FrameHeader, Message, encode_frame, encode_tick
from gemel.operate.fold import Owner
from gemel.operate.partition import Partition
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Batch, Registry

SECOND = 1_000_000_000
REGISTRY = Registry.of([{"path": f"a/b/rig/s{i}"} for i in range(3)])
NO_FRAME = b"GMF1 this is no frame at all"


class Recording:
    """A record that keeps what it is given, when it is let."""

    def __init__(self):
        self.facts = []
        self.position = 0

    def between(self, after, upto):
        return []

    async def append(self, draft):
        self.facts.append(draft)


def partition(registry=REGISTRY):
    return Partition(0, registry, Checks.plain(len(registry)), [])


def owner(tmp_path, record=None, registry=REGISTRY, bus=None, store=None):
    clock = SimpleNamespace(now=lambda: 5 * SECOND, observe=lambda newest: None, resume=lambda reached: None)
    folder = SnapshotFolder(tmp_path / "snapshots")
    return Owner(bus, partition(registry), store, record or Recording(), clock, folder, None, ["default"] * len(registry), {}, 1 << 20)


def rows(number, signal=0):
    return Batch.of(signal=[signal], time=[number * SECOND], received=[number * SECOND], value=[number], status=[0])


def frame(number, batch=None, registry=REGISTRY.digest, producer="p"):
    header = FrameHeader(kind="samples", partition=0, producer=producer, sequence=number, registry=registry)
    return encode_frame(header, rows(number) if batch is None else batch)


def tick(number):
    return encode_tick(FrameHeader(kind="tick", partition=0, producer="t", sequence=number, time=number * SECOND))


def messages(*stored, first=1):
    return [Message(sequence=n, data=data, stored=0) for n, data in enumerate(stored, first)]
