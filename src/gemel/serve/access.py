"""Who is asking, and whether they may: a session cookie for people, HTTP Basic for scripts.

On a loopback address somebody who is nobody may look. Everything that changes something needs a person, and with
a cookie also the session's token in ``X-CSRF-Token``.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import HTTPConnection

from gemel.errors import GemelError, RefusedError
from gemel.serve import times
from gemel.serve.port import Twin
from gemel.serve.problems import UnauthenticatedError
from gemel.serve.sessions import Sessions
from gemel.serve.settings import ServeSettings
from gemel.serve.throttle import Throttle
from gemel.serve.users import RANK, Role, User, Users

log = logging.getLogger(__name__)
SAFE: Final = {"GET", "HEAD", "OPTIONS"}
CSRF_HEADER: Final = "x-csrf-token"
REMEMBERED: Final = 1000  # scripts whose password need not be hashed again
RETRY_S: Final = 2.0
HASHES_AT_ONCE: Final = 2  # 32 MiB and 0.1 s each: guessing must not eat the machine


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asking.

    Args:
        name: of a logged-in person, or none.
        role: what they may do.
        csrf: the session's token, with a cookie.
    """

    name: str | None
    role: Role
    csrf: str | None = None


class Gate:
    """Knows the people, the sessions and the wrong tries."""

    def __init__(self, settings: ServeSettings, twin: Twin) -> None:
        self.settings = settings
        self.users = Users(settings.users_file)
        self.sessions = Sessions(settings.sessions_file, self.users)
        self.throttle = Throttle()
        self._twin = twin
        self._key = secrets.token_bytes(32)
        self._proven: OrderedDict[bytes, User] = OrderedDict()
        self._unrecorded: deque[tuple[str, str, dict[str, str]]] = deque(maxlen=REMEMBERED)
        self._recording = asyncio.Lock()
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)

    async def who(self, connection: HTTPConnection) -> Person:
        """Tell who is asking; raises UnauthenticatedError where that is not known but must be."""
        if given := basic(connection.headers.get("authorization", "")):
            user = await self.prove(*given, address(connection), "basic")
            return Person(user.name, user.role)
        if found := self.sessions.find(connection.cookies.get(self.settings.cookie, "")):
            user, session = found
            _check_csrf(connection, session.csrf)
            return Person(user.name, user.role, session.csrf)
        if self.settings.open_to_viewers:
            return Person(None, "viewer")
        raise UnauthenticatedError(
            "who are you?", remedy="log in: POST /api/v1/session, or HTTP Basic for scripts"
        )

    async def prove(self, name: str, password: str, source: str, way: str) -> User:
        """Give the person whose password this is; raises UnauthenticatedError or ThrottledError."""
        key = hmac.digest(self._key, f"{name}\0{password}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        if (known := self._proven.get(key)) and self.users.get(name) == known:
            return known
        self.throttle.check(name, source)
        async with self._hashing:
            self.throttle.check(name, source)  # others of the same guess may have waited here
            user = await asyncio.to_thread(self.users.verify, name, password)
            if user is None:
                self.throttle.wrong(name, source)
        if user is None:
            await self.note("LogInRefused", name[:64], {"from": source, "by": way})
            raise UnauthenticatedError(
                "the name or the password is wrong",
                code="log-in-refused",
                remedy="gemel user list shows the names",
            )
        self.throttle.right(name, source)
        self._remember(key, user)
        await self.note("LoggedIn", name, {"from": source, "by": way, "role": user.role})
        return user

    def _remember(self, key: bytes, user: User) -> None:
        self._proven[key] = user
        while len(self._proven) > REMEMBERED:
            self._proven.popitem(last=False)

    async def note(self, kind: str, name: str, body: dict[str, str]) -> None:
        """Have a log-in recorded; while the twin is away one may still look, and it is recorded when it is back."""
        self._unrecorded.append((kind, name, {**body, "was": times.text(time.time_ns()) or ""}))
        await self.record()

    async def record(self) -> None:
        """Have recorded what could not be before; what fails again waits on."""
        async with self._recording:
            while self._unrecorded:
                try:
                    await self._twin.note(*self._unrecorded[0])
                except GemelError as e:
                    log.info("%d log-ins wait to be recorded: %s", len(self._unrecorded), e)
                    return
                self._unrecorded.popleft()

    async def keep_recording(self) -> None:
        """Try again what waits, until cancelled."""
        while True:
            await asyncio.sleep(RETRY_S)
            await self.record()


def basic(header: str) -> tuple[str, str] | None:
    """Read an Authorization header of HTTP Basic (RFC 7617); none for anything else."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise UnauthenticatedError("the Authorization header cannot be read", code="log-in-refused") from None
    return (name, password) if colon else None


def address(connection: HTTPConnection) -> str:
    """Give the address that the connection comes from."""
    return connection.client.host if connection.client else "local"


def _check_csrf(connection: HTTPConnection, expected: str) -> None:
    if connection.scope["type"] != "http" or connection.scope["method"] in SAFE:
        return
    given = connection.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise RefusedError(
            "the X-CSRF-Token header is missing or wrong",
            code="csrf",
            remedy="GET /api/v1/session gives the token",
        )


async def _viewer(connection: HTTPConnection) -> Person:
    gate: Gate = connection.app.state.gate
    return await gate.who(connection)


def _at_least(role: Role) -> Callable[[Person], Awaitable[Person]]:
    async def check(person: Annotated[Person, Depends(_viewer)]) -> Person:
        if person.name is None:
            raise RefusedError(
                "this needs a person",
                code="person-needed",
                remedy="log in: POST /api/v1/session, or HTTP Basic for scripts",
            )
        if RANK[person.role] < RANK[role]:
            raise RefusedError(
                f"{person.name} is a {person.role}; this needs an {role}", code="role-too-low",
                remedy=f"somebody may give the role: gemel user add {person.name} --role {role}",
            )  # fmt: skip
        return person

    return check


Viewer = Annotated[Person, Depends(_viewer)]
Operator = Annotated[Person, Depends(_at_least("operator"))]
Engineer = Annotated[Person, Depends(_at_least("engineer"))]


def _twin(connection: HTTPConnection) -> Twin:
    twin: Twin = connection.app.state.twin
    return twin


Asked = Annotated[Twin, Depends(_twin)]
