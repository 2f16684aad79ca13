"""``WS /api/v1/live``: subscriptions in, value frames and events out."""

import asyncio
import contextlib
from typing import Any, Final

import msgspec
import numpy as np
import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from gemel.errors import GemelError
from gemel.serve import frames, problems
from gemel.serve.access import Gate, Person
from gemel.serve.clients import Client
from gemel.serve.hub import Hub
from gemel.serve.names import Names
from gemel.serve.watch import watching

router = APIRouter()
MOST_CLIENTS: Final = 500
MOST_SUBSCRIPTIONS: Final = 16
CHECK_S: Final = 5.0  # how often it is asked whether the person is still one
GONE: Final = 4401  # close codes from 4000 on are the application's (RFC 6455, 7.4.2)
PATH_CHARS: Final = 300


class _Asked(msgspec.Struct, tag_field="op", tag="subscribe"):
    id: int
    signals: list[str]


class _Ended(msgspec.Struct, tag_field="op", tag="unsubscribe"):
    id: int


class _Watched(msgspec.Struct, tag_field="op", tag="watch"):
    id: int
    when: str
    signals: list[str] = []
    assets: list[str] = []


class _Unwatched(msgspec.Struct, tag_field="op", tag="unwatch"):
    id: int


class _Ping(msgspec.Struct, tag_field="op", tag="ping"):
    pass


_Said = _Asked | _Ended | _Watched | _Unwatched | _Ping


class _FullError(GemelError):
    code = "too-many-clients"
    status = 503


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Show live values and events until the other side leaves."""
    gate: Gate = socket.app.state.gate
    hub: Hub = socket.app.state.hub
    try:
        person = await gate.who(socket)
        if len(hub) >= MOST_CLIENTS:
            raise _FullError(f"{MOST_CLIENTS} look already", remedy="close some pages")
    except GemelError as e:
        await socket.send_denial_response(problems.response(e))
        return
    await socket.accept()
    client = Client()
    hub.join(client)
    try:
        with contextlib.suppress(
            WebSocketDisconnect, RuntimeError
        ):  # RuntimeError: sent after the other side closed
            await _first_done(_read(socket, hub, client), _write(socket, gate, person, client))
    finally:
        hub.leave(client)


async def _first_done(*works: Any) -> None:
    tasks = [asyncio.ensure_future(w) for w in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(socket: WebSocket, hub: Hub, client: Client) -> None:
    while True:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            return
        try:
            asked = msgspec.json.decode(
                message.get("text") or message.get("bytes") or b"", type=_Said
            )
            _obey(asked, socket.app.state.names, hub, client)
        except (msgspec.MsgspecError, ValueError, RecursionError) as e:
            client.event(
                _event(
                    type="error",
                    code="invalid-request",
                    message=str(e),
                    remedy='send {"op":"subscribe","id":1,"signals":[…]}',
                )
            )


def _obey(asked: _Said, names: Names, hub: Hub, client: Client) -> None:
    if isinstance(asked, _Ping):
        client.event(_event(type="pong"))
        return
    if not 0 <= asked.id < MOST_SUBSCRIPTIONS:
        raise ValueError(f"id must be 0 to {MOST_SUBSCRIPTIONS - 1}")
    if isinstance(asked, _Ended):
        hub.unsubscribe(client, asked.id)
        return
    if isinstance(asked, _Unwatched):
        hub.watch(client, asked.id, None)
        return
    if isinstance(asked, _Watched):
        _watch(asked, names, hub, client)
        return
    if len(asked.signals) > frames.MOST:
        raise ValueError(f"at most {frames.MOST} signals")
    known, unknown = _resolve(asked.signals, names)
    wide = hub.subscribe(client, asked.id, np.array([n for _, n in known], dtype=np.int32))
    client.event(
        _event(
            type="subscribed",
            id=asked.id,
            signals=[p for p, _ in known],
            wide=wide.tolist(),
            unknown=[p[:PATH_CHARS] for p in unknown],
        )
    )
    hub.show(client, asked.id)


def _resolve(paths: list[str], names: Names) -> tuple[list[tuple[str, int]], list[str]]:
    known, unknown = [], []
    for path in paths:
        meant = names.meant(path)
        known += meant
        if not meant:
            unknown.append(path)
    if len(known) > frames.MOST:
        raise ValueError(f"at most {frames.MOST} signals")
    return known, unknown


def _watch(asked: _Watched, names: Names, hub: Hub, client: Client) -> None:
    """Begin to watch a condition; an expression that cannot be read is an event, not the end."""
    try:
        watch = watching(asked.when, asked.signals, asked.assets, names)
    except GemelError as e:
        client.event(_event(type="error", id=asked.id, code=e.code, message=e.message, remedy=e.remedy))
        return
    client.event(_event(type="watching", id=asked.id, members=len(watch.members)))
    hub.watch(client, asked.id, watch)


async def _write(socket: WebSocket, gate: Gate, person: Person, client: Client) -> None:
    clock = asyncio.get_running_loop()
    checked = clock.time()
    while True:
        while (item := client.take()) is not None:
            await (socket.send_text(item) if isinstance(item, str) else socket.send_bytes(item))
            if clock.time() - checked > CHECK_S:
                break
        if clock.time() - checked > CHECK_S:
            checked = clock.time()
            if not await _still(socket, gate, person):
                await socket.close(GONE, "the session is over")
                return
        await client.wait(CHECK_S)


async def _still(socket: WebSocket, gate: Gate, person: Person) -> bool:
    try:
        now = await gate.who(socket)
    except GemelError:
        return False
    return now.name == person.name


def _event(**event: Any) -> str:
    return orjson.dumps(event).decode()
