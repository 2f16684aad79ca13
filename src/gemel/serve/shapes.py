"""An asset as the API tells it."""

from typing import Any

from gemel.assets import AssetView, CommandSpec, SignalView
from gemel.samples.clock import SECOND

LEVELS = ("high", "high_high", "low", "low_low")


def asset_shape(view: AssetView) -> dict[str, Any]:
    """Give all that may be said of an asset, as plain JSON values."""
    return {
        "path": view.path, "name": view.name, "title": view.title, "type": view.type, "at": view.at, "parent": view.parent,
        "description": view.description,
        "parameters": {name: dict(p) for name, p in view.parameters.items()},
        "relations": [{"from": a, "kind": kind, "to": b} for a, kind, b in view.relations],
        "signals": [signal_shape(s) for s in view.signals],
        "commands": [command_shape(c) for c in view.commands],
    }  # fmt: skip


def signal_shape(view: SignalView) -> dict[str, Any]:
    """Give a signal and its context."""
    return {
        "path": view.path, "name": view.name, "unit": view.unit, "kind": view.kind, "states": list(view.states),
        "range": view.range, "normal": view.normal, "interval_s": view.interval_s, "stale_after_s": view.stale_after_s,
        "description": view.description, "prognosis": view.spec.prognosis or None,
        "alarm": {level: view.alarm.get(level) for level in LEVELS} if view.alarm else None,
    }  # fmt: skip


def command_shape(spec: CommandSpec) -> dict[str, Any]:
    """Give what an asset can be told."""
    return {
        "name": spec.name, "unit": spec.unit, "low": spec.low, "high": spec.high, "max_rate_per_s": spec.max_rate_per_s,
        "approval": spec.approval, "sets": spec.sets, "read_back": spec.read_back, "tolerance": spec.tolerance,
        "timeout_s": spec.timeout_ns / SECOND, "rests_on": list(spec.rests_on), "wired": spec.wired, "description": spec.description,
    }  # fmt: skip
