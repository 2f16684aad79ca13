"""A paho client on the event loop: dials, reads and writes when the socket is ready, reconnects by itself.

socket ready -> BufferedSocket.fill -> paho.loop_read -> Listener.message …   all on one thread
only the dialling itself (name look-up, TCP, TLS) runs on a thread, for paho does it blocking.
"""

import asyncio
import contextlib
import ssl
from random import Random
from typing import Any, Final, Protocol

from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gemel.connect.contract import State
from gemel.connect.mqtt.settings import MqttSettings, tls_context
from gemel.connect.mqtt.wire import BufferedClient, BufferedSocket
from gemel.connect.reconnect import Dial, Event, HangUp, Instruction, Line, Wait, step
from gemel.errors import GemelError
from gemel.samples import Clock, WallClock

DIAL_S: Final = 3.0  # TCP and TLS
CONNACK_S: Final = 10.0  # the broker's word
MISC_S: Final = 1.0  # keepalive is looked after this often


class Listener(Protocol):
    """Who is told what the broker says. Called on the event loop; must not block."""

    def on_connected(self, *, session_present: bool, properties: Properties | None) -> None:
        """The broker took us; it kept our session, or it did not."""

    def on_lost(self) -> None:
        """The line is gone; the session tries again by itself."""

    def on_message(self, message: MQTTMessage) -> None:
        """A PUBLISH came."""

    def on_published(self, mid: int, reason: ReasonCode) -> None:
        """The broker acknowledged what we published under this id."""


