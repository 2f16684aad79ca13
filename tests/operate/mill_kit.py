"""A mill whose wear is a state of its model: what what-ifs begin with, and what of it may be changed."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from gemel.assets import load
from gemel.dynamics import Quantity

ASSET = "acme/works/mill"
PLANT = """\
plant: acme/works
types:
  Mill:
    dynamics: mill_kit:Mill
    signals:
      load: {unit: "%", range: [0, 200]}
      wear: {unit: "%", range: [0, 100]}
    parameters:
      rate: {unit: 1/h, default: 0.36, calibrate: true}
      drag: {unit: "1", default: 2, calibrate: true}
      hold: {unit: "1", default: 0, calibrate: true}
      ratio: {unit: "%", default: 100, accuracy: 3 %}
assets: {mill: {type: Mill}}
"""


class Mill:
    """Wears by its load."""

    states = {"wear": Quantity("1", 0.0, low=0.0, high=1.0), "heat": Quantity("K", 300.0)}
    inputs = {"load": Quantity("1", 1.0)}
    outputs = {"play": Quantity("1")}
    parameters = {"rate": Quantity("1/s", 1e-4, low=0.0), "drag": Quantity("1", 2.0, low=0.0), "hold": Quantity("1", 0.0), "ratio": Quantity("1", 1.0)}

    def derivative(self, t, x, u, p):
        return {"wear": p.rate * u.load * (p.drag / 2.0) * (1.0 + p.hold) * p.ratio, "heat": 0.0 * u.load}

    def output(self, t, x, u, p):
        return {"play": 2.0 * x.wear}


@contextmanager
def loaded(folder, text=PLANT):
    """Give the plant of a folder, while its model can be found by processes too."""
    (folder / "plant.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=":")
        yield load(folder)
