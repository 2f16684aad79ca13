"""A plant file to begin from, and a way to see what the reader says of a changed one."""

from pathlib import Path

from gemel.assets import Plant, Problem, check

GOOD = """\
plant: acme/riverside
title: Riverside
timezone: Europe/Berlin
writes: true
retention: {default: 400 d, fast: 30 d}
connections:
  field: {mqtt: "mqtt://127.0.0.1:1883", version: 5, user: twin, password: {secret: field}}
namespace: {connection: field}
types:
  Machine:
    source: {from: field, topic: "station/{asset}/{signal}", path: "$.value", time: "$.time"}
    signals:
      power: {unit: kW, interval: 1 s}
  Pump:
    extends: Machine
    signals:
      speed: {unit: rpm, range: [0, 3600], max_rate: 500 rpm/s, interval: 1 s}
      speed_setpoint: {unit: rpm, range: [0, 3600], interval: 10 s}
      flow: {unit: m3/h, range: [0, 400], normal: [50, 300], interval: 1 s, retention: fast}
      bearing_temperature:
        unit: degC
        range: [-20, 150]
        interval: 1 s
        alarm: {high: 85, high_high: 95, delay: 5 s, deadband: 2 degC, priority: {high: 3}, cause: wear, respond_within: 30 min}
      running: {kind: state, states: [stopped, running], interval: 1 min}
    parameters:
      rated_head: {unit: m, default: 30, range: [1, 100]}
      wear: {unit: 1, calibrate: true, range: [0, 0.5]}
    commands:
      set_speed:
        unit: rpm
        range: [600, 3000]
        max_rate: 50 rpm/s
        approval: engineer
        sets: speed_setpoint
        read_back: speed
        tolerance: 30 rpm
        rests_on: [speed, flow]
        to: field
        topic: "station/{asset}/set/speed"
        payload: '{"value": {value}}'
assets:
  pump-1:
    type: Pump
    at: area-1/line-1
    title: Pump 1
    parameters: {rated_head: 3200 cm}
    signals: {flow: {topic: plant/p1, path: "$.values[0].flow", time: "$.ts", time_unit: ms, unit: gal/min}}
  tank-1: {type: Machine, at: area-1}
relations: [pump-1 feeds tank-1]
"""


def write(folder: Path, text: str = GOOD, **files: str) -> Path:
    """Write a plant file, and the files beside it (`fleet_csv` is fleet.csv)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(content, encoding="utf-8")
    return folder


def changed(*edits: tuple[str, str], base: str = GOOD) -> str:
    """Give the good file with some words exchanged; each must be there."""
    for old, new in edits:
        assert base.count(old) == 1, f"{old!r} stands there {base.count(old)} times"
        base = base.replace(old, new)
    return base


def line_of(text: str, words: str) -> int:
    """Give the line on which some words stand first."""
    return text[: text.index(words)].count("\n") + 1


def read(folder: Path, text: str = GOOD, **files: str) -> tuple[Plant | None, list[Problem]]:
    """Write and check."""
    return check(write(folder, text, **files))


def plant(folder: Path, text: str = GOOD, **files: str) -> Plant:
    """Write a plant file that must be right, and give the plant."""
    found, problems = read(folder, text, **files)
    assert found is not None, "\n".join(str(p) for p in problems)
    return found


def errors(folder: Path, text: str, **files: str) -> list[Problem]:
    """Write a plant file that must be wrong, and give its errors."""
    found, problems = read(folder, text, **files)
    wrong = [p for p in problems if p.severity == "error"]
    assert (found is None) == bool(wrong)
    return wrong
