"""A station whose type has a dynamic model: what what-ifs are asked about, seen from outside and on the page."""

ASSET = "acme/station/hall/lift"
PLANT = """\
plant: acme/station
types:
  Station:
    dynamics: gemel.bench.station:Station
    signals:
      demand: {unit: m3/h, range: [0, 500]}
      ambient: {unit: degC, range: [-30, 60]}
      level: {unit: m, range: [0, 6]}
    parameters:
      best_efficiency: {unit: "%", calibrate: true, default: 78, range: [30, 90]}
      area: {unit: m2, default: 120}
assets:
  lift: {type: Station, at: hall, parameters: {area: 100 m2}}
"""
