"""How serve is reached: address, certificate, and where it keeps people and sessions."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parent / "page"  # the page's build fills it


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Where serve listens.

    Args:
        data: data directory; ``users.json`` and ``sessions.json`` lie in it.
        host: address to listen on.
        port: TCP port; 0 takes a free one.
        tls_certificate: PEM file, empty for plain HTTP.
        tls_key: PEM file with its key.
        loopback_viewer: on a loopback address, let anybody look without logging in. Set it to false behind a
            proxy, whose clients would all look local.
        hosts: further names by which a loopback address may be asked for, such as a proxy's.
        page: folder of the built page.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8090
    tls_certificate: str = ""
    tls_key: str = ""
    loopback_viewer: bool = True
    hosts: tuple[str, ...] = ()
    page: Path = PAGE

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def open_to_viewers(self) -> bool:
        """Whether one may look without logging in."""
        return self.loopback and self.loopback_viewer

    @property
    def tls(self) -> bool:
        """Whether it speaks HTTPS."""
        return bool(self.tls_certificate)

    @property
    def cookie(self) -> str:
        """Name of the session cookie: cookies ignore ports, so two twins on a machine must differ in it."""
        return f"{'__Host-' if self.tls else ''}gemel_{self.port}"

    @property
    def users_file(self) -> Path:
        """File with people and what their passwords hash to."""
        return self.data / "users.json"

    @property
    def sessions_file(self) -> Path:
        """File with the sessions, so that a restart logs nobody out."""
        return self.data / "sessions.json"


def is_loopback(host: str) -> bool:
    """Tell whether an address or name stays on this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
