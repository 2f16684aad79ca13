"""The connections of a plant file: what is said of each must fit together, and a secret must not stand in it."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gemel.assets.grammar_connection import PROTOCOLS
from gemel.assets.node import Node, plain
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Connection


def read_connections(section: Node | None, problems: Problems) -> dict[str, Connection]:
    """Read all connections; one that is wrong is given too, so that what names it is not wrong as well."""
    found = {
        name: Connection(name, PROTOCOLS[0], "") for name in (section.lost if section is not None else ())
    }
    for name, node in (section.fields if section is not None else {}).items():
        protocol = next((p for p in PROTOCOLS if node.get(p) is not None), PROTOCOLS[0])
        options: dict[str, Any] = plain(node)
        url = str(options.pop(protocol, ""))
        address = node.get(protocol)
        if address is not None:
            _check_address(url, address, problems)
        _check_tls(name, node, url, problems)
        if node.get("password") is not None and node.get("user") is None:
            problems.error(
                node.fields["password"], f"the connection {name!r} has a password and no user", "add user:"
            )
        found[name] = Connection(name, protocol, url, options)
    return found


def read_namespace(node: Node | None, connections: dict[str, Connection], problems: Problems) -> str | None:
    """Give the connection that the plant is published to, or None."""
    said = node.get("connection") if node is not None else None
    if said is None:
        return None
    word = str(said.value)
    if word not in connections:
        problems.error(
            said,
            f"the namespace names an unknown connection {word!r}",
            did_you_mean(word, connections, "" if connections else "add it under connections:"),
        )
    return word


def _check_address(url: str, at: Node, problems: Problems) -> None:
    split = urlsplit(url)
    if split.username is not None or split.password is not None:
        problems.error(
            at,
            "user and password do not belong into an address",
            "write user: NAME and password: {secret: NAME} beside it",
        )
    elif not split.hostname:
        problems.error(at, f"the address {url!r} names no host", "write it like mqtt://127.0.0.1:1883")
    elif _port(split) is None:
        problems.error(at, f"the port of {url!r} is none", "write a number from 1 to 65535, such as :1883")


def _port(split: SplitResult) -> int | None:
    """Give the port, 1883 where none is said; None where it is no port."""
    try:
        return 1883 if split.port is None else split.port or None
    except ValueError:
        return None


def _check_tls(name: str, node: Node, url: str, problems: Problems) -> None:
    files = {key: said for key in ("ca", "cert", "key") if (said := node.get(key)) is not None}
    if files and not url.startswith(("mqtts://", "ssl://")):
        first = next(iter(files))
        problems.error(
            files[first],
            f"the connection {name!r} has a {first}, but its address is not encrypted",
            "write mqtts:// in the address, or drop it",
        )
    if ("cert" in files) != ("key" in files):
        given, lacks = ("cert", "key") if "cert" in files else ("key", "cert")
        problems.error(
            files[given],
            f"the connection {name!r} has a {given} and no {lacks}",
            f"add {lacks}: and its file",
        )
    for key, said in files.items():
        if not Path(str(said.value)).is_absolute():
            problems.error(
                said,
                f"the {key} of {name!r} is no whole path: {said.value}",
                "write it from / on; the twin reads it wherever it is started",
            )
        elif not Path(str(said.value)).is_file():
            problems.warn(
                said,
                f"the {key} of {name!r} is not here: {said.value}",
                "put the file there before the twin starts",
            )
