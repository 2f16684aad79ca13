"""A station whose type has a dynamic model: what what-ifs are asked about, seen from outside and on the page."""

from contextlib import contextmanager

from story_kit import Face, add_person, reads

from gemel.bench.site import running

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
JUDGED = PLANT.replace(
    "assets:\n",
    """\
    kpis:
      energy: {energy: power}
      cost: {cost: power, price: {"06:00": 0.30 EUR/kWh, "22:00": 100 EUR/MW.h}, description: What the mains cost}
      lifted: {ratio: power, per: inflow, unit: kW.h/m3, better: less}
      warm: {max: ambient}
      low: {violations: level, below: 3.9 m}
      bearing: {life: used_a, limit: 1}
assets:
""",
)


@contextmanager
def station(folder, text=PLANT):
    """Run the station; give it, who operates it, and what they see, once it shows something."""
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(text)
    with running(folder / "plant", folder / "data") as site:
        olga = add_person(site.places.data, "olga", "operator")
        face = Face(site.settings.port, olga)
        reads(face, ASSET, demand=306.0, ambient=20.0, level=4.0)
        yield site, olga, face
