"""How what a connection brings is kept: as a series, by event, or both."""

from plants import plant, write

from gemel.assets import by_event_only, check

TEXT = """plant: acme/riverside
connections:
  field: {mqtt: "mqtt://127.0.0.1:1883"}
  doors: {mqtt: "mqtt://127.0.0.1:1884", sync: event}
  modes: {mqtt: "mqtt://127.0.0.1:1885", sync: both}
types:
  Hall:
    signals:
      door: {kind: state, states: [shut, open], from: doors, topic: "{asset}/door"}
      mode: {unit: bar, deadband: 0.5, from: modes, topic: "{asset}/mode"}
      flow: {unit: m3/h, from: field, topic: "{asset}/flow"}
      note: {unit: 1}
assets:
  hall-1: {type: Hall}
  hall-2: {type: Hall}
"""


def test_the_signals_of_a_connection_by_event_are_known_with_their_dead_bands(tmp_path):
    site = plant(tmp_path, TEXT)
    registry = site.registry()
    sync = site.derivations(registry).sync
    told = {registry.paths[s].split("/", 2)[2]: (d, k) for s, d, k in
            zip(sync.signal.tolist(), sync.deadband.tolist(), sync.stored.tolist(), strict=True)}  # fmt: skip
    assert told == {f"hall-{n}/{name}": kept for n in (1, 2) for name, kept in (("door", (0.0, False)), ("mode", (0.5, True)))}
    assert [registry.paths[s] for s in by_event_only(site, registry)] == [f"acme/riverside/hall-{n}/door" for n in (1, 2)]


def test_a_plant_that_says_nothing_keeps_everything_as_a_series(tmp_path):
    site = plant(tmp_path, TEXT.replace(", sync: event", "").replace(", sync: both", ""))
    assert len(site.derivations(site.registry()).sync) == 0


def test_another_word_is_refused(tmp_path):
    _, problems = check(write(tmp_path, TEXT.replace("sync: both", "sync: sometimes")))
    assert any("sync of connection 'modes' cannot be 'sometimes'" in p.message for p in problems), [p.message for p in problems]
