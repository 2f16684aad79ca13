"""Registry, checks, sources and alarm limits: columns that say what the plant file says."""

import time

import numpy as np
import pytest
from plants import HEAD, PUMPS, fleet, plant

from gemel.assets import load
from gemel.errors import DefectError, NotFoundError
from gemel.samples import Registry

P1, P2 = "acme/riverside/area-1/line-1/pump-1", "acme/riverside/area-1/line-1/pump-2"


def test_the_registry_has_a_row_a_signal_in_the_order_of_the_file(tmp_path):
    registry = plant(tmp_path).registry()
    own = [p.removeprefix("acme/riverside/") for p in registry.paths]
    names = ("temperature", "speed", "running")
    assert own == [f"area-1/line-1/pump-{n}/{s}" for n in (1, 2) for s in names] + ["area-1/tank-1/level"]
    running = registry.row(registry.index(f"{P1}/running"))
    assert (running["kind"], running["states"], running["retention"]) == ("state", ["stopped", "running"], "fast")
    assert registry.row(registry.index(f"{P2}/temperature"))["unit"] == "degC"


def test_two_readings_of_one_file_give_one_registry_and_one_digest(tmp_path):
    a, b = plant(tmp_path), load(tmp_path)
    assert a.registry().digest == b.registry().digest
    assert a.digest == b.digest


def test_the_digest_follows_what_is_said_and_not_how(tmp_path):
    digest = plant(tmp_path / "a").digest
    assert plant(tmp_path / "b", "# a comment\n" + PUMPS).digest == digest
    assert plant(tmp_path / "c", PUMPS.replace("high: 85", "high: 86")).digest != digest


def test_the_digest_follows_the_rows_of_tables(tmp_path):
    assert load(fleet(tmp_path / "a", 3)).digest != load(fleet(tmp_path / "b", 4)).digest


def test_checks_are_in_the_declared_unit(tmp_path):
    site = plant(tmp_path)
    registry = site.registry()
    checks, speed, far = site.checks(registry), registry.index(f"{P1}/speed"), registry.index(f"{P2}/temperature")
    assert (checks.each("low")[speed], checks.each("high")[speed], checks.each("max_rate")[speed]) == (0, 3600, 500)
    assert (checks.each("interval")[speed], checks.each("stuck_after")[speed]) == (500_000_000, 600_000_000_000)
    assert (checks.each("scale")[speed], checks.each("offset")[speed]) == (1.0, 0.0)
    assert 212 * checks.each("scale")[far] + checks.each("offset")[far] == pytest.approx(100)
    running = registry.index(f"{P1}/running")
    assert (checks.each("low")[running], checks.each("high")[running]) == (0, 1)
    assert np.isnan(checks.each("max_rate")[running])


def test_a_signal_is_stale_after_what_is_said_or_five_intervals_or_thirty_seconds(tmp_path):
    text = HEAD + "types: {T: {signals: {a: {unit: 1, interval: 2 s, stale_after: 3 s}, b: {unit: 1, interval: 2 s}, c: {unit: 1}}}}\nassets: {x: {type: T}}\n"
    site = plant(tmp_path, text)
    assert (site.checks(site.registry()).each("stale_after") / 1e9).tolist() == [3, 10, 30]


def test_columns_go_by_the_numbers_of_the_applied_registry(tmp_path):
    """An applied registry is only appended to: the numbers are not the order of the file."""
    site = plant(tmp_path)
    own = site.registry()
    turned = Registry(own.table.take(list(range(len(own)))[::-1]))
    level = turned.index("acme/riverside/area-1/tank-1/level")
    assert level == 0
    assert site.checks(turned).each("high")[level] == 12
    sources = site.sources("field", turned)
    assert [turned.paths[s] for s in sources.signal] == [own.paths[s] for s in site.sources("field", own).signal]
    assert {turned.paths[a.signal] for a in site.alarms(turned)} == {f"{P1}/temperature", f"{P2}/temperature"}


def test_a_registry_that_lacks_a_signal_is_refused(tmp_path):
    site = plant(tmp_path)
    with pytest.raises(DefectError, match="pump-1"):
        site.checks(Registry(site.registry().table.slice(1)))


def test_a_signal_that_only_the_registry_knows_is_believed(tmp_path):
    site = plant(tmp_path)
    more = site.registry().grown(Registry.of([{"path": "acme/riverside/former/flow", "unit": "m3/h"}]))
    checks = site.checks(more)
    assert len(checks) == len(more)
    assert np.isnan(checks.each("low")[-1])


def test_sources_are_inherited_and_overridden_and_filled(tmp_path):
    site = plant(tmp_path)
    registry = site.registry()
    sources = site.sources("field", registry)
    rows = {registry.paths[s]: i for i, s in enumerate(sources.signal.tolist())}
    assert len(rows) == 6  # nothing feeds the tank
    assert sources.topic[rows[f"{P1}/speed"]] == "station/pump-1/speed"
    far = rows[f"{P2}/temperature"]
    assert (sources.topic[far], sources.path[far], sources.time_path[far]) == ("plant/p2", "$.values[0].t", "$.time")
    assert site.sources("elsewhere", registry).topic == []


def test_alarm_limits_carry_delay_dead_band_and_priority(tmp_path):
    site = plant(tmp_path)
    registry = site.registry()
    limits = [a for a in site.alarms(registry) if registry.paths[a.signal] == f"{P1}/temperature"]
    assert [(a.level, a.limit, a.priority, a.delay_ns) for a in limits] == [("high", 85, 2, 5_000_000_000), ("high_high", 95, 1, 5_000_000_000)]
    assert limits[0].deadband == pytest.approx(2.0)  # 3.6 degF is a difference


