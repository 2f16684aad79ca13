"""Plant files for tests: written into a folder, read, and looked at."""

from pathlib import Path

from gemel.assets import Plant, Problem, check, load

HEAD = 'plant: acme/riverside\nconnections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}\n'
PUMPS = """plant: acme/riverside
title: Riverside
writes: true
retention: {default: 400 d, fast: 30 d}
connections:
  field: {mqtt: "mqtt://127.0.0.1:1883"}
types:
  Machine:
    source: {from: field, topic: "station/{asset}/{signal}", path: "$.value", time: "$.time"}
    signals:
      temperature: {unit: degC, range: [-20, 150], alarm: {high: 85, high_high: 95, delay: 5 s, deadband: 3.6 degF}}
  Pump:
    extends: Machine
    signals:
      speed: {unit: rpm, range: [0, 3600], max_rate: 500 rpm/s, interval: 500 ms, stuck_after: 10 min, normal: [1000, 3000]}
      running: {kind: state, states: [stopped, running], retention: fast}
    parameters: {rated_head: {unit: m, default: 20 m}, wear: {unit: 1, range: [0, 0.5]}}
    commands:
      set_speed: {range: [600, 3000], max_rate: 50 rpm/s, sets: speed, read_back: speed, to: field, topic: "station/{asset}/set", approval: engineer}
  Tank: {signals: {level: {unit: m, range: [0, 12]}}}
assets:
  pump-1: {type: Pump, at: area-1/line-1, title: Pump 1, parameters: {rated_head: 32 m}}
  pump-2:
    type: Pump
    at: area-1/line-1
    signals: {temperature: {unit: degF, topic: plant/p2, path: "$.values[0].t"}}
  tank-1: {type: Tank, at: area-1}
relations: [pump-1 feeds tank-1]
"""


def write(folder: Path, text: str, **files: str) -> Path:
    """Write plant.yaml, and other files by name (a dot as two underscores)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return folder


def plant(folder: Path, text: str = PUMPS, **files: str) -> Plant:
    return load(write(folder, text, **files))


def problems(folder: Path, text: str, **files: str) -> list[Problem]:
    return check(write(folder, text, **files))[1]


def fleet(folder: Path, n: int) -> Path:
    """A fleet of `n` assets with five signals each, from a table."""
    text = HEAD + (
        "types:\n"
        "  Pump:\n"
        '    source: {topic: "s/{tag}/{signal}", path: "$.value", time: "$.time"}\n'
        "    signals:\n"
        "      flow: {unit: m3/h, range: [0, 10], alarm: {high: 8}}\n"
        "      speed: {unit: rpm, interval: 1 s}\n"
        "      temperature: {unit: degC}\n"
        "      power: {unit: kW}\n"
        "      running: {states: [stopped, running]}\n"
        "    parameters: {rated_head: {unit: m}}\n"
        "assets: {pumps: {type: Pump, table: pumps.csv}}\n"
    )
    rows = "".join(f"pump-{i},tag-{i},area-{i % 50}/line-{i % 500},{i % 30 + 1} m\n" for i in range(n))
    return write(folder, text, pumps__csv="name,tag,at,parameters.rated_head\n" + rows)
