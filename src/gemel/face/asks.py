"""A twin as something to be asked: how a question becomes an answer, and an answer a table."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, Self

import orjson
import pyarrow as pa

from gemel.assets import Plant
from gemel.errors import ConfigError
from gemel.face.instants import Instant, Span, instant, span
from gemel.face.table import Table
from gemel.face.transport import Transport
from gemel.samples import Registry

PAGE: Final = 1000
Paths = str | Sequence[str]


class Site(Protocol):
    """What is in force; a changed plant file takes the former one's place while one looks."""

    @property
    def plant(self) -> Plant:
        """The plant file."""

    @property
    def registry(self) -> Registry:
        """The numbers of its signals."""


class Asks:
    """Whatever is asked, of whomever.

    Args:
        transport: how a question gets there.
        site: what is in force; None: only an address is known.
    """

    def __init__(self, transport: Transport, site: Site | None = None) -> None:
        self._transport = transport
        self._site = site

    @property
    def plant(self) -> Plant:
        """The plant file in force; raises ConfigError where only an address is known."""
        if self._site is None:
            raise ConfigError(
                "a twin by its address does not give its plant file",
                remedy="open the plant's folder for this",
            )
        return self._site.plant

    @property
    def now(self) -> int:
        """The plant's time [ns]: of a twin that does not run, that of its newest reading; 0: there is none."""
        told = self._json("/health")["plant_time"]
        return 0 if told is None else int(times([told]).cast(pa.int64())[0].as_py())

    @property
    def registry(self) -> Registry:
        """The numbers of the signals in a data directory; a plant file's own, where there is none."""
        return self.plant.registry() if self._site is None else self._site.registry

    def close(self) -> None:
        """Let go of the data; a second call does nothing."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- asking

    def _json(self, path: str, **query: Any) -> Any:
        return orjson.loads(b"".join(self._transport.get(path, query)))

    def _table(self, path: str, **query: Any) -> Table:
        answer = self._transport.get(path, {**query, "format": "arrow"})
        return Table(pa.ipc.open_stream(b"".join(answer)).read_all(), missing=answer.missing)

    def _pages(self, path: str, limit: int | None, **query: Any) -> Iterator[dict[str, Any]]:
        left = limit
        while left is None or left > 0:
            page = self._json(path, limit=PAGE if left is None else min(PAGE, left), **query)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            if page["next"] is None:
                return
            query["after"] = page["next"]


def at_text(given: Instant | None) -> str | None:
    """Write a time as the API takes it."""
    return None if given is None else instant(given)


def span_text(given: Span | None) -> str | None:
    """Write a span as the API takes it."""
    return None if given is None else span(given)


def times(texts: Sequence[str | None]) -> pa.Array:
    """Read times as the API writes them, as an Arrow column."""
    return pa.array(texts, pa.string()).cast(pa.timestamp("ns", "UTC"))
