"""Assets (provisional)."""
from gemel.assets.checks import Checks
from gemel.assets.plant import AlarmLimit, AssetView, Plant, SignalView, Sources, check, load, secret
from gemel.assets.problem import Problem
from gemel.assets.spec import CommandSpec, Connection, Signal
