"""The station as one step: set-points and faults in, the true values of its 46 signals out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import numpy as np

from gemel.testing.station.physics import Physics
from gemel.testing.station.pump import Around, PumpSet, step_pump
from gemel.testing.station.water import BAR_PER_M, Moment, Water, ambient, step_water

NORMAL: Final = {
    "pump-1": PumpSet(2330.0, 2330.0),
    "pump-2": PumpSet(2360.0, 2360.0, wear=0.02),
}  # the older one
LONGEST_STEP_S: Final = 2.0
SUCTION_BAR: Final = 0.38
SUCTION_LOSS: Final = 1.2e-5  # bar per (m3/h)^2 of both pumps together

Signal = tuple[str, str]  # asset, signal


@dataclass(frozen=True, slots=True)
class Station:
    """The state of the plant at a time [s since 1970]."""

    time_s: float
    pumps: Mapping[str, PumpSet] = field(default_factory=lambda: dict(NORMAL))
    water: Water = field(default_factory=Water)
    physics: Physics = field(default_factory=Physics)
    warmer_c: float = 0.0  # the air than the season has it
    screen: float = 0.0  # fouling of the sump's screen: its loss is so many times more

    @staticmethod
    def at_rest(
        time_s: float, rng: np.random.Generator, hours: float = 3.0, physics: Physics | None = None
    ) -> "Station":
        """Make a station that has run for some hours, so that nothing is still warming up."""
        station = Station(time_s - hours * 3600.0, physics=physics or Physics())
        while station.time_s < time_s:
            station = step(station, min(LONGEST_STEP_S, time_s - station.time_s), rng)
        return station

    def ordered(self, asset: str, name: str, value: float) -> Self:
        """Give the station with a set-point changed, held within what the device takes; unknown ones change nothing."""
        if asset in self.pumps and name == "speed":
            pump = replace(self.pumps[asset], setpoint_rpm=min(max(value, 0.0), 3000.0))
            return replace(self, pumps={**self.pumps, asset: pump})
        if asset == "valve-1" and name == "position":
            return replace(self, water=replace(self.water, position_setpoint=min(max(value, 0.0), 100.0)))
        return self

    def to_json(self) -> dict[str, Any]:
        """Give the state as plain JSON values."""
        pumps = {name: _plain(pump) for name, pump in self.pumps.items()}
        return {
            "time_s": self.time_s, "pumps": pumps, "water": _plain(self.water), "physics": _plain(self.physics),
            "warmer_c": self.warmer_c, "screen": self.screen,
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the state; raises KeyError or TypeError where it is none."""
        pumps = {name: PumpSet(**stored["pumps"][name]) for name in NORMAL}
        physics = Physics(**stored.get("physics", {}))
        warmer, screen = (float(stored.get(name, 0.0)) for name in ("warmer_c", "screen"))
        return cls(float(stored["time_s"]), pumps, Water(**stored["water"]), physics, warmer, screen)


def step(
    station: Station, seconds: float, rng: np.random.Generator, failing: frozenset[str] = frozenset()
) -> Station:
    """Advance the plant; `failing` names the pumps whose bearing is failing."""
    around = Around(station.water.lift_m, air(station), station.water.temperature_c, _suction(station))
    pumps = {
        name: step_pump(pump, around, seconds, station.physics, failing=name in failing)
        for name, pump in station.pumps.items()
    }
    inflow = sum(pump.flow_m3h for pump in pumps.values())
    moment = Moment(station.time_s, seconds, station.physics, station.warmer_c)
    water = step_water(station.water, inflow, moment, float(rng.standard_normal()))
    return replace(station, time_s=station.time_s + seconds, pumps=pumps, water=water)


def truth(station: Station) -> dict[Signal, float]:
    """Give the true value of every signal, in the units of the plant file; states as codes."""
    inflow = sum(pump.flow_m3h for pump in station.pumps.values())
    suction = _suction(station)
    values: dict[Signal, float] = {}
    for name, pump in station.pumps.items():
        shown = {**_pump_values(pump, suction), **_around_values(station, suction)}
        values.update({(name, signal): value for signal, value in shown.items()})
    values.update({(asset, signal): value for asset, signal, value in _water_values(station.water, inflow)})
    return values


def air(station: Station) -> float:
    """Give the temperature in the pump house [degC]."""
    return ambient(station.time_s) + station.warmer_c


def _suction(station: Station) -> float:
    inflow = sum(pump.flow_m3h for pump in station.pumps.values())
    return SUCTION_BAR - SUCTION_LOSS * (1.0 + station.screen) * inflow**2


def _around_values(station: Station, suction_bar: float) -> dict[str, float]:
    """Give what instruments beside a pump set show: at the end of its riser, in the water, in the air."""
    return {
        "outlet_pressure": suction_bar + station.water.lift_m * BAR_PER_M,
        "water_temperature": station.water.temperature_c,
        "ambient_temperature": air(station),
    }


def _pump_values(pump: PumpSet, suction_bar: float) -> dict[str, float]:
    return {
        "speed_setpoint": pump.setpoint_rpm,
        "speed": pump.speed_rpm,
        "running": float(pump.speed_rpm > 50.0),
        "flow": pump.flow_m3h,
        "suction_pressure": suction_bar,
        "discharge_pressure": suction_bar + pump.head_m * BAR_PER_M,
        "power": pump.power_kw,
        "current": pump.current_a,
        "torque": pump.torque_nm,
        "energy": pump.energy_kwh,
        "motor_temperature": pump.motor_c,
        "drive_temperature": pump.drive_c,
        "bearing_temperature": pump.bearing_c,
        "vibration": pump.vibration_mms,
    }


def _water_values(water: Water, inflow_m3h: float) -> list[tuple[str, str, float]]:
    return [
        ("tank-1", "level", water.level_m),
        ("tank-1", "inflow", inflow_m3h),
        ("tank-1", "outflow", water.outflow_m3h),
        ("tank-1", "temperature", water.temperature_c),
        ("tank-1", "overflow", float(water.spill_m3h > 0.0)),
        ("valve-1", "position_setpoint", water.position_setpoint),
        ("valve-1", "position", water.position),
        ("valve-1", "flow", water.outflow_m3h),
        ("valve-1", "pressure_drop", water.drop_m * BAR_PER_M),
        ("demand-1", "flow", water.outflow_m3h),
        ("demand-1", "pressure", water.town_m * BAR_PER_M),
        ("demand-1", "volume", water.volume_m3),
    ]


def _plain(state: PumpSet | Water | Physics) -> dict[str, float]:
    return {name: getattr(state, name) for name in type(state).__dataclass_fields__}