class MqttSession:
    """One connection to a broker, kept alive.

    Args:
        settings: where and how.
        listener: who is told.
        clean: forget the session at the broker when leaving (a publisher), or keep it (a reader).
        random: draws the waits between tries.
        clock: dates the changes of state.

    """

    def __init__(
        self,
        settings: MqttSettings,
        listener: Listener,
        *,
        clean: bool,
        random: Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.line = Line()
        self.error: str | None = None
        self._clock = clock or WallClock()
        self.since = self._clock.now()
        self._listener = listener
        self._clean = clean
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing
        self._timer: asyncio.TimerHandle | None = None
        self._sock: BufferedSocket | None = None
        self._paused = False
        self._leaving = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._connack: asyncio.Future[None] | None = None
        self._asked: set[int] = set()  # subscriptions that the broker has not acknowledged, by packet
        self._listening = False
        self.client = _client(settings, clean=clean)
        self._wire_callbacks()

    async def open(self) -> None:
        """Start dialling; returns at once. Raises ConnectError where certificates cannot be read."""
        self._loop = asyncio.get_running_loop()
        if self.settings.tls:
            self.client.context = tls_context(self.settings)
        expiry = 0 if self._clean else self.settings.session_expiry_s
        extra: dict[str, Any] = {"clean_start": self._clean, "properties": _connect(self.settings, expiry)}
        where = (self.settings.host, self.settings.port, self.settings.keepalive_s)
        self.client.connect_async(*where, **(extra if self.settings.level == 5 else {}))
        self._feed("opened")
        self._start(self._look_after())

    async def close(self) -> None:
        """Say goodbye and leave, within a second (a dial under way may hold its thread for DIAL_S)."""
        self._leaving = True
        self._feed("closed")
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us and the line stands."""
        return self.line.state == "connected" and self._sock is not None

    @property
    def state(self) -> State:
        """How the line stands; connected only when the broker has acknowledged what is subscribed to: what is sent before meets nobody."""
        return "connecting" if self.connected and not self._listening else self.line.state

    def subscribe(self, packet: Any) -> None:
        """Subscribe to the topics of one packet."""
        _, number = self.client.subscribe(packet)
        if number is not None:
            self._asked.add(number)

    def send(self) -> None:
        """Put on the wire what was published or acknowledged since; call once after many."""
        sock = self._sock
        if sock is None:
            return
        self.client.loop_write()
        if self._sock is not sock:  # a DISCONNECT closes it
            return
        if sock.flush() and not self.client.want_write():
            self._loop.remove_writer(sock.fileno())
        else:
            self._loop.add_writer(sock.fileno(), self.send)

    def pause(self) -> None:
        """Stop taking from the socket: the broker feels it and holds back."""
        if self._sock is not None and not self._paused:
            self._loop.remove_reader(self._sock.fileno())
        self._paused = True

    def resume(self) -> None:
        """Take from the socket again."""
        if self._paused and self._sock is not None:
            self._loop.add_reader(self._sock.fileno(), self._readable)
            self._loop.call_soon(self._readable)
        self._paused = False

    # The state machine's shell

    def _feed(self, event: Event) -> None:
        before = self.line
        self.line, instructions = step(before, event, self._random)
        if self.line.state != before.state:
            self.since = self._clock.now()
        for instruction in instructions:
            self._do(instruction)

    def _do(self, instruction: Instruction) -> None:
        match instruction:
            case Dial():
                self._start(self._dial())
            case Wait(seconds):
                self._timer = self._loop.call_later(seconds, self._feed, "waited")
            case HangUp():
                with contextlib.suppress(OSError, ValueError):
                    self.client.disconnect()
                    self.send()
                if self._sock is not None:
                    self._sock.end()
                    self.client.loop_read()

    async def _dial(self) -> None:
        self._connack = self._loop.create_future()
        try:
            await asyncio.to_thread(self.client.reconnect)
            sock = self.client.socket()
            if not isinstance(sock, BufferedSocket):
                raise ConnectionError("the connection was given up")
            self._sock = sock
            self._paused = False
            self._loop.add_reader(sock.fileno(), self._readable)
            self.send()
            await asyncio.wait_for(self._connack, CONNACK_S)
        except (OSError, ValueError, ssl.SSLError, TimeoutError, GemelError) as why:
            self.error = f"{self.settings.host}:{self.settings.port}: {str(why) or type(why).__name__}"
            if self._sock is not None:
                self._sock.end()
                self.client.loop_read()
            self._feed("failed")

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(MISC_S)
            if self._sock is not None and not self._paused:
                self.client.loop_misc()
                self.send()

    def _readable(self) -> None:
        sock = self._sock
        if sock is None or self._paused:
            return
        if not sock.pending:
            sock.fill()
        while sock.pending and not self._paused:
            self.client.loop_read()
            if self._sock is not sock:
                return
        if self.client.want_write() or sock.unsent:
            self.send()
        if sock.hidden:
            self._loop.call_soon(self._readable)

    # What paho calls

    def _wire_callbacks(self) -> None:
        client = self.client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda _client, _data, message: self._listener.on_message(message)
        client.on_publish = lambda _client, _data, mid, reason, _properties: self._listener.on_published(
            mid, reason
        )
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = _nothing  # it stops paho from sending each packet by itself
        client.on_socket_unregister_write = _nothing

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if self._connack is None or self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(ConnectionError(f"the broker refused: {reason}"))
            return
        self._connack.set_result(None)
        self.error = None
        self._feed("connected")
        self._asked.clear()
        self._listener.on_connected(session_present=bool(flags.session_present), properties=properties)
        self._listening = flags.session_present or not self._asked  # a kept session has its subscriptions

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._connack is not None and not self._connack.done():
            self._connack.set_exception(ConnectionError(f"the line was cut: {reason}"))
            return
        if not self._leaving:
            self.error = (
                self.error or f"{self.settings.host}:{self.settings.port}: the line was cut: {reason}"
            )
        self._feed("lost")
        self._listener.on_lost()

    def _on_subscribe(
        self, _client: Any, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        self._asked.discard(mid)
        self._listening = self._listening or not self._asked
        refused = [r for r in reasons if r.is_failure]
        if refused:
            self.error = f"the broker refused {len(refused)} of {len(reasons)} subscriptions: {refused[0]}"

    def _on_socket_open(self, _client: Any, _data: Any, sock: Any) -> None:
        if self._leaving:
            sock.close()

    def _on_socket_close(self, _client: Any, _data: Any, sock: Any) -> None:
        if isinstance(sock, BufferedSocket) and self._sock is sock:
            self._sock = None
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())

    def _start(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _nothing(*_: Any) -> None: ...


def _client(settings: MqttSettings, *, clean: bool) -> BufferedClient:
    v5 = settings.level == 5
    client = BufferedClient(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        clean_session=None if v5 else clean,
        protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = DIAL_S
    client.max_inflight_messages_set(0)  # whoever publishes bounds what is under way
    if settings.user is not None:
        client.username_pw_set(settings.user, settings.password)
    return client


def _connect(settings: MqttSettings, expiry_s: int) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = settings.receive_maximum
    properties.SessionExpiryInterval = expiry_s
    return properties
