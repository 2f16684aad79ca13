"""Sessions: a random token in a cookie; only its hash is kept, in memory and in a file that outlives a restart."""

import hashlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from gemel.serve.users import User, Users, write_private

LIFE_S: Final = 12 * 3600.0  # a shift
MOST: Final = 1000
MOST_OF_ONE: Final = 20


class Session(msgspec.Struct, frozen=True):
    """A logged-in person; the token itself is not kept."""

    user: str
    csrf: str
    made: float
    expires: float


class Sessions:
    """The sessions, by the hash of their token."""

    def __init__(self, file: Path, users: Users, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._users = users
        self._now = now
        self._by_hash = self._load()

    def _load(self) -> dict[str, Session]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Session])
        except (OSError, msgspec.MsgspecError):
            return {}  # the worst that a lost file does is that people log in again

    def open(self, user: User) -> tuple[str, Session]:
        """Start a session; give the token for the cookie."""
        now = self._now()
        live = {h: s for h, s in self._by_hash.items() if s.expires > now}
        mine = [h for h, s in live.items() if s.user == user.name]
        for old in [
            *mine[: max(len(mine) - MOST_OF_ONE + 1, 0)],
            *list(live)[: max(len(live) - MOST + 1, 0)],
        ]:
            live.pop(old, None)
        token = secrets.token_urlsafe(32)
        session = Session(user.name, secrets.token_urlsafe(24), now, now + LIFE_S)
        self._by_hash = {**live, _hash(token): session}
        self._save()
        return token, session

    def find(self, token: str) -> tuple[User, Session] | None:
        """Give whose session it is, or none: unknown, over, or the password was set anew since."""
        session = self._by_hash.get(_hash(token))
        if session is None or session.expires <= self._now():
            return None
        user = self._users.get(session.user)
        return (user, session) if user and user.changed <= session.made else None

    def close(self, token: str) -> None:
        """End a session."""
        if self._by_hash.pop(_hash(token), None):
            self._save()

    def _save(self) -> None:
        write_private(self._file, msgspec.json.encode(self._by_hash))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
