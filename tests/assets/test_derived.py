"""What the plant file may say of derived signals, rules and their examples, and what is said of the line where it is wrong."""

import pytest
from plant_kit import errors, line_of, plant, read

BASE = """\
plant: acme/riverside
types:
  Pump:
    signals:
      flow: {unit: m3/h, interval: 1 s, stale_after: 7 s}
      head: {unit: m, interval: 2 s}
      power: {unit: kW}
      efficiency: {unit: "%", derived: "9.81 kN/m3 * flow * head / power"}
    parameters: {rated: {unit: kW, default: 5}}
  Line:
    signals:
      power: {unit: W, derived: sum(parts.power)}
    rules:
      busy: {when: power > 1 kW, for: 5 s}
assets:
  line-1: {type: Line, at: area}
  pump-1: {type: Pump, at: area/line-1}
  pump-2: {type: Pump, at: area/line-1, signals: {flow: {interval: 3 s}}}
relations: [pump-1 feeds pump-2, pump-2 drives pump-1]
"""


def with_(old, new):
    assert BASE.count(old) == 1, old
    return BASE.replace(old, new)


def test_a_derived_signal_has_the_rhythm_of_what_it_reads(tmp_path):
    asset = plant(tmp_path, BASE).asset("acme/riverside/area/line-1/pump-1")
    spec = next(s.spec for s in asset.signals if s.name == "efficiency")
    assert (spec.interval_ns, spec.stale_after_ns, spec.lane) == (10**9, 30 * 10**9, "estimated")


def test_programs_run_over_all_assets_of_a_type_whatever_an_asset_changes(tmp_path):
    found = plant(tmp_path, BASE)
    programs = {(p.type, p.name): p for p in found.derivations(found.registry()).programs}
    assert len(programs["Pump", "efficiency"].target) == 2
    assert programs["Line", "power"].counts["parts"].tolist() == [2]


def test_relations_are_followed_both_ways_by_their_words(tmp_path):
    for expression, members in (("sum(upstream.power)", [0, 1]), ("sum(downstream.power)", [1, 0]), ("sum(drives.power)", [0, 1]), ("sum(whole.parts.power)", [2, 2])):
        text = with_("efficiency: {", "efficiency: {").replace("parameters: {rated", f"  near: {{unit: kW, derived: {expression}}}\n    parameters: {{rated")
        found = plant(tmp_path, text)
        program = next(p for p in found.derivations(found.registry()).programs if p.name == "near")
        (counts,) = program.counts.values()
        assert counts.tolist() == members, expression


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("9.81 kN/m3 * flow", "9.81 kN/m3 * flwo", "did you mean 'flow'"), ("9.81 kN/m3 * flow", "1 kN/m3 * head", "is declared"), ("flow * head /", "flow * * head /", "cannot stand here"),
        ("sum(parts.power)", "sum(parts.powr)", "did you mean 'power'"), ("sum(parts.power)", "sum(pats.power)", "is no relation"),
        ("sum(parts.power)", "sum(upstream.powr)", "no asset that is upstream of a Line"), ('derived: "9.81', 'topic: a, derived: "9.81', "has a source too"),
        ("power: {unit: kW}", "power: {unit: kW, derived: efficiency * 1 kW}", "in a circle"), ("busy: {when: power > 1 kW", "power: {when: power > 1 kW", "a signal and a rule"),
        ("busy: {when: power > 1 kW", "busy: {when: power > 1 m", "does not fit"), ("busy: {when: power > 1 kW,", "busy: {", "has no when"),
        ("power: {unit: kW}", "power: {unit: kW, examples: [{expect: 1}]}", "examples and no expression"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, words):
    text = with_(old, new)
    found = errors(tmp_path, text)
    assert any(words in f"{p.message} {p.remedy}" and p.line == line_of(text, new) for p in found), found


