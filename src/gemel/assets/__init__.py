"""What exists and what may be said of it: the plant file, read, checked, and turned into columns.

Directory -> load -> Plant -> registry, checks, sources, alarms, commands, views
"""

from gemel.assets.checks import Checks
from gemel.assets.commands import Commands
from gemel.assets.derivations import Derivations
from gemel.assets.derive import Sources
from gemel.assets.find import WHERE, Condition, Found, Live, Query, find
from gemel.assets.fleet import Fleet
from gemel.assets.graph import Graph
from gemel.assets.limits import DEVIATION, AlarmLimit, AlarmLimits, deviation
from gemel.assets.loader import check, load
from gemel.assets.notices import Notice
from gemel.assets.pairs import Pairs
from gemel.assets.plant import Plant
from gemel.assets.problem import Problem
from gemel.assets.rules import EventRules
from gemel.assets.schema import schema
from gemel.assets.spec import CommandSpec, Connection, Signal
from gemel.assets.sync import Sync, by_event_only
from gemel.assets.views import AssetView, SignalView
from gemel.assets.volume import Volume
from gemel.sealing.secrets import secret

__all__ = [
    "DEVIATION",
    "WHERE",
    "AlarmLimit",
    "AlarmLimits",
    "AssetView",
    "Checks",
    "CommandSpec",
    "Commands",
    "Condition",
    "Connection",
    "Derivations",
    "EventRules",
    "Fleet",
    "Found",
    "Graph",
    "Live",
    "Notice",
    "Pairs",
    "Plant",
    "Problem",
    "Query",
    "Signal",
    "SignalView",
    "Sources",
    "Sync",
    "Volume",
    "by_event_only",
    "check",
    "deviation",
    "find",
    "load",
    "schema",
    "secret",
]
