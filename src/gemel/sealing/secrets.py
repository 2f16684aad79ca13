"""Secrets by reference: the plant file names one, the environment or a file of the data directory holds it."""

import os
import re
from pathlib import Path

from gemel.errors import ConfigError


def secret(name: str, data_dir: Path | str) -> str:
    """Give a secret: ``GEMEL_SECRET_<NAME>``, else the first line of ``<data>/secrets/<name>``; raises ConfigError."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        raise ConfigError(
            f"{name!r} cannot be the name of a secret",
            code="secret-name",
            remedy="use letters, digits, _ and -",
        )
    variable = variable_of(name)
    if value := os.environ.get(variable):
        return value
    file = Path(data_dir) / "secrets" / name
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(
            f"the secret {name!r} cannot be read: {e}",
            code="secret-unreadable",
            remedy=f"let this user read {file}",
        ) from e
    if not lines or not lines[0]:
        raise ConfigError(
            f"the secret {name!r} is not set",
            code="secret-missing",
            remedy=f"set {variable}, or write it into {file}",
        )
    return lines[0]


def variable_of(name: str) -> str:
    """Give the environment variable of a secret.

    >>> variable_of("field-bus")
    'GEMEL_SECRET_FIELD_BUS'
    """
    return "GEMEL_SECRET_" + name.upper().replace("-", "_")
