"""The plant file as serve sees it: what is in force, what a changed one would do, and applying it; the twin decides."""

import asyncio
import contextlib
import hashlib
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from gemel import sealing
from gemel.assets import Plant
from gemel.assets.fmus import kept_name
from gemel.bus import Bus
from gemel.history import Reader
from gemel.operate.applying import SUBJECT
from gemel.operate.fmi.model import fmu
from gemel.operate.fmi.private import private

PATIENCE_S: Final = 60.0
FOLLOWED_S: Final = 5.0


class _Asks(Protocol):
    bus: Bus
    plant: Plant
    _reader: Reader


class PlantView:
    """The part of `View` that asks about the plant file."""

    async def plant_version(self: _Asks) -> dict[str, Any]:
        """Give which version is in force."""
        return dict(msgspec.json.decode(await self.bus.ask(SUBJECT, {"do": "version"})))

    async def plant_fmu(self: _Asks, data: bytes) -> dict[str, Any]:
        """Keep an FMU that a plant file is to name, once a child has read it; give what it is."""
        return await asyncio.to_thread(_kept, data, self._reader.path.parent / "fmus")

    async def plant_plan(self: _Asks, files: dict[str, str]) -> dict[str, Any]:
        """Say what a changed plant file would do."""
        body = {"do": "plan", "files": files}
        return dict(msgspec.json.decode(await self.bus.ask(SUBJECT, body, timeout_s=PATIENCE_S)))

    async def plant_apply(
        self: _Asks, files: dict[str, str], user: str, *, accept_loss: bool, reason: str
    ) -> dict[str, Any]:
        """Apply a changed plant file; gives once it is in force."""
        body = {"do": "apply", "files": files, "user": user, "accept_loss": accept_loss, "reason": reason}
        told = dict(msgspec.json.decode(await self.bus.ask(SUBJECT, body, timeout_s=PATIENCE_S)))
        with contextlib.suppress(TimeoutError):  # this process follows all the same, a little later
            async with asyncio.timeout(FOLLOWED_S):
                while self.plant.digest != told["digest"]:  # noqa: ASYNC110 - the twin's news moves it
                    await asyncio.sleep(0.02)
        return told


def _kept(data: bytes, folder: Path) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    with private() as beside:
        file = beside / "given.fmu"
        file.touch(0o600)
        file.write_bytes(data)
        model = fmu(file, name="the FMU")
    kept = folder / kept_name(digest)
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        sealing.write(kept, data)
    names = {kind: list(getattr(model, kind)) for kind in ("states", "inputs", "outputs", "parameters")}
    return {"digest": digest, "kind": model.kind, "size": len(data), **names}
