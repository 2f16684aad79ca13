"""Models from other tools: FMI 2 and 3, co-simulation and model exchange, through FMPy, each run in a child process.

`fmu(path)` gives a dynamic model of which `gemel.dynamics.solve.solve` knows how to run it. It cannot be traced: it is
run, not differentiated. A machine's code is foreign: whatever it does (a crash, an endless loop, all memory) ends in a
`Solution` that says so.
"""

from gemel.operate.fmi.host import Limits
from gemel.operate.fmi.model import FmuModel, fmu

__all__ = ["FmuModel", "Limits", "fmu"]
