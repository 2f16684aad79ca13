"""Models that FMUs are built of (FMI 3), each alone in its file when built."""

TANK = '''
from pythonfmu3 import Fmi3Causality, Fmi3Slave, Fmi3Variability, Float64

class TankFmu(Fmi3Slave):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.time, self.inflow, self.level, self.area, self.outflow = 0.0, 0.01, 1.0, 2.0, 0.01
        self.register_variable(Float64("time", causality=Fmi3Causality.independent, variability=Fmi3Variability.continuous))
        self.register_variable(Float64("inflow", causality=Fmi3Causality.input, start=0.01))
        self.register_variable(Float64("area", causality=Fmi3Causality.parameter, variability=Fmi3Variability.tunable, start=2.0))
        self.register_variable(Float64("level", causality=Fmi3Causality.output))
        self.register_variable(Float64("outflow", causality=Fmi3Causality.output))

    def do_step(self, current_time, step_size):
        for _ in range(10):
            self.outflow = 0.01 * self.level ** 0.5
            self.level += step_size / 10 * (self.inflow - self.outflow) / self.area
        return True
'''

DECAY = '''
from pythonfmu3 import Fmi3Causality, Fmi3Initial, Fmi3SlaveBase, Fmi3Variability, Float64, ModelExchange

class DecayFmu(Fmi3SlaveBase, ModelExchange):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.time, self.k, self.x, self.derx = 0.0, 0.5, 1.0, 0.0
        self.register_variable(Float64("time", causality=Fmi3Causality.independent, variability=Fmi3Variability.continuous))
        self.register_variable(Float64("x", causality=Fmi3Causality.output, start=1, variability=Fmi3Variability.continuous, initial=Fmi3Initial.exact))
        self.register_variable(Float64("derx", causality=Fmi3Causality.local, variability=Fmi3Variability.continuous, derivative=1))
        self.register_variable(Float64("k", causality=Fmi3Causality.parameter, variability=Fmi3Variability.fixed, start=0.5))

    def get_continuous_state_derivatives(self):
        self.derx = -self.k * self.x
        return [self.derx]
'''

MISBEHAVING = '''
from pythonfmu3 import Fmi3Causality, Fmi3Slave, Fmi3Variability, Float64

class BadFmu(Fmi3Slave):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.time, self.mode, self.y = 0.0, 0.0, 0.0
        self.register_variable(Float64("time", causality=Fmi3Causality.independent, variability=Fmi3Variability.continuous))
        self.register_variable(Float64("mode", causality=Fmi3Causality.input, start=0.0))
        self.register_variable(Float64("y", causality=Fmi3Causality.output))

    def do_step(self, current_time, step_size):
        print("whatever it prints must not be taken for its answer")
        if self.mode == 1.0:
            import os, signal
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.mode == 2.0:
            while True:
                pass
        if self.mode == 3.0:
            self.held = bytearray(10**12)
        self.y = current_time
        return True
'''

WORN = '''
from math import exp
from pythonfmu3 import Fmi3Causality, Fmi3Initial, Fmi3Slave, Fmi3Variability, Float64

class WornFmu(Fmi3Slave):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.time, self.drive, self.speed, self.wear, self.pace = 0.0, 100.0, 100.0, 0.0, 1e-10
        exact = dict(causality=Fmi3Causality.output, variability=Fmi3Variability.continuous, initial=Fmi3Initial.exact)
        self.register_variable(Float64("time", causality=Fmi3Causality.independent, variability=Fmi3Variability.continuous))
        self.register_variable(Float64("drive", causality=Fmi3Causality.input, start=100.0))
        self.register_variable(Float64("speed", start=100.0, **exact))
        self.register_variable(Float64("wear", start=0.0, **exact))
        self.register_variable(Float64("pace", causality=Fmi3Causality.parameter, variability=Fmi3Variability.fixed, start=1e-10))

    def do_step(self, current_time, step_size):
        self.speed = self.drive + (self.speed - self.drive) * exp(-step_size / 30.0)
        self.wear += step_size * self.pace * self.speed ** 2 * (1.0 + 4.0 * self.wear)
        return True
'''
