"""The station as a process: it lives at real time or faster, sends its readings, obeys its set-points.

station/<asset>/<signal>      {"value": number or word, "time": ISO 8601}     out
station/<asset>/set/<name>    {"value": number} or a number                   in: speed, position
station/faults/<fault>        1, 0, or {"on": true, "target": "pump-1/flow"}  in: see `faults`
station/state                 its state, retained: a station started again goes on from there
"""

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import Any, Final

import numpy as np
import orjson

from gemel.connect.mqtt.settings import MqttSettings
from gemel.samples.clock import SECOND
from gemel.testing.station.faults import Faults
from gemel.testing.station.link import StationLink
from gemel.testing.station.model import LONGEST_STEP_S, Station, step, truth
from gemel.testing.station.physics import Physics
from gemel.testing.station.sensors import WORDS, Sensors

STATE_TOPIC: Final = "station/state"
TOPICS: Final = ("station/+/set/+", "station/faults/+", STATE_TOPIC)
STATE_EVERY_S: Final = 5.0  # of the wall
REMEMBER_S: Final = 1.0  # how long a new station waits for the state of the former one


class StationProcess:
    """Lives and speaks.

    Args:
        settings: of the broker.
        speed: how many times faster than real time.
        rate_hz: readings of each signal per second of plant time, 1 to 10.
        seed: of noise and of the town's whims.
        start_s: plant time to begin at [s since 1970]; none: now, or where the former station stopped, if later.
        physics: which effects are on.
    """

    def __init__(
        self, settings: MqttSettings, *, speed: float = 1.0, rate_hz: float = 2.0, seed: int = 1,
        start_s: float | None = None, physics: Physics | None = None,
    ) -> None:  # fmt: skip
        self.faults = Faults()
        self.link = StationLink(settings, TOPICS, self._take)
        self.refused_orders = 0
        self._speed = speed
        self._step_ns = round(SECOND / rate_hz)
        self._rng = np.random.default_rng(seed)
        self._start_s = start_s
        self._physics = physics or Physics()
        self._station: Station | None = None
        self._former: asyncio.Event = asyncio.Event()
        self._orders: list[tuple[str, str, float]] = []

    async def run(self) -> None:
        """Live until cancelled."""
        await self.link.open()
        try:
            await self._begin()
            await self._live()
        finally:
            await self.link.close()

    async def _begin(self) -> None:
        if self._start_s is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._former.wait(), REMEMBER_S)
        now = self._start_s or time.time()
        if self._station is None:
            self._station = Station.at_rest(now, self._rng, physics=self._physics)
        self._station = replace(self._station, physics=self._physics)
        self._now_ns = round(max(now, self._station.time_s) * SECOND) // self._step_ns * self._step_ns
        self._signals = tuple(truth(self._station))
        self._sensors = Sensors.of(self._signals)
        self._held = self._true(self._station)

    async def _live(self) -> None:
        began, sent_state = time.monotonic(), 0.0
        plant_began = self._now_ns
        while True:
            due = plant_began + (time.monotonic() - began) * self._speed * SECOND
            while self._now_ns + self._step_ns <= due and not self.link.full:
                self._advance()
                self._send()
                await asyncio.sleep(0)
            if self.link.full:  # the broker is slower than we: the plant's time slips
                began, plant_began = time.monotonic(), self._now_ns
            if time.monotonic() - sent_state > STATE_EVERY_S:
                sent_state = time.monotonic()
                self.link.publish(STATE_TOPIC, orjson.dumps(self._now_station.to_json()), retain=True)
            self.link.flush()
            behind = (self._now_ns + self._step_ns - due) / SECOND / self._speed
            await asyncio.sleep(min(max(behind, 0.001), 0.05))

    @property
    def _now_station(self) -> Station:
        assert self._station is not None
        return self._station

    def _advance(self) -> None:
        station = self._now_station
        for asset, name, value in self._orders:
            station = station.ordered(asset, name, value)
        self._orders.clear()
        self._now_ns += self._step_ns
        now_s = self._now_ns / SECOND
        if now_s - station.time_s > 60.0:  # a station that was away goes on as it was left
            station = replace(station, time_s=now_s - LONGEST_STEP_S)
        while station.time_s < now_s - 1e-6:
            station = step(
                station, min(LONGEST_STEP_S, now_s - station.time_s), self._rng, self.faults.failing
            )
        self._station = station

    def _send(self) -> None:
        station = self._now_station
        self._held, shown = self._sensors.read(
            self._held, self._true(station), self._step_ns / SECOND, self._rng
        )
        shown = self.faults.strike(self._signals, shown, station.time_s, self._rng)
        for (asset, signal), value in zip(self._signals, shown.tolist(), strict=True):
            words = WORDS.get(signal)
            at = np.datetime64(self._now_ns + self.faults.clock_offset(asset), "ns")
            body = {"value": words[int(value)] if words else round(value, 4), "time": f"{at}Z"}
            self.link.publish(f"station/{asset}/{signal}", orjson.dumps(body))

    def _true(self, station: Station) -> Any:
        return np.array(list(truth(station).values()))

    # What comes in

    def _take(self, topic: str, payload: bytes) -> None:
        levels = topic.split("/")
        try:
            said: Any = orjson.loads(payload) if payload else None
            if topic == STATE_TOPIC:
                self._remember(said)
            elif levels[1] == "faults":
                self._switch(levels[2], said)
            else:
                value = float(said["value"] if isinstance(said, dict) else said)
                if np.isfinite(value):
                    self._orders.append((levels[1], levels[3], value))
        except (ValueError, KeyError, TypeError):
            self.refused_orders += 1

    def _remember(self, said: Any) -> None:
        if self._station is None and self._start_s is None and said is not None:
            self._station = Station.from_json(said)
            self._former.set()

    def _switch(self, name: str, said: Any) -> None:
        if isinstance(said, dict):
            self.faults.switch(name, bool(said["on"]), said.get("target"))
        else:
            self.faults.switch(name, bool(said))
