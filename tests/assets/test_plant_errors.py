"""Each thing that can be wrong is said once, with its file and line, and with what to write instead."""

import pytest
from plant_kit import GOOD, changed, errors, line_of, read

# what is exchanged, where the error is said, what it says, what it tells to write
WRONG = {
    "unknown key": ("unit: kW", "unti: kW", "unti", "unknown key 'unti'", "'unit'"),
    "unknown key at the top": ("title: Riverside", "tytle: Riverside", "tytle", "unknown key 'tytle'", "'title'"),
    "unknown key in an alarm": ("delay: 5 s", "delai: 5 s", "delai", "unknown key 'delai'", "'delay'"),
    "key that others use": ("high_high: 95", "hihi: 95", "hihi", "unknown key 'hihi'", "write high_high"),
    "wrong type of value": ("title: Riverside", "title: [a, b]", "title", "cannot be a list", "write a text"),
    "yes is a word": ("writes: true", "writes: yes", "writes", "'yes'", "true or false"),
    "no value": ("title: Riverside", "title:", "title", "has no value", "write a text"),
    "flow in kg": ("flow: {unit: m3/h", "flow: {unit: kg", "flow: {unit", "the dimension is wrong", "m3/s"),
    "unknown unit": ("unit: kW", "unit: florp", "florp", "unknown unit 'florp'", "UCUM"),
    "source of another dimension": ("unit: gal/min", "unit: kg", "unit: kg", "cannot become", "measures the same"),
    "alarm of another dimension": ("deadband: 2 degC", "deadband: 2 bar", "deadband", "cannot become", "degC"),
    "rate of another dimension": ("max_rate: 500 rpm/s", "max_rate: 500 bar/s", "max_rate: 500", "not a rate", "rpm/s"),
    "rate without a time": ("max_rate: 500 rpm/s", "max_rate: 500 rpm", "max_rate: 500", "not a rate", "rpm/s"),
    "parameter of another dimension": ("rated_head: 3200 cm", "rated_head: 3 s", "rated_head: 3 s", "cannot become", "'m'"),
    "parameter out of range": ("rated_head: 3200 cm", "rated_head: 200 m", "rated_head: 200", "outside its range", "1 to 100"),
    "unknown parameter": ("{rated_head: 3200 cm}", "{rated_haed: 32}", "rated_haed", "unknown parameter", "'rated_head'"),
    "range inverted": ("range: [0, 400]", "range: [400, 0]", "[400, 0]", "inverted", "[0, 400]"),
    "range of three": ("range: [0, 400]", "range: [0, 1, 2]", "[0, 1, 2]", "cannot be a list", "[0, 100]"),
    "infinite": ("range: [0, 400]", "range: [0, .inf]", ".inf", "inf", "a number"),
    "huge": ("range: [0, 400]", f"range: [0, {'9' * 400}]", "999", "inf", "a number"),
    "negative duration": ("delay: 5 s", "delay: -5 s", "delay", "'-5 s'", "'5 s'"),
    "duration in metres": ("delay: 5 s", "delay: 5 m", "delay", "delay", "'5 s'"),
    "retention below a day": ("fast: 30 d", "fast: 3 h", "fast: 3 h", "'3 h'", "400 d"),
    "unknown retention class": ("retention: fast}", "retention: fats}", "fats", "unknown retention class 'fats'", "'fast'"),
    "alarm limits out of order": ("high_high: 95", "high_high: 80", "high_high: 80", "out of order", "low_low < low < high < high_high"),
    "priority": ("priority: {high: 3}", "priority: {high: 4}", "priority", "4", "1 to 3"),
    "state without states": ("states: [stopped, running], ", "", "kind: state", "has no states", "states: [stopped, running]"),
    "a state twice": ("[stopped, running]", "[on, on]", "[on, on]", "twice", "once"),
    "no unit": ("unit: kW, ", "", "power: {interval", "has no unit", "unit:"),
    "unknown type": ("{type: Machine", "{type: Machin", "type: Machin,", "unknown type 'Machin'", "'Machine'"),
    "no type": ("{type: Machine, at", "{at", "tank-1: {at", "has no type", "add type:"),
    "extends nothing known": ("extends: Machine", "extends: Mashine", "Mashine", "unknown type 'Mashine'", "'Machine'"),
    "extends itself": ("extends: Machine", "extends: Pump", "extends: Pump", "circle", "extend nothing"),
    "unknown connection": ("{from: field", "{from: feild", "feild", "unknown connection 'feild'", "'field'"),
    "command to nowhere": ("to: field", "to: feild", "to: feild", "unknown connection 'feild'", "'field'"),
    "namespace on nothing": ("namespace: {connection: field}", "namespace: {connection: feild}", "feild", "unknown connection 'feild'", "'field'"),
    "dangling relation": ("feeds tank-1", "feeds tnak-1", "tnak-1", "dangles", "'tank-1'"),
    "relation to itself": ("feeds tank-1", "feeds pump-1", "feeds", "itself", "two assets"),
    "relation of two words": ("pump-1 feeds tank-1", "pump-1 tank-1", "pump-1 tank-1", "pump-1 tank-1", "pump-1 feeds tank-1"),
    "command sets nothing known": ("sets: speed_setpoint", "sets: speed_setpiont", "sets:", "unknown signal", "'speed_setpoint'"),
    "command reads nothing known": ("read_back: speed", "read_back: sped", "read_back", "unknown signal 'sped'", "'speed'"),
    "command rests on nothing known": ("rests_on: [speed, flow]", "rests_on: [speed, folw]", "rests_on", "unknown signal 'folw'", "'flow'"),
    "command of another dimension": ("unit: rpm\n        range: [600", "unit: bar\n        range: [600", "unit: bar", "the dimension is wrong", "rpm"),
    "command in another unit": ("unit: rpm\n        range: [600", "unit: Hz\n        range: [600", "unit: Hz", "'Hz'", "rpm"),
    "approval by nobody": ("approval: engineer", "approval: manager", "approval", "'manager'", "operator, engineer"),
    "payload without its value": ("'{\"value\": {value}}'", "'{}'", "payload", "payload", "{value}"),
    "unknown placeholder": ("station/{asset}/{signal}", "station/{asset}/{line}", "pump-1:", "{line}", "asset"),
    "no JSON path": ('path: "$.value"', "path: value", "path: value", "'value'", "$.value"),
    "half a wildcard": ("topic: plant/p1", "topic: plant/p+", "plant/p+", "no topic", "whole level"),
    "unknown clock": ("title: Riverside", "clock: wal", "clock", "'wal'", "'wall'"),
    "unknown time zone": ("Europe/Berlin", "Europe/Berlni", "Berlni", "unknown time zone", "'Europe/Berlin'"),
    "root of one level": ("plant: acme/riverside", "plant: acme", "plant: acme", "'acme'", "enterprise/site"),
    "no root": ("plant: acme/riverside\n", "", "title", "has no plant", "enterprise/site"),
    "root repeated": ("at: area-1/line-1", "at: acme/riverside/area-1", "at: acme", "repeats the root", "below"),
    "name with a slash": ("tank-1: {", "tank/1: {", "tank/1", "'tank/1'", "letters"),
    "inline password": ("password: {secret: field}", "password: hunter2", "field: {mqtt", "password", "{secret: NAME}"),
    "password in the address": ("mqtt://127.0.0.1", "mqtt://twin:hunter2@127.0.0.1", "field: {mqtt", "address", "{secret: NAME}"),
    "another protocol": ('{mqtt: "mqtt://127.0.0.1:1883", ', '{opcua: "opc.tcp://h:4840", ', "opcua", "'opcua'", "mqtt"),
    "table elsewhere": ("{type: Machine, at: area-1}", "{type: Machine, table: ../t.csv}", "../t.csv", "../t.csv", "beside plant.yaml"),
    "no table": ("{type: Machine, at: area-1}", "{type: Machine, table: t.csv}", "t.csv", "t.csv cannot be read", "beside plant.yaml"),
    "asset's signal unknown": ("signals: {flow: {topic", "signals: {folw: {topic", "folw", "no signal 'folw'", "'flow'"),
    "kind at an asset": ("{topic: plant/p1", "{kind: total, topic: plant/p1", "kind: total", "unknown key 'kind'", "type's"),
    "a key twice": ("title: Riverside", "title: Riverside\ntitle: Again", "title: Again", "twice", "rename"),
    "a tag": ("title: Riverside", "title: !!str Riverside\nwrites: !!python/x 1", "writes: !!python", "tag", "plain value"),
    "a notice to nobody": ("title: Riverside", "title: Riverside\nnotify: {shift: {priority: 2}}", "notify", "goes to nobody", "webhook:"),
    "a mail without a server": ("title: Riverside", "title: Riverside\nnotify: {shift: {email: [a@b.example]}}", "notify", "no mail server", "smtp:"),
    "a webhook that is none": ("title: Riverside", "title: Riverside\nnotify: {shift: {webhook: ftp://h/x}}", "notify", "ftp://h/x", "https://"),
    "a log-in in a webhook": ("title: Riverside", 'title: Riverside\nnotify: {shift: {webhook: "http://a:b@h/x"}}', "notify", "address", "{secret: NAME}"),
    "a mail password without a user": ("title: Riverside", 'title: Riverside\nnotify: {shift: {email: [a@b.c], smtp: "smtp://h:25", password: {secret: s}}}', "notify", "no user", "user:"),
    "an alias of nothing": ("title: Riverside", "title: *nothing", "title", "nothing", "&nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_is_said_with_line_and_remedy(case, tmp_path):
    old, new, where, message, remedy = WRONG[case]
    text = changed((old, new))
    if case == "a tag":
        text = text.replace("writes: true\n", "")
    found = errors(tmp_path, text)
    fitting = [p for p in found if message in p.message and remedy in p.remedy]
    assert fitting, "\n".join(str(p) for p in found)
    assert (fitting[0].file, fitting[0].line) == (str(tmp_path / "plant.yaml"), line_of(text, where))


@pytest.mark.parametrize("case", WRONG)
def test_is_said_once(case, tmp_path):
    """What follows from an error is no error of its own."""
    old, new, *_ = WRONG[case]
    text = changed((old, new))
    if case == "a tag":
        text = text.replace("writes: true\n", "")
    found = errors(tmp_path, text)
    assert len(found) == 1, "\n".join(str(p) for p in found)


def test_everything_is_said_at_once(tmp_path):
    text = changed(("unit: kW", "unti: kW"), ("[0, 400]", "[400, 0]"), ("feeds tank-1", "feeds tnak-1"), ("approval: engineer", "approval: boss"))
    assert [p.line for p in errors(tmp_path, text) if "no unit" not in p.message] == [
        line_of(text, "unti"), line_of(text, "[400, 0]"), line_of(text, "boss"), line_of(text, "tnak-1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plant: acme/x\ntypes: {A: {\nassets: 1", 3), ("plant: acme/x\n\ttypes: 1\n", 2), ('plant: acme/x\ntitle: "abc\n\n', 4),
        ("plant: acme/x\ntitle: a: b\n", 2), ("plant: acme/x\ntitle: \x00\n", 2), ("plant: acme/x\n---\nplant: acme/y\n", 2),
    ],
)  # fmt: skip
def test_what_is_no_yaml_has_the_parsers_line(tmp_path, text, line):
    found = errors(tmp_path, text)
    assert found[0].line == line and found[0].remedy, found


def test_a_missing_plant_file_is_a_problem(tmp_path):
    (tmp_path / "empty").mkdir()
    from gemel.assets import check

    found, problems = check(tmp_path / "empty")
    assert found is None and "no plant.yaml" in problems[0].message and "gemel init" in problems[0].remedy


def test_an_empty_file_and_one_that_is_a_list_are_problems(tmp_path):
    assert errors(tmp_path, "") and errors(tmp_path, "- a\n- b\n")


def test_types_in_a_circle_are_said_once(tmp_path):
    text = changed(("  Machine:\n", "  Machine:\n    extends: Pump\n"))
    found = errors(tmp_path, text)
    assert ["circle" in p.message for p in found] == [True]
    assert "Machine" in found[0].message and "Pump" in found[0].message


def test_containment_in_a_circle_is_an_error_and_a_loop_of_flow_is_not(tmp_path):
    loop = changed(("[pump-1 feeds tank-1]", "[pump-1 feeds tank-1, tank-1 feeds pump-1]"))
    assert read(tmp_path / "loop", loop)[0] is not None
    circle = changed(("[pump-1 feeds tank-1]", "\n- pump-1 part_of tank-1\n- tank-1 part_of pump-1"))
    found = errors(tmp_path / "circle", circle)
    assert len(found) == 1 and "circle" in found[0].message and found[0].line >= line_of(circle, "- pump-1 part_of")


def test_an_asset_in_an_asset_takes_part_in_circles(tmp_path):
    text = changed(("{type: Machine, at: area-1}", "{type: Machine, at: area-1/line-1/pump-1}"), ("pump-1 feeds tank-1", "pump-1 part_of tank-1"))
    assert "circle" in errors(tmp_path, text)[0].message


def test_a_path_taken_twice_is_said_with_the_place_of_the_first(tmp_path):
    text = changed(("tank-1: {type: Machine, at: area-1}", "tank-1: {type: Machine, at: area-1}\n  rest: {type: Machine, table: rest.csv}"))
    found = errors(tmp_path, text, rest_csv="name,at\na,area-1\ntank-1,area-1\n")
    assert [(p.file, p.line) for p in found] == [(str(tmp_path / "rest.csv"), 3)]
    assert f"plant.yaml:{line_of(text, 'tank-1: {')}" in found[0].message


def test_an_ambiguous_name_in_a_relation_lists_what_it_could_be(tmp_path):
    text = changed(("tank-1: {type: Machine, at: area-1}", "tank-1: {type: Machine, at: area-1}\n  rest: {type: Machine, table: rest.csv}"))
    found = errors(tmp_path, text, rest_csv="name,at\ntank-1,area-2\n")
    assert "area-1/tank-1" in found[0].remedy and "area-2/tank-1" in found[0].remedy
    told = text.replace("feeds tank-1", "feeds area-2/tank-1")
    assert read(tmp_path, told, rest_csv="name,at\ntank-1,area-2\n")[0].relations[0][2] == "acme/riverside/area-2/tank-1"


def test_what_two_files_define_is_said_with_both_places(tmp_path):
    found = errors(tmp_path, GOOD, more_yaml="title: Again\ntypes:\n  Pump: {signals: {a: {unit: m}}}\n")
    assert [(p.file, p.line) for p in found] == [(str(tmp_path / "more.yaml"), 1), (str(tmp_path / "more.yaml"), 3)]
    assert all("plant.yaml:" in p.message for p in found)


@pytest.mark.parametrize(
    ("cells", "line", "message"),
    [
        ("nam,at\na,b\n", 1, "column 'name'"), ("name\na\nb c\n", 3, "'b c'"), ("name\na\n\"\"\n", 3, "without a name"),
        ("name,at\na,x//y\n", 2, "'x//y'"), ("name,parameters.wear\na,0.1\nb,2\n", 3, "outside its range"),
        ("name,parameters.wear\na,0.1\nb,x\n", 3, "'x'"), ("name,parameters.waer\na,1\n", 1, "unknown parameter"),
    ],
)  # fmt: skip
def test_a_tables_row_is_the_place_of_its_error(tmp_path, cells, line, message):
    text = changed(("{type: Machine, at: area-1}", "{type: Pump, table: t.csv}"), ("relations: [pump-1 feeds tank-1]", ""))
    found = errors(tmp_path, text, t_csv=cells)
    assert [(p.file, p.line) for p in found] == [(str(tmp_path / "t.csv"), line)], found
    assert message in found[0].message and found[0].remedy


def test_the_error_that_load_raises_tells_all(tmp_path):
    from plant_kit import write

    from gemel.assets import load
    from gemel.errors import AssetError

    with pytest.raises(AssetError) as raised:
        load(write(tmp_path, changed(("unit: kW", "unit: florp"), ("fats", "fats")) if "fats" in GOOD else changed(("unit: kW", "unit: florp"), ("high_high: 95", "high_high: 80"))))
    assert len(raised.value.context["problems"]) == 2 and "plant.yaml:" in raised.value.message
