"""Plants that change under a partition: versions by their digests, readings by path, ticks that carry facts."""

import numpy as np

from gemel.assets import load
from gemel.assets.succession import succeed
from gemel.bus import Frame, FrameHeader
from gemel.history.answers import Existing
from gemel.operate.site import Site
from gemel.samples import Batch, Fact

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND

TANKS = """plant: a/b
connections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}
types:
  Tank:
    signals:
      level: {unit: m, interval: 1 s, max_rate: 2 m/s, range: [-50, 50], alarm: {high: 5, low: 1, delay: 1 s, deadband: 0.5}, from: field, topic: "{asset}/level"}
      flow: {unit: m3/h, from: field, topic: "{asset}/flow"}
      state: {kind: state, states: [open, shut]}
      volume: {unit: m3, derived: "level * 2 m2"}
assets:
  t1: {type: Tank, at: hall}
  t2: {type: Tank, at: hall}
"""

CM = (
    "level: {unit: m, interval: 1 s, max_rate: 2 m/s, range: [-50, 50], alarm: {high: 5, low: 1, delay: 1 s, deadband: 0.5}, from: field, topic: \"{asset}/level\"}",
    "level: {unit: cm, interval: 1 s, max_rate: 2 m/s, range: [-5000, 5000], alarm: {high: 500, low: 100, delay: 1 s, deadband: 50}, source: {from: field, topic: \"{asset}/level\", unit: m}}",
)  # fmt: skip
MOVED = ("t1: {type: Tank, at: hall}", "t1: {type: Tank, at: yard, formerly: hall/t1}")
RENAMED = ("      flow: {unit: m3/h,", "      outflow: {formerly: flow, unit: m3/h,")
ADDED = ("assets:\n", "assets:\n  t0: {type: Tank}\n")
WORDS = ("[open, shut]", "[open, shut, stuck]")
EDITS = {"cm": CM, "moved": MOVED, "renamed": RENAMED, "added": ADDED, "words": WORDS}


def edited(*edits, base=TANKS):
    for old, new in edits:
        assert base.count(old) == 1, old
        base = base.replace(old, new)
    return base


class Plants:
    """Versions of a plant, each with the registry that it gets after the one before."""

    def __init__(self, folder):
        self._folder = folder
        self.sites = {}
        self._count = 0

    def first(self, text=TANKS):
        plant = self._load(text)
        return self._keep(Site(plant, plant.registry()))

    def next(self, site, text):
        plant = self._load(text)
        return self._keep(Site(plant, succeed(site.registry, plant).registry))

    def partition(self, site):
        found = site.partition()
        found.versions = self.version
        for other in self.sites.values():
            found.know(other.registry)
        return found

    def version(self, named):
        return self.partition(self.sites[named]) if named in self.sites else None

    def _load(self, text):
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir(parents=True)
        (folder / "plant.yaml").write_text(text)
        return load(folder)

    def _keep(self, site):
        self.sites[site.version] = site
        return site


def applied(site, seq=1, at=START):
    body = {"digest": site.plant.digest, "registry": site.registry.digest}
    return Fact(seq=seq, id=f"plant-{seq}", kind="PlantApplied", at=at, recorded=at, actor="olga", body=body)


def frame(site, readings, number, received):
    """Frame readings (path, time [ns], value, status) as ingest does under a version of the plant."""
    signal = [site.registry.index(path) for path, *_ in readings]
    rows = Batch.of(
        signal=signal, time=[t for _, t, _, _ in readings], received=[received] * len(readings),
        value=[v for _, _, v, _ in readings], status=[s for *_, s in readings],
    )  # fmt: skip
    header = FrameHeader(kind="samples", partition=0, producer="p", sequence=number, registry=site.registry.digest)
    return Frame(header, rows)


def nothing(batch):
    """Look late rows up in a store that holds nothing."""
    n = len(batch)
    return Existing(np.zeros(n, np.bool_), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64))


class Log:
    """Feeds a partition and keeps what came out."""

    def __init__(self, partition):
        self.partition = partition
        self.rows, self.drafts, self.sequence, self.frames = [], [], 0, 0

    def feed(self, site, readings, received):
        self.sequence += 1
        self.frames += 1
        rows = self.partition.rows_of(frame(site, readings, self.frames, received))
        self._keep(self.partition.fold(rows, self.sequence, nothing))

    def tick(self, time, *facts):
        self.sequence += 1
        header = FrameHeader(kind="tick", partition=0, producer="t", sequence=self.sequence, time=time, facts=len(facts))
        self._keep(self.partition.tick(header, self.sequence, facts))

    def _keep(self, effects):
        self.rows.append(effects.rows)
        self.drafts += effects.drafts


def changed(plants, was, will, level):
    """Give a log in which a tank told its level and a second later another plant came into force; and that plant."""
    old = plants.first(was)
    new = plants.next(old, will)
    log = Log(plants.partition(old))
    log.feed(old, [("a/b/hall/t1/level", START, level, 0)], START)
    log.tick(START + SECOND, applied(new))
    return log, new
