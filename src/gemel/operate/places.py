"""Where a running twin keeps things: one data directory, the same layout from the first day."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

DATA_FORMAT: Final = 1  # the layout below; a newer one is refused with words


@dataclass(frozen=True, slots=True)
class Places:
    """The data directory of one plant."""

    data: Path

    @property
    def applied(self) -> Path:
        """Copy of the plant file that is applied."""
        return self.data / "applied"

    @property
    def registry(self) -> Path:
        """The registry that numbers the signals."""
        return self.data / "registry.arrow"

    @property
    def registries(self) -> Path:
        """All registries that ever numbered a frame, by digest: the log may hold frames older than the last one."""
        return self.data / "registries"

    @property
    def notices(self) -> Path:
        """How far each target of notices got."""
        return self.data / "notices"

    @property
    def plants(self) -> Path:
        """All plant files that were applied or asked about, by digest: snapshots and facts name them."""
        return self.data / "plants"

    @property
    def fmus(self) -> Path:
        """The FMUs that plant files name, each once, by digest: the files beside a plant file may change or go."""
        return self.data / "fmus"

    @property
    def pointer(self) -> Path:
        """Which plant file and registry are applied."""
        return self.data / "applied.json"

    @property
    def mark(self) -> Path:
        """Which of them the state is at."""
        return self.data / "in-force.json"

    @property
    def streams(self) -> Path:
        """The log's files."""
        return self.data / "log"

    @property
    def lake(self) -> Path:
        """The history."""
        return self.data / "lake"

    @property
    def snapshots(self) -> Path:
        """Snapshots of the state."""
        return self.data / "snapshots"

    @property
    def forks(self) -> Path:
        """States kept under a name, to go on from."""
        return self.data / "forks"

    @property
    def jobs(self) -> Path:
        """Long work that was asked for, and its results."""
        return self.data / "jobs"

    @property
    def estimates(self) -> Path:
        """Snapshots of what dynamic models are believed to be at."""
        return self.data / "estimates"

    @property
    def looped(self) -> Path:
        """Which models looped for ever where they were followed, and are left out."""
        return self.data / "looped.json"

    @property
    def looped_ahead(self) -> Path:
        """Which models were compiled for ever ahead of a what-if, and are not any more."""
        return self.data / "looped-ahead.json"

    @property
    def compiled(self) -> Path:
        """What was compiled of dynamic models, for those who begin again."""
        return self.data / "compiled"

    @property
    def heads(self) -> Path:
        """The signed head of the record and its key: a second place, best put on another disk."""
        return Path(os.environ.get("GEMEL_RECORD_HEAD", self.data / "record"))

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.data / "logs"

    @property
    def run(self) -> Path:
        """What is running now: addresses and process ids."""
        return self.data / "run.json"

    def make(self) -> None:
        """Make the folders."""
        for folder in (
            self.data,
            self.applied,
            self.registries,
            self.plants,
            self.streams,
            self.lake,
            self.snapshots,
            self.heads,
            self.logs,
        ):
            folder.mkdir(parents=True, exist_ok=True)


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor writes down for its children, for `doctor`, and for commands that ask a running twin."""

    pid: int
    url: str
    bus: str
    plant: str
    started: int
    clock: str = "wall"
    data_format: int = DATA_FORMAT


def read_running(data: Path) -> Running | None:
    """Give what is written down of a running twin, or None."""
    try:
        return msgspec.json.decode(Places(data).run.read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def alive(pid: int) -> bool:
    """Tell whether a process is there, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
