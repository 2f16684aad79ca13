"""What serve asks of jobs; times are [ns]."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gemel.twin.releases import Releases


class Asked(Protocol):
    """What was asked; see `gemel.operate.jobs.Asked`."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def made(self) -> int: ...
    @property
    def spec(self) -> Mapping[str, Any]: ...


class Ended(Protocol):
    """How a job ended."""

    @property
    def seconds(self) -> float: ...
    @property
    def problem(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def result(self) -> Any: ...


class Job(Protocol):
    """A job as it stands."""

    @property
    def asked(self) -> Asked: ...
    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``."""

    @property
    def progress(self) -> float: ...
    @property
    def ended(self) -> Ended | None: ...


class Jobbing(Protocol):
    """Asks for jobs, follows and stops them."""

    async def ask(self, kind: str, spec: dict[str, Any], title: str, by: str) -> Job:
        """Ask for a job; the same asked again is the same."""

    async def warm(self) -> None:
        """Have a process that works on jobs started, where none runs."""

    async def ahead(self, spec: Mapping[str, Any]) -> None:
        """Have what a what-if will need made ready."""

    async def get(self, name: str) -> Job:
        """Give a job; raises NotFoundError."""

    async def listed(self, kind: str) -> Sequence[Job]:
        """Give the jobs of a kind without their results, the newest first."""

    async def cancel(self, name: str) -> Job:
        """Stop a job, or give one up that has ended; raises NotFoundError."""


class Reasoned(Protocol):
    """The part of a twin that reasons."""

    @property
    def jobs(self) -> Jobbing:
        """Long work."""

    async def whatif_assets(self, asset: str) -> Sequence[str]:
        """Give the assets that a what-if is about; raises NotFoundError, ModelError."""

    async def whatif_begin(
        self, asset: str, shown: Mapping[str, tuple[float, str, float, str]], releases: Releases, at: int,
        estimated: Sequence[Mapping[str, Any]] = (),
    ) -> Mapping[str, Any]:  # fmt: skip
        """Give where a what-if about an asset begins: from what it shows (value, unit, sigma, from where), what was released by then, how estimates go together.

        Raises NotFoundError, ModelError.
        """

    async def whatif_together(self, assets: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Give how what is estimated of assets goes together now (``paths``, ``correlation``); nothing where nobody knows."""

    async def whatif_spec(
        self, begun: Mapping[str, Any], question: Mapping[str, Any], at: str
    ) -> dict[str, Any]:
        """Give all that the result of a what-if follows from; raises ModelError."""
