"""A pump whose wheel wears by its load, faster than its law says: its plant file, its month, and the truth of it."""

import numpy as np

ASSET = "acme/works/hall/pump-1"
PLANT = """plant: acme/works
clock: data
types:
  Pump:
    signals:
      speed: {unit: rpm, interval: 1 h, stale_after: 3 h}
      head_loss: {unit: "%", interval: 1 h, stale_after: 3 h, accuracy: 0.3 %}
    parameters: {rated_speed: {unit: rpm, default: 2900}}
    degradation:
      wheel:
        rate: 2e-4 * (speed / rated_speed)^3 / 1 h
        indicator: head_loss
        threshold: 20 %
        drives: {load: speed}
        maintenance: {overhaul: 0 %}
        warning: {within: 30 d, probability: 50 %, response: plan an overhaul}
assets: {pump-1: {type: Pump, at: hall}}
"""
START = np.datetime64("2026-01-01T00:00:00")
DAYS = 30
PACE = 1.4  # of the law: it fails some days later


def lived():
    rng, hours = np.random.default_rng(4), DAYS * 24
    speed = np.where(np.arange(hours) % 24 < 16, 2900.0, 2300.0) + 10 * rng.standard_normal(hours)
    wear = 1.0 + np.cumsum(100 * PACE * 2e-4 * (speed / 2900.0) ** 3)
    return speed, wear, wear + 0.15 * rng.standard_normal(hours)


def post(face):
    """Give a twin the month, hour by hour."""
    speed, _, shown = lived()
    rows = []
    for i in range(len(speed)):
        at = f"{START + np.timedelta64(i, 'h')}Z"
        rows += [{"signal": f"{ASSET}/{n}", "time": at, "value": float(v)} for n, v in (("speed", speed[i]), ("head_loss", shown[i]))]
    for first in range(0, len(rows), 480):
        assert face.post_rows(rows[first : first + 480])[0] == 200


def remaining_d(at):
    """The truth at a time, if it goes on as in the last days."""
    _, wear, _ = lived()
    ahead = (np.datetime64(f"{START + np.timedelta64(DAYS, 'D')}") - np.datetime64(at.removesuffix("Z")[:19])) / np.timedelta64(1, "D")
    return (20.0 - wear[-1]) / (wear[-1] - wear[-24 * 10 - 1]) * 10 + ahead


def foretold(face):
    """Whether the newest prognosis is of the end of the month."""
    return (face.shown(ASSET)["wheel_life"]["time"] or "") > str(START + np.timedelta64(DAYS * 24 - 3, "h"))