def test_ten_thousand_assets_with_five_signals_load_in_five_seconds(tmp_path):
    folder = fleet(tmp_path, 10_000)
    began = time.process_time()
    site = load(folder)
    registry = site.registry()
    checks, sources, alarms = site.checks(registry), site.sources("field", registry), site.alarms(registry)
    seconds = time.process_time() - began
    assert (len(site.assets), len(registry), len(checks), len(sources.topic), len(alarms)) == (10_000, 50_000, 50_000, 50_000, 10_000)
    last = registry.index("acme/riverside/area-49/line-499/pump-9999/speed")
    assert sources.topic[sources.signal.tolist().index(last)] == "s/tag-9999/speed"
    assert site.asset("acme/riverside/area-49/line-499/pump-9999").parameters == {"rated_head": {"value": 10.0, "unit": "m"}}
    assert seconds < 5


def test_two_thousand_assets_with_a_line_each_load_in_five_seconds(tmp_path):
    """Without a table it is the YAML that takes long; a fleet of more belongs into a table."""
    rows = "".join(f"  pump-{i}: {{type: P, at: area-{i % 50}}}\n" for i in range(2_000))
    text = HEAD + 'types: {P: {source: {topic: "s/{asset}", path: "$.v", time: "$.t"}, signals: {x: {unit: bar}}}}\nassets:\n' + rows
    began = time.process_time()
    assert len(plant(tmp_path, text).assets) == 2_000
    assert time.process_time() - began < 5


def test_an_asset_is_seen_with_all_its_context(tmp_path):
    site = plant(tmp_path)
    view = site.asset(P1)
    assert (view.title, view.type, view.at, view.parent) == ("Pump 1", "Pump", "area-1/line-1", "acme/riverside/area-1/line-1")
    assert view.parameters == {"rated_head": {"value": 32.0, "unit": "m"}, "wear": {"value": None, "unit": "1"}}
    assert view.relations == [(P1, "feeds", "acme/riverside/area-1/tank-1")]
    temperature, speed, running = view.signals
    assert (temperature.alarm, temperature.range) == ({"high": 85, "high_high": 95}, (-20, 150))
    assert (speed.normal, speed.interval_s, speed.stale_after_s, speed.alarm) == ((1000, 3000), 0.5, 2.5, None)
    assert (running.states, running.interval_s, running.unit) == (("stopped", "running"), None, "1")
    assert [c.name for c in view.commands] == ["set_speed"]
    with pytest.raises(NotFoundError, match="pump-9"):
        site.asset("acme/riverside/pump-9")


def test_a_command_is_wired_for_its_asset(tmp_path):
    site = plant(tmp_path)
    command = site.commands.get(P2, "set_speed")
    assert (command.asset, command.topic, command.connection, command.unit) == (P2, "station/pump-2/set", "field", "rpm")
    assert (command.low, command.high, command.max_rate_per_s, command.approval) == (600, 3000, 50, "engineer")
    assert (command.tolerance, command.timeout_ns, command.rests_on) == (24, 60_000_000_000, ("speed",))
    assert site.commands.get(P2, "stop") is None
    assert site.commands.of("nowhere") == []
    assert len(site.commands) == len(list(site.commands)) == 2


def test_the_tree_runs_from_the_enterprise_down(tmp_path):
    text = PUMPS.replace("  tank-1: {type: Tank, at: area-1}", "  motor: {type: Tank, at: area-1/line-1/pump-1}\n  tank-1: {type: Tank, at: area-1}")
    tree = plant(tmp_path, text).tree()

    def shown(node):
        return {(node["kind"], node["name"]): [shown(child) for child in node["children"]]}

    assert shown(tree) == {("enterprise", "acme"): [{("site", "riverside"): [{("area", "area-1"): [
        {("line", "line-1"): [{("asset", "pump-1"): [{("asset", "motor"): []}]}, {("asset", "pump-2"): []}]},
        {("asset", "tank-1"): []},
    ]}]}]}  # fmt: skip
    assert tree["children"][0]["title"] == "Riverside"


def test_a_part_may_stand_before_its_whole(tmp_path):
    text = HEAD + "types: {T: {}}\nassets: {part: {type: T, at: a/whole}, whole: {type: T, at: a, title: Whole}}\n"
    area = plant(tmp_path, text).tree()["children"][0]["children"][0]
    assert [(n["kind"], n["title"], [c["name"] for c in n["children"]]) for n in area["children"]] == [("asset", "Whole", ["part"])]


def test_the_volume_counts_intervals_and_retention(tmp_path):
    text = HEAD + "retention: {default: 10 d, fast: 1 d}\ntypes: {T: {signals: {a: {unit: 1, interval: 10 s}, b: {unit: 1, interval: 100 ms, retention: fast}, c: {unit: 1}}}}\nassets: {x: {type: T}}\n"
    volume = plant(tmp_path, text).volume()
    assert volume.values_per_day == pytest.approx(8_640 + 864_000 + 86_400)
    assert volume.unknown == 1
    per_value = volume.bytes_per_day / volume.values_per_day
    assert volume.kept_bytes == pytest.approx(per_value * (8_640 * 10 + 864_000 + 86_400 * 10))


def test_a_plant_without_assets_has_empty_columns(tmp_path):
    site = plant(tmp_path, HEAD)
    registry = site.registry()
    assert (len(registry), len(site.checks(registry)), site.sources("field", registry).topic, list(site.alarms(registry))) == (0, 0, [], [])
    assert site.volume().values_per_day == 0
    assert site.tree()["children"][0]["name"] == "riverside"
