"""Jobs: long work that is asked for, waited for, stopped, and remembered.

    asked ─► a folder named by what was asked ─► the queue ─► a *reason* process ─► result, in the same folder

A job's name is the digest of its kind and its whole spec, the seed and the versions included: asked again it is the
same job, and its result is there already. Every file has one writer; what a job is follows from which files there are.
"""

import hashlib
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from gemel import __version__, sealing
from gemel.durable import sync
from gemel.errors import ConflictError, NotFoundError, RefusedError

MOST: Final = 500  # kept; what is done longest ago is given up first
WAITING: Final = 50  # that may wait or run at once
NAME: Final = r"^[0-9a-f]{20}$"
ATTACHED: Final = "attached"  # folder of what jobs work on, by digest
UNCLAIMED_S: Final = 3600.0  # for so long it is kept where no job names it: one may be asked for just now


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked.

    Args:
        id: digest of kind, spec and version.
        kind: one of `gemel.operate.jobs_kinds`.
        title, by: for people.
        made: wall time [ns].
        spec: all that the result follows from.
    """

    id: str
    kind: str
    title: str
    by: str
    made: int
    spec: dict[str, Any]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended.

    Args:
        wall: time [ns].
        seconds: it was worked on.
        problem: why it failed, in words; empty where it did not.
        code, remedy: of the failure.
        result: of the kind's own shape.
    """

    wall: int
    seconds: float
    problem: str = ""
    code: str = ""
    remedy: str = ""
    result: Any = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``."""

    asked: Asked
    state: str
    progress: float = 0.0
    ended: Ended | None = None


class Jobs:
    """The jobs of a data directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Asked] = {}

    def ask(self, kind: str, spec: dict[str, Any], title: str, by: str) -> tuple[Asked, bool]:
        """Keep what is asked; give it, and whether it must be worked on (else it is there, or on its way).

        Raises RefusedError where too many wait.
        """
        name = digest(kind, spec)
        there = self._state(name)
        if there in ("queued", "running", "done"):
            return self.asked(name), False
        if sum(job.state in ("queued", "running") for job in self.listed()) >= WAITING:
            raise RefusedError(f"{WAITING} jobs wait already", code="jobs-full", remedy="cancel one, or wait")
        asked = Asked(id=name, kind=kind, title=title, by=by, made=time.time_ns(), spec=spec)
        shutil.rmtree(self._folder / name, ignore_errors=True)  # failed or cancelled: it is worked on anew
        (self._folder / name).mkdir(parents=True)
        sealing.write(self._folder / name / "asked.json", msgspec.json.encode(asked))
        sync(self._folder)
        self._known[name] = asked
        self._tidy()
        return asked, True

    def attach(self, data: bytes) -> str:
        """Keep what a job works on, too long for its spec, and give the digest (hex) that the spec names it by."""
        name = hashlib.sha256(data).hexdigest()
        file = self._folder / ATTACHED / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            sealing.write(file, data)
        else:
            file.touch()
        return name

    def attached(self, spec: dict[str, Any]) -> bytes | None:
        """Give what the spec names under ``attached``; None where it names nothing. Raises NotFoundError."""
        if "attached" not in spec:
            return None
        try:
            return sealing.read(self._folder / ATTACHED / str(spec["attached"]))
        except OSError as e:
            raise NotFoundError("what the job works on is gone", remedy="ask for it again") from e

    def asked(self, name: str) -> Asked:
        """Give what was asked; raises NotFoundError."""
        if re.fullmatch(NAME, name):
            if name in self._known and (self._folder / name).exists():
                return self._known[name]
            try:
                found = msgspec.json.decode(sealing.read(self._folder / name / "asked.json"), type=Asked)
            except (OSError, msgspec.DecodeError):
                pass
            else:
                self._known[name] = found
                return found
        raise NotFoundError(f"no job {name[:40]!r}", remedy="see GET /api/v1/scenarios")

    def get(self, name: str, *, whole: bool = True) -> Job:
        """Give a job as it stands, with its result where `whole`; raises NotFoundError."""
        asked, state, ended = self.asked(name), self._state(name), None
        if whole and (state in ("done", "failed") or (state == "cancelled" and self._hung(name))):
            ended = msgspec.json.decode(sealing.read(self._folder / name / "ended.json"), type=Ended)
        return Job(asked=asked, state=state, progress=float(state == "done"), ended=ended)

    def listed(self, kind: str | None = None) -> list[Job]:
        """Give the jobs without their results, the newest first."""
        names = [p.name for p in self._folder.glob("*") if re.fullmatch(NAME, p.name)]
        found = []
        for name in names:
            try:
                job = self.get(name, whole=False)
            except NotFoundError:  # given up meanwhile
                continue
            if kind in (None, job.asked.kind):
                found.append(job)
        return sorted(found, key=lambda j: j.asked.made, reverse=True)

    def begin(self, name: str) -> None:
        """Say that it is worked on."""
        sealing.write(
            self._folder / name / "running.json",
            msgspec.json.encode({"pid": os.getpid(), "wall": time.time_ns()}),
        )

    def end(self, name: str, ended: Ended) -> None:
        """Keep how it ended, unless it was given up meanwhile; of one that was cancelled only what went wrong."""
        folder = self._folder / name
        if not folder.exists():
            return
        if self._state(name) == "cancelled":
            if ended.code == "job-hung":
                sealing.write(folder / "ended.json", msgspec.json.encode(ended))
                (folder / "hung").touch()
            return
        sealing.write(folder / "ended.json", msgspec.json.encode(ended))
        (folder / ("failed" if ended.problem else "done")).touch()

    def cancel(self, name: str) -> Job:
        """Stop a job that waits or runs; give one up that has ended. Raises NotFoundError."""
        job = self.get(name, whole=False)
        if job.state in ("queued", "running"):
            (self._folder / name / "cancelled").touch()
            return self.get(name)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self._known.pop(name, None)
        return job

    def result(self, name: str) -> Any:
        """Give a result; raises NotFoundError, ConflictError where it is not done."""
        job = self.get(name)
        if job.ended is None or job.state != "done":
            raise ConflictError(f"the job is {job.state}", code="job-not-done", remedy="wait for it")
        return job.ended.result

    def _state(self, name: str) -> str:
        folder = self._folder / name
        for state in ("cancelled", "done", "failed"):
            if (folder / state).exists():
                return state
        if (folder / "running.json").exists():
            return "running"
        return "queued" if (folder / "asked.json").exists() else ""

    def _hung(self, name: str) -> bool:
        return (self._folder / name / "hung").exists()

    def _tidy(self) -> None:
        over = [j for j in self.listed() if j.state in ("done", "failed", "cancelled")][MOST:]
        for job in over:
            self.cancel(job.asked.id)
        wanted = {job.asked.spec.get("attached") for job in self.listed()}
        for file in (self._folder / ATTACHED).glob("*"):
            if file.name not in wanted and time.time() - file.stat().st_mtime > UNCLAIMED_S:
                file.unlink(missing_ok=True)


def digest(kind: str, spec: dict[str, Any]) -> str:
    """Give the name of a job: equal for what must give the same result."""
    whole = msgspec.json.encode([kind, spec, __version__], order="deterministic")
    return hashlib.sha256(whole).hexdigest()[:20]
