"""Where a residual of an FMU for co-simulation leaves its band, it is asked who is wrong, as of any model."""

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import DT, FOLLOWED, lag, plant
from plants import HEAD

from gemel.assets import load
from gemel.bus import Frame, FrameHeader
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.samples import Batch

ASSET = "acme/riverside/hall/heater-1"
SECOND, START = 10**9, 1_700_000_000 * 10**9
FAULT, END = 345, 385  # instants: the band is learned by then
EVERY = FOLLOWED | {
    "followed": FOLLOWED["followed"].replace("every: 1 s", f"every: {DT} s, noise: {{gain: 0.00005, u: 1 K}}"),
    "signals": FOLLOWED["signals"] + "      shell: {unit: degC, range: [-50, 200], accuracy: 0.1 degC}\n",
}


def lived(gain, off):
    """Give supply, core, shell as read [degC]; from `FAULT` on the gain is another, or the gauge of the shell is off."""
    rng = np.random.default_rng(4)
    supply, core, shell, found = np.repeat(rng.uniform(40, 70, END // 15 + 1), 15)[:END], 50.0, 50.0, []
    for k in range(END):
        found.append((core, shell))
        for _ in range(100):
            shell += DT / 100 * (core - shell) / 120.0
            core += DT / 100 * ((gain if k >= FAULT else 1.0) * (supply[k] + 0.05 * rng.standard_normal()) - core) / 120.0
    read = np.array(found) + 0.1 * rng.standard_normal((END, 2))
    read[FAULT:, 1] += off
    return np.column_stack((supply, read))


@pytest.mark.parametrize(("gain", "off", "kind"), [(1.0, 5.0, "sensor"), (1.25, 0.0, "process")])
def test_who_is_wrong_is_told(tmp_path, gain, off, kind):
    fmu = lag(tmp_path / "fmu", "CoSimulation", saves=True, gain="tunable", shell=True)
    read = load(plant(tmp_path / "plant", fmu, head=HEAD, **EVERY))
    registry = read.registry()
    estimator = Estimator(kinds_of(read, registry), registry, read.checks(registry), 0)
    numbers, rows = [registry.index(f"{ASSET}/{n}") for n in ("supply", "temperature", "shell")], lived(gain, off)
    turns = []
    for k in range(END):
        now = START + k * DT * SECOND
        batch = Batch.of(signal=numbers, time=[now] * 3, received=[now] * 3, value=rows[k], status=[0] * 3)
        for i, (header, some) in enumerate((
            (FrameHeader(kind="samples", partition=0, producer="ingest-1", sequence=k + 1, registry=registry.digest), batch),
            (FrameHeader(kind="tick", partition=0, producer="twin-1", sequence=k + 1, time=now), Batch.empty()),
        )):  # fmt: skip
            list(estimator.take(Frame(header, some), 2 * k + i + 1))
            turns += estimator.turns
    told = [t for t in turns if t.body.get("suspects")]
    assert told and min(t.at for t in turns) >= START + FAULT * DT * SECOND, turns
    first = told[0].body["suspects"][0]
    assert first["kind"] == kind and first["probability"] > 0.9
    assert told[0].body["against_nothing_log10"] > 4
    if kind == "sensor":
        assert first["name"] == "shell" and told[0].body["substituted"]