EXAMPLE = "head / power\", examples: [{given: {flow: 40 m3/h, head: 3000 cm, power: 5 kW}, expect: 65.4 %}]}"


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("{given: {flow: 40 m3/h, head: 30 m, power: 5 kW}, expect: 65.4 %}", ""), ("{given: {flow: 40 m3/h, head: 30 m}, expect: unknown}", ""),
        ("{given: {flow: 40, head: 30, power: 5}, expect: 0.7, tolerance: 65}", ""), ("{given: {flow: 40, head: 30, power: 5}, expect: 66}", "gives 65.4 %, and 66 % is expected"),
        ("{given: {flow: 40, head: 30, power: 5}, expect: unknown}", "unknown is expected"), ("{given: {flow: 40, heat: 30}, expect: 1}", "does not read 'heat'"),
        ("{given: {flow: 40 kg, head: 30, power: 5}, expect: 1}", "measure different things"), ("{given: {flow: [1, 2]}, expect: 1}", "one value"), ("{given: {flow: 1}}", "has no expect"),
    ],
)  # fmt: skip
def test_examples_beside_an_expression_are_run(tmp_path, example, words):
    text = with_('head / power"}', f'head / power", examples: [{example}]}}')
    problems = [p for p in read(tmp_path, text)[1] if p.severity == "error"]
    if not words:
        assert not problems
    else:
        assert words in problems[0].message and problems[0].line == line_of(text, "efficiency")


@pytest.mark.parametrize(
    ("example", "good"),
    [
        ("{given: {power: 2 kW}, expect: yes}", True), ("{given: {power: 2 kW}, after: 5 s, expect: true}", True), ("{given: {power: 2 kW}, after: 4 s, expect: no}", True),
        ("{given: {power: 2 kW}, after: 4 s, expect: yes}", False), ("{given: {power: 900 W}, expect: no}", True), ("{expect: unknown}", True), ("{given: {power: 900 W}, expect: yes}", False),
    ],
)  # fmt: skip
def test_examples_beside_a_rule_are_run(tmp_path, example, good):
    found = [p for p in read(tmp_path, with_("for: 5 s}", f"for: 5 s, examples: [{example}]}}"))[1] if p.severity == "error"]
    assert bool(found) != good
    assert good or "is expected" in found[0].message


def test_check_says_how_many_examples_hold(tmp_path):
    from click.testing import CliRunner
    from plant_kit import write

    from gemel.cli.check import command

    folder = write(tmp_path / "p", with_('head / power"}', EXAMPLE))
    told = CliRunner().invoke(command, [str(folder)])
    assert told.exit_code == 0 and "1 beside expressions and rules, all hold" in told.output


def test_an_heir_inherits_rules_and_may_change_them(tmp_path):
    text = with_("assets:\n", "  Hall:\n    extends: Line\n    rules:\n      busy: {for: 1 min}\nassets:\n  hall: {type: Hall}\n")
    kinds = {t.type: t for t in plant(tmp_path, text).templates}
    assert kinds["Hall"].rules[0].hold_ns == 60 * 10**9 and kinds["Line"].rules[0].hold_ns == 5 * 10**9


def test_a_measured_property_may_have_an_estimate_by_expression(tmp_path):
    found = plant(tmp_path, with_("power: {unit: kW}", "power: {unit: kW, estimated: {derived: 9.81 kN/m3 * flow * head / 0.6}}"))
    registry = found.registry()
    derivations = found.derivations(registry)
    program = next(p for p in derivations.programs if (p.type, p.name) == ("Pump", "power"))
    assert registry.table.column("lane").to_pylist()[program.target[0]] == "estimated"
    assert registry.index("acme/riverside/area/line-1/pump-1/power", "measured") != program.target[0]


def test_a_circle_over_relations_is_refused_by_its_assets(tmp_path):
    text = with_("parameters: {rated", "  near: {unit: kW, derived: sum(feeds.near) + sum(drives.near)}\n    parameters: {rated")
    (found,) = [p for p in errors(tmp_path, text) if "circle" in p.message]
    assert "pump-1/near ← " in found.message and found.line == line_of(text, "near:")


TYPES = "relation_types:\n  drives: {forward: driven, backward: driver, carries: [power]}\n  lights: {forward: lit}\nassets:\n"


def test_a_relation_type_names_both_ends_of_a_relation(tmp_path):
    for expression, members in (("sum(driven.power)", [0, 1]), ("sum(driver.power)", [1, 0]), ("sum(lit.power)", [0, 0])):
        text = with_("parameters: {rated", f"  near: {{unit: kW, derived: {expression}}}\n    parameters: {{rated").replace("assets:\n", TYPES)
        found = plant(tmp_path, text)
        program = next(p for p in found.derivations(found.registry()).programs if p.name == "near")
        assert next(iter(program.counts.values())).tolist() == members


