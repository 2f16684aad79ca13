"""The kinds of jobs there are. Each is a function of the spec: it does no I/O and decides nothing about the plant."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol

from gemel.errors import DefectError

Told = Callable[[float], bool]


class Kind(Protocol):
    """What works on a job: takes its spec and `told` (how much is done → whether to go on); gives its result.

    Where the spec names an attachment, its bytes stand under ``bytes``.
    """

    def __call__(self, spec: dict[str, Any], told: Told) -> Any: ...


KINDS: Final = {
    "whatif": "gemel.operate.whatif:run",
    "life": "gemel.operate.life:run",
    "calibrate": "gemel.operate.calibrate_job:run",
}
"""By name, where it is found: imported by who works on it, for it may be heavy."""


def kind(name: str) -> Kind:
    """Give what works on a kind of job."""
    if name not in KINDS:
        raise DefectError(f"no kind of job {name!r}", code="job-kind")
    module, _, function = KINDS[name].partition(":")
    found: Kind = getattr(import_module(module), function)
    return found
