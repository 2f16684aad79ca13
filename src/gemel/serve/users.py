"""People: who may log in, in which role. A file of scrypt hashes that only its owner can read.

`gemel user` writes it, serve reads it again whenever it has changed, so that a removal acts at once.
"""

import fcntl
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from gemel.durable import sync
from gemel.errors import ConfigError, NotFoundError

Role = Literal["viewer", "operator", "engineer"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
RANK: Final = {role: rank for rank, role in enumerate(ROLES)}
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
RESERVED: Final = {"gemel"}  # the actor of facts that a rule of the twin made
SHORTEST, LONGEST = 8, 1024  # NIST SP 800-63B, 5.1.1.2: at least 8; the upper bound keeps hashing cheap
FORMAT: Final = 1
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1  # RFC 7914: 32 MiB, about 0.1 s


class User(msgspec.Struct, frozen=True):
    """A person.

    Args:
        name: as written in facts.
        role: viewer, operator or engineer.
        salt: random bytes.
        digest: scrypt of the password.
        changed: when the password was set [s since 1970]; sessions from before are void.
        cost: scrypt's N, so that it may rise later.
    """

    name: str
    role: Role
    salt: bytes
    digest: bytes
    changed: float
    cost: int = _COST


class _File(msgspec.Struct, frozen=True):
    users: list[User]
    format: int = FORMAT


class Users:
    """The people in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}

    def all(self) -> dict[str, User]:
        """Give everybody by name; raises ConfigError where the file cannot be read."""
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            self._stamp, self._users = None, {}
            return self._users
        stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if stamp != self._stamp:
            self._users = {u.name: u for u in self._read().users}
            self._stamp = stamp
        return self._users

    def _read(self) -> _File:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError) as e:
            raise ConfigError(
                f"{self._file} cannot be read: {e}",
                code="users-file",
                remedy="restore it, or remove it and add the users again",
            ) from e

    def get(self, name: str) -> User | None:
        """Give a person, or none."""
        return self.all().get(name)

    def add(self, name: str, role: Role, password: str) -> User:
        """Add a person, or set the role and password of one; raises ConfigError for what cannot be."""
        check(name, role, password)
        salt = secrets.token_bytes(16)
        user = User(name, role, salt, _scrypt(password, salt, _COST), time.time())
        with self._changing() as users:
            users[name] = user
        return user

    def remove(self, name: str) -> None:
        """Remove a person; raises NotFoundError."""
        with self._changing() as users:
            if users.pop(name, None) is None:
                raise NotFoundError(f"no user {name!r}", remedy="gemel user list")

    def verify(self, name: str, password: str) -> User | None:
        """Give the person whose password this is, or none. Takes 0.1 s either way; call it in a thread."""
        user = self.get(name)
        salt, cost = (user.salt, user.cost) if user else (b"\0" * 16, _COST)  # who is unknown takes as long
        digest = _scrypt(password[: LONGEST + 1], salt, cost)
        return user if user and hmac.compare_digest(digest, user.digest) else None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, User]]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(self.all())
            yield users
            write_private(
                self._file, msgspec.json.encode(_File(sorted(users.values(), key=lambda u: u.name)))
            )


def check(name: str, role: str, password: str) -> None:
    """Raise ConfigError where a person cannot be added so."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise ConfigError(
            f"{name!r} cannot be a user's name",
            code="user-name",
            remedy="letters, digits, . _ @ -, at most 64, not 'gemel'",
        )
    if role not in ROLES:
        raise ConfigError(f"no role {role!r}", code="user-role", remedy=f"one of {', '.join(ROLES)}")
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(
            "the password is too short or too long",
            code="user-password",
            remedy=f"{SHORTEST} to {LONGEST} characters",
        )


def write_private(file: Path, data: bytes) -> None:
    """Replace a file at once and durably, readable by its owner only."""
    beside = file.with_name(f"{file.name}.{os.getpid()}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
    sync(file.parent)


def _scrypt(password: str, salt: bytes, cost: int) -> bytes:
    memory = 128 * cost * _BLOCK * _PARALLEL + (1 << 20)
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=cost, r=_BLOCK, p=_PARALLEL, maxmem=memory, dklen=32)
