"""Every error gemel raises, split by who must act on it.

    GemelError
    ├── ConfigError      the installer: settings, ports, credentials, a missing program
    ├── AssetError       the modeller: the plant file says something impossible
    ├── ModelError       the modeller: a dynamic model that cannot be computed with
    ├── ConnectError     the device side: an endpoint, a topic, a payload; retryable
    ├── RefusedError     the operator: not allowed, interlock, stale, out of limits
    ├── ConflictError    anyone: somebody was faster; read again and retry
    ├── StorageError     the administrator: disk full, file torn, stream refused
    └── DefectError      us: a broken invariant

Three things are not exceptions: a bad sample (a status code), a solve that did not converge (a result
value), and a policy's "no" (a decision with its reason).
"""

from collections.abc import Mapping
from typing import Any


class GemelError(Exception):
    """An error with a stable code, a message, a remedy, and the context it arose in."""

    code = "gemel"
    status = 500  # the HTTP status that serve answers with (RFC 9110, section 15)

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or type(self).code
        self.context = dict(context or {})

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class ConfigError(GemelError):
    """The installation is not as it must be; the installer acts."""

    code = "config"


class AssetError(GemelError):
    """The plant file says something impossible; the modeller acts."""

    code = "asset"
    status = 422


class NotFoundError(AssetError):
    """No asset, signal or item has that name."""

    code = "not-found"
    status = 404


class ExpressionError(AssetError):
    """An expression cannot be read, or its dimensions do not fit; `at` says where in its text, from 0."""

    code = "expression"

    def __init__(self, message: str, *, at: int, remedy: str = "") -> None:
        super().__init__(f"at character {at + 1}: {message}", remedy=remedy, context={"at": at})
        self.at = at


class ModelError(GemelError):
    """A dynamic model is wrong in itself: a name, a shape, a unit, a number that is none; the modeller acts."""

    code = "model"
    status = 422


class ConnectError(GemelError):
    """The device side failed: an endpoint, a topic, a payload. Worth trying again."""

    code = "connect"
    status = 502


class RefusedError(GemelError):
    """A guard said no: not authorised, interlock, stale, out of limits. Recorded as a fact too."""

    code = "refused"
    status = 403


class ConflictError(GemelError):
    """The state changed in between; read it again and decide anew."""

    code = "conflict"
    status = 409


class PreconditionError(ConflictError):
    """What the request expected (If-Match) is not so; read it again and decide anew."""

    code = "changed-meanwhile"
    status = 412


class StorageError(GemelError):
    """The store cannot take or give what was asked; the administrator acts."""

    code = "storage"
    status = 503


class DefectError(GemelError):
    """An invariant of ours is broken. Please report it with the context."""

    code = "defect"
