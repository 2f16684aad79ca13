"""How a question reaches whoever answers: over the network, or inside this process. The same questions either way."""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from gemel import errors
from gemel.errors import ConfigError, GemelError, NotFoundError, RefusedError, StorageError
from gemel.face.missing import HEADER, Missing, read_missing

PREFIX: Final = "/api/v1"
TIMEOUT_S: Final = 60
CHUNK: Final = 1 << 20


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer: its body, in pieces as they come, and what its head says of the body.

    Args:
        pieces: of the body.
        head: the headers, by name in small letters.
    """

    pieces: Iterator[bytes]
    head: Mapping[str, str]

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The spans in which readings were lost to damage; none: it lacks nothing."""
        return read_missing(self.head.get(HEADER, ""))


class Transport(Protocol):
    """Asks for what is under the API."""

    def get(self, path: str, query: Mapping[str, Any]) -> Answer:
        """Give the answer, its body in pieces; raises a GemelError where it is none."""

    def close(self) -> None:
        """Let go of whatever was opened."""


def target(path: str, query: Mapping[str, Any]) -> str:
    """Give the address of a question; what is None is left out.

    >>> target("/history", {"signal": ["a b"], "end": None, "alarm": True})
    '/api/v1/history?signal=a+b&alarm=true'
    """
    given = {k: str(v).lower() if isinstance(v, bool) else v for k, v in query.items() if v is not None}
    words = urllib.parse.urlencode(given, doseq=True)
    return PREFIX + urllib.parse.quote(path) + (f"?{words}" if words else "")


def refusal(status: int, body: bytes) -> GemelError:
    """Give the error that a problem document (RFC 9457) tells of."""
    try:
        told = json.loads(body)
        message, code, remedy = told["detail"], told["code"], told["remedy"]
    except (ValueError, KeyError, TypeError):
        message, code, remedy = f"the twin answers {status}", "storage", "see gemel doctor"
    kinds: dict[int, type[GemelError]] = {
        401: RefusedError, 403: RefusedError, 404: NotFoundError, 409: errors.ConflictError, 422: errors.AssetError, 429: RefusedError,
    }  # fmt: skip
    return kinds.get(status, StorageError)(message, code=code, remedy=remedy)


class Network:
    """Asks a running twin by its address.

    Args:
        url: such as ``https://twin.plant:8090``.
        user: who asks; None: a viewer, where the twin lets one look.
        password: theirs.
        ca: PEM file with the authority, or the very certificate, that the twin's must come from; None: the system's.
    """

    def __init__(
        self, url: str, user: str | None = None, password: str = "", ca: str | Path | None = None
    ) -> None:
        self._url = url.rstrip("/").removesuffix(PREFIX)
        self._headers = {}
        if user is not None:
            word = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {word}"
        self._tls = _tls(ca) if self._url.startswith("https:") else None

    def get(self, path: str, query: Mapping[str, Any]) -> Answer:
        """Give the answer, its body in pieces."""
        request = urllib.request.Request(self._url + target(path, query), headers=self._headers)  # noqa: S310 - http(s) only, by `open`
        try:
            answer = urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._tls)  # noqa: S310
        except urllib.error.HTTPError as e:
            with e:
                raise refusal(e.code, e.read()) from None
        except urllib.error.URLError as e:
            raise _unreached(self._url, e.reason) from e
        return Answer(self._pieces(answer), {name.lower(): text for name, text in answer.headers.items()})

    def _pieces(self, answer: Any) -> Iterator[bytes]:
        with answer:
            try:
                while piece := answer.read(CHUNK):
                    yield piece
            except (OSError, http.client.HTTPException) as e:
                raise _unreached(self._url, e) from e

    def close(self) -> None:
        """Nothing stays open."""


def _tls(ca: str | Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except OSError as e:
            raise ConfigError(f"{ca} is no certificate: {e}", code="tls", remedy="give a PEM file") from e
        context.verify_flags |= (
            ssl.VERIFY_X509_PARTIAL_CHAIN
        )  # a server's own certificate may be the one trusted
    return context


def _unreached(url: str, why: object) -> StorageError:
    if isinstance(why, ssl.SSLCertVerificationError):
        return StorageError(
            f"the certificate of {url} is not trusted: {why.verify_message}", code="twin-unreached",
            remedy="name its authority, or the certificate itself, with ca",
        )  # fmt: skip
    return StorageError(
        f"no twin answers at {url}: {why}",
        code="twin-unreached",
        remedy="is it running, and reachable from here?",
    )
