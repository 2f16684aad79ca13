"""The log at rest under a key that is referred to: `sealed.json` names the secret, the secret lies elsewhere.

The log's server enciphers its blocks with AES-256-GCM (NATS, "JetStream Encryption At Rest"). History, snapshots and
the signed head are not enciphered by gemel: that needs an encrypted file system under the data directory.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from gemel.assets import secret
from gemel.durable import write_atomic
from gemel.errors import ConfigError
from gemel.operate.cipher import Sealed
from gemel.operate.places import Places

MARK: Final = "sealed.json"


def seal_log(places: Places, name: str) -> None:
    """Have the log of new data enciphered under a secret; raises ConfigError where there is a log in the clear already."""
    mark = places.data / MARK
    if mark.exists():
        if (found := _header(mark)["key"]) != name:
            raise ConfigError(
                f"the log is sealed with the secret {found!r}", code="log-sealed", remedy=f"--log-key {found}"
            )
        return
    if (places.streams / "jetstream").exists():
        raise ConfigError(
            "the log of these data is there already, in the clear", code="log-in-the-clear",
            remedy="start with another --data, or put the data directory on an encrypted file system",
        )  # fmt: skip
    places.data.mkdir(parents=True, exist_ok=True)
    write_atomic(mark, msgspec.json.encode(Sealed(secret(name, places.data), name).header))


def log_key(places: Places, secrets: Path | None = None) -> str:
    """Give the key of the log, empty where it is in the clear; raises ConfigError where the secret is missing or another.

    `secrets` is the data directory whose secrets serve, where it is not this one.
    """
    mark = places.data / MARK
    if not mark.exists():
        return ""
    header = _header(mark)
    sealed = Sealed(secret(header["key"], secrets or places.data), header["key"], header)
    return "k" + sealed.derived(b"gemel log")  # a letter first: the server reads digits as a number


def _header(mark: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as e:
        raise ConfigError(
            f"{mark} cannot be read: {e}", code="log-seal", remedy="restore it from a back-up"
        ) from e
