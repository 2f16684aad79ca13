"""What was compiled is there for who begins again, is the very same, and never takes anybody down."""

import asyncio
import os
import subprocess
import sys

import pytest

from gemel import sealing
from gemel.operate import compiled_kept
from gemel.operate.compiled_kept import BEGUN, CACHE, CompiledKept

PROGRAM = """
import sys
assert "jax" not in sys.modules
import jax, jax.monitoring, jax.numpy as jnp, numpy as np
from gemel.dynamics import maths
jnp = maths.loaded()
hits = []
jax.monitoring.register_event_listener(lambda name, **_: hits.append(name) if name.endswith("compilation_cache/cache_hits") else None)
def step(x, u):
    x = jnp.tanh(x @ jnp.cos(jnp.outer(x, x)) + u)
    return x, jnp.linalg.qr(jnp.outer(x, x) + jnp.eye(6))[1].sum()
x, out = jax.jit(lambda x, u: jax.lax.scan(step, x, u))(np.linspace(0.1, 0.9, 6), np.sin(np.arange(40.0)))
x = jax.jit(lambda x: jnp.linalg.svd(jnp.outer(x, x) + jnp.eye(6))[1])(x) + jax.jit(jnp.cumsum)(x)
print(len(hits), np.asarray(x).tobytes().hex(), np.asarray(out).tobytes().hex())
"""


def ran(environment):
    """How many programs were found compiled, and the result, bit by bit."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300, check=True)
    hits, *result = done.stdout.split()
    return int(hits), result


def kept(folder):
    return CompiledKept(folder / "compiled")


def test_who_ends_on_purpose_in_its_first_minutes_leaves_what_it_compiled(tmp_path, monkeypatch):
    """As where a model loops: nothing is compiled anew by who begins again."""
    first = kept(tmp_path)
    first.begin({})
    (mark,) = (tmp_path / "compiled").rglob(f"{BEGUN}*")
    program = mark.with_name("a-cache")
    program.touch()
    first.trust()
    monkeypatch.setattr(compiled_kept, "alive", lambda pid: False)
    kept(tmp_path).begin({})
    assert program.exists()


def programs(folder):
    return sorted((folder / "compiled").rglob("*-cache"))


def test_who_begins_again_finds_it_and_gets_the_same_bits_also_where_every_file_is_broken(tmp_path):
    pytest.importorskip("jax")
    plain = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment = dict(plain)
    assert kept(tmp_path).begin(environment)
    (none, first), (_, alone) = ran(environment), ran(plain)
    assert none == 0 and first == alone
    assert len(programs(tmp_path)) > 1
    hits, again = ran(environment)
    assert hits == len(programs(tmp_path)) and again == first
    for k, file in enumerate(programs(tmp_path)):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 255
        file.write_bytes(data if k % 2 else data[: len(data) // 3])
    hits, broken = ran(environment)
    assert hits == 0 and broken == first


@pytest.fixture
def folder(tmp_path):
    one = kept(tmp_path)
    assert one.begin({})
    return tmp_path


def put(folder, name, size=10, used=None):
    file = next((folder / "compiled").iterdir()) / f"{name}-cache"
    file.write_bytes(bytes(size))
    if used is not None:
        os.utime(file, (used, used))
    return file


def test_what_another_read_who_died_soon_after_is_thrown_away_and_what_did_no_harm_is_kept(folder, monkeypatch):
    file, mark = put(folder, "a"), next((folder / "compiled").rglob(f"{BEGUN}*"))
    assert mark.name == f"{BEGUN}{os.getpid()}"
    assert kept(folder).begin({}) and file.exists(), "who runs still is no one who died"
    mark.rename(mark.with_name(f"{BEGUN}{2**22 + 1}"))  # beyond all numbers of processes
    assert kept(folder).begin({}) and not file.exists()
    file = put(folder, "b")
    monkeypatch.setattr(compiled_kept, "SOUND_S", 0.0)

    async def live():
        task = asyncio.create_task(kept(folder).run())
        while list((folder / "compiled").rglob(f"{BEGUN}*")):
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(live())
    assert kept(folder).begin({}) and file.exists()


def test_of_another_version_or_processor_nothing_is_read_or_kept(folder, monkeypatch):
    file = put(folder, "a")
    monkeypatch.setattr(compiled_kept, "_processor", lambda: "another")
    environment = {}
    assert kept(folder).begin(environment)
    assert not file.exists() and environment[CACHE] != str(file.parent)


def test_no_more_is_kept_than_has_room_and_the_newest_used_stays(folder):
    files = [put(folder, name, 100, used) for name, used in (("old", 1e9), ("new", 3e9), ("middle", 2e9))]
    kept(folder).tidy(most=250)
    assert [f.exists() for f in files] == [False, True, True]


def test_nothing_is_kept_in_sealed_data_nor_where_the_settings_say_otherwise_nor_where_nothing_can_be_written(tmp_path):
    environment = {CACHE: "/elsewhere"}
    assert not kept(tmp_path / "said").begin(environment) and environment == {CACHE: "/elsewhere"}
    (tmp_path / "file").write_text("no folder")
    environment = {}
    assert not kept(tmp_path / "file").begin(environment) and environment == {}
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed" / sealing.MARK).write_text("{}")
    assert not kept(tmp_path / "sealed").begin(environment) and environment == {}
    assert not (tmp_path / "sealed" / "compiled").exists()
