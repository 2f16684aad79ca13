"""Who is told when something happens: the `notify:` part of a plant file."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from gemel.assets.node import Node, plain
from gemel.assets.problem import Problems

KINDS = ("AlarmRaised", "AlarmCleared")  # what is told where a notice does not say


@dataclass(frozen=True, slots=True)
class Notice:
    """One target of notices.

    Args:
        name: as in the plant file.
        webhook: address that gets a POST; empty: none.
        key: name of the secret that signs it; empty: unsigned.
        email: who gets an e-mail; empty: nobody.
        smtp: address of the mail server.
        sender: the address it comes from.
        user, password: log-in at the mail server; the password is the name of a secret.
        priority: the least urgent alarm that is told, 1 (most urgent) to 3.
        assets: patterns of paths below the site, one of which must match.
        facts: the kinds of facts that are told.
    """

    name: str
    webhook: str = ""
    key: str = ""
    email: tuple[str, ...] = ()
    smtp: str = ""
    sender: str = ""
    user: str = ""
    password: str = ""
    priority: int = 3
    assets: tuple[str, ...] = ("*",)
    facts: tuple[str, ...] = KINDS

    def wants(self, kind: str, below: str, body: Mapping[str, Any]) -> bool:
        """Tell whether a fact is to be told.

        Args:
            kind: of the fact.
            below: path of its subject below the site.
            body: of the fact; one without a priority is as urgent as can be.

        >>> Notice("shift", assets=("area-1/*",)).wants("AlarmRaised", "area-1/pump-1/flow", {"priority": 2})
        True
        """
        if kind not in self.facts or int(body.get("priority", 1)) > self.priority:
            return False
        return any(fnmatchcase(below, pattern) for pattern in self.assets)


def read_notices(section: Node | None, problems: Problems) -> dict[str, Notice]:
    """Read all targets."""
    fields = section.fields if section is not None else {}
    return {name: _read(name, node, problems) for name, node in fields.items()}


def _read(name: str, node: Node, problems: Problems) -> Notice:
    said: dict[str, Any] = plain(node)
    if not {"webhook", "email"} & (said.keys() | node.lost):
        problems.error(node, f"the notice {name!r} goes to nobody", "write webhook: ADDRESS, or email: [ADDRESS]")
    if "email" in said and not {"smtp"} & (said.keys() | node.lost):
        problems.error(
            node, f"the notice {name!r} names no mail server", "write smtp: smtp://mail.plant:587 beside email:"
        )
    for word in ("webhook", "smtp"):
        if (at := node.get(word)) is not None and urlsplit(str(at.value)).username is not None:
            problems.error(
                at, "user and password do not belong into an address", "write user: and password: {secret: NAME} beside it"
            )
    if said.get("password") and not said.get("user"):
        problems.error(node.fields["password"], f"the notice {name!r} has a password and no user", "add user:")
    found: dict[str, Any] = {word: said[word] for word in ("webhook", "smtp", "sender", "user", "priority") if word in said}
    found |= {word: tuple(said[word]) for word in ("email", "assets", "facts") if word in said}
    found |= {word: said[word]["secret"] for word in ("key", "password") if word in said}
    return Notice(name, **found)
