"""What was compiled of dynamic models is kept in the data directory, so that who begins again need not compile it again.

    reason begins ─► a folder of this gemel, JAX and processor ─► JAX's own cache of compiled programs (named by their content)
    reason died in its first minutes ─► the folder is emptied: a file that is no good must not take it down twice

Programs of another version or processor are removed, and the least used ones where they become too many. Nothing is kept in
sealed data: programs hold what a model was given as constants.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import platform
import shutil
import sys
from collections.abc import MutableMapping
from importlib import metadata
from pathlib import Path
from typing import Final

from gemel import __version__, sealing
from gemel.operate.places import alive

log = logging.getLogger(__name__)
SOUND_S: Final = 120.0  # after which what was read of it did no harm
TIDY_S: Final = 3600.0
MOST_BYTES: Final = 256_000_000
BEGUN: Final = "begun-"
WANTED: Final = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # a filter is made of many small programs too
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
CACHE: Final = "JAX_COMPILATION_CACHE_DIR"


class CompiledKept:
    """The folder of compiled programs, for as long as a process runs.

    Args:
        folder: of the data directory; that of this version and processor is made in it.
    """

    def __init__(self, folder: Path) -> None:
        self._all, self._folder = folder, folder / this_machine()
        self._mark = self._folder / f"{BEGUN}{os.getpid()}"

    def begin(self, environment: MutableMapping[str, str]) -> bool:
        """Have JAX keep what it compiles, by its settings, which it reads when it is loaded; tell whether it does.

        It does not in sealed data, where the settings name a folder already, or where this one cannot be written.
        """
        if CACHE in environment or sealing.folder_of(self._all) is not None:
            return False
        try:
            for other in self._all.glob("*/"):
                if other != self._folder:
                    shutil.rmtree(other)
            if any(not alive(int(m.name.removeprefix(BEGUN))) for m in self._folder.glob(f"{BEGUN}*")):
                log.warning("compiled models are thrown away: who read them last died soon after")
                shutil.rmtree(self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mark.touch()
            self.tidy()
        except (OSError, ValueError) as e:
            log.warning("compiled models are not kept: %s", e)
            return False
        environment.update({CACHE: str(self._folder), **{name: environment.get(name, value) for name, value in WANTED.items()}})
        return True

    async def run(self) -> None:
        """Trust what was read after a while, and keep the folder small, until cancelled."""
        try:
            await asyncio.sleep(SOUND_S)
            while True:
                self.trust()
                await asyncio.to_thread(self.tidy)
                await asyncio.sleep(TIDY_S)
        finally:
            self.trust()

    def trust(self) -> None:
        """Say that what was read did no harm: this process is about to end for another reason."""
        self._mark.unlink(missing_ok=True)

    def tidy(self, most: int = MOST_BYTES) -> None:
        """Remove the programs that were used longest ago, where all are larger than `most` bytes."""
        try:
            found = sorted(((f.stat(), f) for f in self._folder.glob("*-cache")), key=lambda one: -_used(one[1], one[0].st_mtime))
            size = 0
            for stat, file in found:
                size += stat.st_size
                if size > most:
                    file.unlink(missing_ok=True)
                    file.with_name(file.name.removesuffix("-cache") + "-atime").unlink(missing_ok=True)
        except OSError as e:  # another process tidies too
            log.info("compiled models are not tidied: %s", e)


def _used(file: Path, written: float) -> float:
    used = file.with_name(file.name.removesuffix("-cache") + "-atime")
    return used.stat().st_mtime if used.exists() else written


def this_machine() -> str:
    """Name what compiled programs are good for: versions, and the processor, for they are its machine code."""
    packages = [f"{n} {metadata.version(n)}" for n in ("jax", "jaxlib") if _there(n)]
    said = [__version__, sys.version, platform.platform(), platform.machine(), _processor(), *packages]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def _there(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    """Give model and instructions of the processor, as Linux says; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
