"""Settings of an MQTT connection, parsed once from what the plant file says."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from gemel.errors import ConfigError, ConnectError

SCHEMES: Final = {"mqtt": (False, 1883), "tcp": (False, 1883), "mqtts": (True, 8883), "ssl": (True, 8883)}
VERSIONS: Final = {"5": 5, "5.0": 5, "3.1.1": 4, "4": 4}  # protocol level on the wire (MQTT 5, 3.1.2.2)


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """How to reach a broker, and what to be bounded by.

    Args:
        host, port, tls: where to, and whether through TLS.
        level: 5 for MQTT 5, 4 for 3.1.1 (the protocol's own numbering).
        client_id: fixed, for the broker keeps the session under it.
        qos: 0 or 1 of the subscriptions.
        user, password: none to log in without.
        ca, cert, key: files; `ca` none means the system's.
        receive_maximum: unacknowledged messages that the broker may have under way (MQTT 5).
        waiting_bytes: payload bytes held unread before we stop taking from the socket.
        session_expiry_s: how long the broker keeps the session while we are away [s] (MQTT 5).
        keepalive_s: silence after which the line counts as dead [s].
        linger_s: how long a read waits for more once it has something [s].
        largest: payload bytes above which a message is refused.

    """

    host: str
    port: int = 1883
    tls: bool = False
    level: int = 5
    client_id: str = "gemel"
    qos: int = 1
    user: str | None = None
    password: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    receive_maximum: int = 10_000
    waiting_bytes: int = 64 << 20
    session_expiry_s: int = 7 * 86_400
    keepalive_s: int = 30
    linger_s: float = 0.01
    largest: int = 1 << 20


def mqtt_settings(
    url: str, options: Mapping[str, Any], client_id: str, secret: Callable[[str], str] | None = None
) -> MqttSettings:
    """Parse a connection of the plant file; raises ConfigError with what to write instead.

    Args:
        url: ``mqtt://host:port`` or ``mqtts://host:port``.
        options: version, user, password ({secret: name}), qos, client_id, ca, cert, key.
        client_id: used where the options name none; must stay the same from start to start.
        secret: gives a secret by its name.

    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ConfigError(
            f"{url!r} is no address of a broker", remedy="write mqtt://host:1883 or mqtts://host:8883"
        )
    tls, port = SCHEMES[parts.scheme]
    version = str(options.get("version", 5))
    if version not in VERSIONS:
        raise ConfigError(f"MQTT {version} is not spoken here", remedy="write version: 5 or version: 3.1.1")
    given = {key: str(options[key]) for key in ("user", "ca", "cert", "key") if options.get(key) is not None}
    return MqttSettings(
        host=parts.hostname,
        port=parts.port or port,
        tls=tls,
        level=VERSIONS[version],
        client_id=str(options.get("client_id") or client_id),
        qos=int(options.get("qos", 1)),
        password=_password(options.get("password"), secret),
        **given,  # type: ignore[arg-type]
    )


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """Make the TLS context: the server's name and chain are always checked. Raises ConnectError."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        if settings.cert:
            context.load_cert_chain(settings.cert, settings.key)
    except (OSError, ssl.SSLError) as why:
        raise ConnectError(
            f"the certificates of {settings.host} cannot be read: {why}", code="certificate",
            remedy="give ca, cert and key as PEM files that this user may read",
        ) from why  # fmt: skip
    return context


def _password(given: Any, secret: Callable[[str], str] | None) -> str | None:
    if given is None or isinstance(given, str):
        return given
    name = str(given["secret"])
    if secret is None:
        raise ConfigError(f"no way to read the secret {name!r}", remedy=f"set GEMEL_SECRET_{name.upper()}")
    return secret(name)
