"""The machines that come with gemel, one a file: equations, validity and reference in each docstring.

Every one is an ordinary dynamic model: it can be named in a plant file (``gemel.dynamics.components:Tank``), free-run,
fitted, or taken as the pattern of one's own. Numbers are in coherent SI units, temperatures in kelvin, pressures in
pascal above the atmosphere, angles in radians.
"""

from gemel.dynamics.components.bearing import RollingBearing
from gemel.dynamics.components.cascaded_tanks import CascadedTanks
from gemel.dynamics.components.cell import LithiumCell
from gemel.dynamics.components.dosing import DosingPump
from gemel.dynamics.components.exchanger import HeatExchanger
from gemel.dynamics.components.motor import InductionMotor
from gemel.dynamics.components.pid import PidController
from gemel.dynamics.components.pipe import Pipe, SteadyPipe
from gemel.dynamics.components.pump import CentrifugalPump
from gemel.dynamics.components.pump_set import PumpSet
from gemel.dynamics.components.room import Room
from gemel.dynamics.components.tank import Tank
from gemel.dynamics.components.valve import ControlValve

__all__ = [
    "CascadedTanks",
    "CentrifugalPump",
    "ControlValve",
    "DosingPump",
    "HeatExchanger",
    "InductionMotor",
    "LithiumCell",
    "PidController",
    "Pipe",
    "PumpSet",
    "RollingBearing",
    "Room",
    "SteadyPipe",
    "Tank",
]