def test_a_relation_carries_what_its_type_says_and_no_more(tmp_path):
    text = with_("parameters: {rated", "  near: {unit: m, derived: sum(driven.head)}\n    parameters: {rated").replace("assets:\n", TYPES)
    (found,) = errors(tmp_path, text)
    assert "'drives' does not carry 'head'" in found.message and found.line == line_of(text, "near:")


def test_two_ways_of_one_name_are_refused(tmp_path):
    text = BASE.replace("assets:\n", TYPES.replace("forward: lit", "forward: upstream"))
    (found,) = errors(tmp_path, text)
    assert "'upstream' is a way already" in found.message and found.line == line_of(text, "lights:")


ROLLED = """\
plant: acme/riverside
shifts: ["06:00", "18:00"]
types:
  Press:
    signals:
      state: {states: [stopped, running]}
      power: {unit: kW}
      produced: {unit: "1", kind: total}
      near: {unit: kW, derived: power * 2}
    rollups:
      energy: {by: energy, of: power, per: 1 h}
      oee: {by: oee, of: state, running: [running], produced: produced, good: produced, ideal_cycle: 2 s, per: shift}
  Line:
    rollups:
      power: {by: sum, of: power, over: parts, unit: W, examples: [{given: {parts.power: [1 kW, 0.5]}, expect: 1500}]}
assets:
  line-1: {type: Line}
  press-1: {type: Press, at: line-1}
"""


def test_a_roll_up_is_a_signal_of_its_own(tmp_path):
    found = plant(tmp_path, ROLLED)
    signals = {s.path.rpartition("/")[2]: s.spec for s in found.asset("acme/riverside/line-1/press-1").signals}
    assert (signals["energy"].unit, signals["energy"].lane, signals["energy"].stale_after_ns) == ("kW.h", "estimated", 7200 * 10**9)
    assert signals["oee"].unit == "%" and found.derivations(found.registry()).rollups[1].windows.starts == ("06:00", "18:00")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("energy: {by: energy, of: power,", "energy: {of: power,", "has no by"), ("energy: {by: energy, of: power, per: 1 h}", "energy: {by: energy, of: power}", "needs a window"),
        ("power: {by: sum, of: power, over: parts,", "power: {by: sum, of: power, over: parts, per: 1 h,", "has no window"), ("energy: {by: energy, of: power,", "energy: {by: energy, of: pwr,", "no signal 'pwr'"),
        ("energy: {by: energy, of: power,", "energy: {by: energy, of: state,", "is a state"), ("energy: {by: energy, of: power, per: 1 h}", "energy: {by: energy, of: power, per: 1 h, unit: kW}", "dimension is wrong"),
        ("running: [running], produced", "running: [runing], produced", "is no state"), ("oee: {by: oee, of: state, running: [running], produced", "oee: {by: oee, of: power, running: [running], produced", "is no state"),
        ("over: parts, unit", "over: prats, unit", "is no relation"), ("power: {by: sum, of: power, over: parts, unit", "power: {by: sum, of: powr, over: parts, unit", "has a signal 'powr'"),
        ("ideal_cycle: 2 s,", "ideal_cycle: cycle,", "is not a quantity"), ("expect: 1500}", "expect: 1400}", "1400 W is expected"), ("energy: {by: energy, of: power,", "state: {by: energy, of: power,", "and a roll-up"),
        ("derived: power * 2", "derived: energy / 1 h", "in a circle"), ("oee: {by: oee, of: state,", "oee: {by: oee,", "has no of"),
        ("running: [running], produced", "running: [running], planned: [stopped], produced", "not planned busy time"), ("running: [running], produced", "running: [], produced", "names no state"),
        ("good: produced, ideal", "good: power, ideal", "is no counter"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_roll_up_is_told_with_its_line(tmp_path, old, new, words):
    assert ROLLED.count(old) == 1
    text = ROLLED.replace(old, new)
    if words == "in a circle":
        text = text.replace("energy: {by: energy, of: power", "energy: {by: energy, of: near")
    found = errors(tmp_path, text)
    line = line_of(text, new)
    assert any(words in f"{p.message} {p.remedy}" and p.line == line for p in found), [str(p) for p in found]


def test_a_shift_needs_shifts(tmp_path):
    (found,) = errors(tmp_path, ROLLED.replace('shifts: ["06:00", "18:00"]\n', ""))
    assert "has no shifts" in found.message
