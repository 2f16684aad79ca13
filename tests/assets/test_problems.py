"""Everything that is wrong is said at once: where, what, and what to write instead."""

import pytest
from plants import HEAD, PUMPS, problems, write

from gemel.assets import check, load
from gemel.errors import AssetError


def signal(line: str, more: str = "") -> str:
    """A plant of one type whose signal stands on line 5."""
    return f'{HEAD}types:\n  T:\n    signals: {{{line}}}\n{more or "assets: {a: {type: T}}"}\n'


SOURCE = 'topic: x, path: "$.v", time: "$.t"'
CASES = [
    # (plant file, line, what is wrong, what to write)
    ("clock: wall\n", 1, "has no plant", "add plant: enterprise/site"),
    ("plant: riverside\n", 1, "cannot be 'riverside'", "acme/riverside"),
    ("plant: acme/x\nclok: wall\n", 2, "unknown key 'clok'", "did you mean 'clock'?"),
    ("plant: acme/x\nclock: sun\n", 2, "cannot be 'sun'", "wall, data"),
    ("plant: acme/x\nwrites: yes\n", 2, "cannot be 'yes'", "true or false"),
    ("plant: acme/x\ntimezone: Europe/Berlinn\n", 2, "unknown time zone", "Europe/Berlin"),
    ("plant: acme/x\nretention: {fast: 3 km}\n", 2, "measure different things", "400 d"),
    ("plant: acme/x\nretention: {fast: 1 h}\n", 2, "cannot be '1 h'", "not below 86400 s"),
    ("plant: acme/x\nplant: acme/y\n", 2, "stands here twice, first on line 1", "keep one"),
    ("plant: acme/x\ntitle: [a\n", 3, "not YAML 1.2", "see this line and the one above"),
    ("plant: acme/x\ntitle: !!int 5\n", 2, "a tag", "plain value"),
    ("plant: acme/x\nassets: *a\n", 2, "alias *a refers to no", "&a"),
    ("plant: acme/x\n---\nplant: acme/y\n", 2, "a second document", "drop the ---"),
    ("- plant\n", 1, "no mapping of sections", "plant:, types:, assets:"),
    ("plant: acme/x\nconnections: {f: {url: x}}\n", 2, "unknown key 'url'", "mqtt://host:1883"),
    ("plant: acme/x\nconnections: {f: {opcua: x}}\n", 2, "unknown key 'opcua'", "this version speaks mqtt"),
    ("plant: acme/x\nconnections: {f: {user: x}}\n", 2, "has no mqtt", "add mqtt"),
    ('plant: acme/x\nconnections: {f: {mqtt: "http://x"}}\n', 2, "cannot be 'http://x'", "mqtt://127.0.0.1:1883"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://u:p@host"}}\n', 2, "do not belong into an address", "{secret: NAME}"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://host:99999"}}\n', 2, "the port of", "1 to 65535"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://:1883"}}\n', 2, "names no host", "mqtt://127.0.0.1:1883"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://h", version: 4}}\n', 2, "cannot be 4", "5, 3.1.1"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://h", user: u, password: p}}\n', 2, "cannot be 'p'", "{secret: NAME}"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://h", password: {secret: a}}}\n', 2, "a password and no user", "add user:"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtt://h", ca: /etc/hosts}}\n', 2, "not encrypted", "mqtts://"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtts://h", ca: ca.pem}}\n', 2, "no whole path", "from / on"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtts://h", key: /etc/hosts}}\n', 2, "a key and no cert", "add cert:"),
    ("plant: acme/x\nnamespace: {connection: field}\n", 2, "unknown connection 'field'", "connections:"),
    (HEAD + "namespace: {connection: feild}\n", 3, "unknown connection 'feild'", "did you mean 'field'?"),
    (HEAD + "types: {A: {extends: B}}\n", 3, "unknown type 'B'", "there is none yet"),
    (HEAD + "types: {A: {extends: B}, B: {extends: A}}\n", 3, "in a circle: A → B → A", "extend nothing"),
    (signal("flow: {unit: kg}"), 5, "'flow' in 'kg': the dimension is wrong", "m3/s"),
    (signal("x: {}"), 5, "signal 'x' has no unit", "add unit"),
    (signal("x: {unit: rmp}"), 5, "unknown unit 'rmp'", "rpm"),
    (signal("x: {unit: bar, range: [10, 0]}"), 5, "inverted: 10 is not below 0", "write [0, 10]"),
    (signal("x: {unit: bar, range: [1, 2, 3]}"), 5, "range", "[0, 100]"),
    (signal("x: {unit: bar, range: [0, 5 degC]}"), 5, "measure different things", "'bar'"),
    (signal("x: {unit: bar, max_rate: 5 bar}"), 5, "not a rate of change", "5 bar/s"),
    (signal("x: {unit: bar, interval: 5 m}"), 5, "measure different things", "1 s"),
    (signal("x: {unit: bar, interval: -5 s}"), 5, "-5 s", "not below 0"),
    (signal("x: {unit: bar, retention: slow}"), 5, "unknown retention class 'slow'", "default"),
    (signal("x: {kind: state}"), 5, "has no states", "[stopped, running]"),
    (signal("x: {unit: bar, kind: analog, states: [a, b]}"), 5, "is analog and has states", "kind: state"),
    (signal("x: {states: [a, a]}"), 5, "a state twice", "each word once"),
    (signal("x: {unit: bar, alarm: {}}"), 5, "has no limit", "add high:"),
    (signal("x: {unit: bar, alarm: {hi: 3}}"), 5, "unknown key 'hi'", "write high"),
    (signal("x: {unit: bar, alarm: {high: 9, high_high: 8}}"), 5, "out of order", "low_low < low < high < high_high"),
    (signal("x: {unit: bar, alarm: {high: 9, priority: 4}}"), 5, "cannot be 4", "from 1 to 3"),
    (signal("x: {unit: bar, from: nowhere, topic: x}"), 5, "unknown connection 'nowhere'", "field"),
    (signal("x: {unit: bar, topic: a/b+/c}"), 5, "is no topic", "+ stands for a whole level"),
    (signal("x: {unit: bar, topic: x, path: value}"), 5, "cannot be 'value'", "$.value"),
    (signal('x: {unit: bar, source: {topic: x, unit: kg}}'), 5, "they measure different things", "'bar'"),
    (signal("x: {unit: bar, topic: 'x/{assset}'}"), 6, "nothing is known for {assset}", "did you mean 'asset'?"),
    (signal("'a b': {unit: bar}"), 5, "cannot name a signal", "without blanks"),
    (HEAD + "assets: {a: {type: Q}}\n", 3, "unknown type 'Q'", "types:"),
    (HEAD + "assets: {a: {at: x}}\n", 3, "has no type", "add type"),
    (signal("x: {unit: bar}", "assets: {a: {type: T, at: acme/riverside/x}}"), 6, "repeats the root", "below enterprise/site"),
    (signal("x: {unit: bar}", "assets: {a: {type: T, at: 'x//y'}}"), 6, "cannot be 'x//y'", "area-1/line-1"),
    (signal("x: {unit: bar}", "assets: {a: {type: T, signals: {y: {}}}}"), 6, "T has no signal 'y'", "x"),
    (signal("x: {unit: bar}", "assets: {a: {type: T, signals: {x: {kind: state}}}}"), 6, "unknown key 'kind'", "the type's to say"),
    (signal("x: {unit: bar}", "assets: {a: {type: T, commands: {go: {}}}}"), 6, "T has no command 'go'", "none yet"),
    (signal("x: {unit: bar}", "assets: {a: {type: T, parameters: {p: 1}}}"), 6, "unknown parameter 'p'", "none yet"),
    (signal("b: {unit: bar}", "assets:\n  a: {type: T}\n  b: {type: T, at: a}"), 8, "is a signal of 'a' already", "rename"),
    (signal("x: {unit: bar}", "assets: {f: {type: T, table: none.csv}}"), 6, "none.csv cannot be read", "beside plant.yaml"),
    (signal("x: {unit: bar}", "assets: {a: {type: T}}\nrelations: [a feeds b]"), 7, "dangles: there is no asset 'b'", "a"),
    (signal("x: {unit: bar}", "assets: {a: {type: T}}\nrelations: [a feeds a]"), 7, "related to itself", "two assets"),
    (signal("x: {unit: bar}", "assets: {a: {type: T}}\nrelations: [a feeds]"), 7, "cannot be 'a feeds'", "pump-1 feeds tank-1"),
    (signal("x: {unit: bar}", "assets: {a: {type: T}, b: {type: T}}\nrelations:\n- a feeds b\n- a feeds b"), 9, "stands twice", "keep one"),
    (signal("x: {unit: bar}", "assets: {a: {type: T}, b: {type: T}}\nrelations:\n- a contains b\n- b contains a"), 9, "in a circle", "take one"),
]  # fmt: skip
COMMANDS = [
    ("go: {sets: y}", "unknown signal 'y'", "x"),
    ("go: {}", "has no unit", "add unit"),
    ("go: {unit: kg, sets: x}", "the dimension is wrong", "write bar"),
    ("go: {unit: mbar, sets: x}", "but 'x' in 'bar'", "the same unit"),
    ("go: {sets: x, range: [3, 1]}", "inverted", "[1, 3]"),
    ("go: {sets: x, tolerance: 1 m}", "measure different things", "'bar'"),
    ("go: {sets: x, approval: viewer}", "cannot be 'viewer'", "operator, engineer"),
    ("go: {sets: x, to: nowhere, topic: x}", "unknown connection 'nowhere'", "field"),
    ("go: {sets: x, payload: on}", "cannot be 'on'", "{value} must stand in it"),
    ("go: {sets: x, topic: a/+}", "cannot be 'a/+'", "without + and #"),
]


def only(found, message):
    hits = [p for p in found if message in p.message]
    assert len(hits) == 1, f"{message!r} in {[str(p) for p in found]}"
    return hits[0]


@pytest.mark.parametrize(("text", "line", "message", "remedy"), CASES, ids=[c[2] for c in CASES])
def test_an_error_says_its_file_its_line_and_the_remedy(tmp_path, text, line, message, remedy):
    plant, found = check(write(tmp_path, text))
    problem = only(found, message)
    assert (plant, problem.severity) == (None, "error")
    assert (problem.file, problem.line) == (str(tmp_path / "plant.yaml"), line)
    assert remedy in problem.remedy


@pytest.mark.parametrize(("command", "message", "remedy"), COMMANDS, ids=[c[1] for c in COMMANDS])
def test_a_command_is_checked_against_the_signals_it_names(tmp_path, command, message, remedy):
    text = f"{HEAD}types:\n  T:\n    signals: {{x: {{unit: bar, {SOURCE}}}}}\n    commands:\n      {command}\nassets: {{a: {{type: T}}}}\n"
    problem = only(problems(tmp_path, text), message)
    assert (problem.line, problem.severity) == (7, "error")
    assert remedy in problem.remedy


WARNINGS = [
    (signal("x: {unit: bar}"), 6, "nothing feeds x of T", "add source"),
    (signal("x: {unit: bar, topic: x}"), 5, "the time of receipt counts", "add time:"),
    (signal(f"x: {{unit: bar, {SOURCE}, range: [0, 5], alarm: {{high: 9}}}}"), 5, "can never be reached", "change the limit"),
    (HEAD, 1, "there are no assets", "add assets:"),
    ('plant: acme/x\nconnections: {f: {mqtt: "mqtts://h", ca: /nowhere/ca.pem}}\n', 2, "is not here", "put the file there"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "remedy"), WARNINGS, ids=[c[2] for c in WARNINGS])
def test_a_warning_leaves_the_plant_usable(tmp_path, text, line, message, remedy):
    plant, found = check(write(tmp_path, text))
    problem = only(found, message)
    assert plant is not None
    assert (problem.line, problem.severity) == (line, "warning")
    assert remedy in problem.remedy


def test_a_command_without_a_way_out_is_a_warning_once_per_type(tmp_path):
    text = PUMPS.replace('to: field, topic: "station/{asset}/set", ', "")
    found = [p for p in problems(tmp_path, text) if "is not wired" in p.message]
    assert [(p.line, p.severity) for p in found] == [(22, "warning")]


def test_all_errors_come_at_once_sorted_by_line(tmp_path):
    text = signal("flow: {unit: kg}, x: {unit: rmp}", "assets: {a: {type: Q}}\nrelations: [a feeds b]").replace("acme/riverside", "acme")
    found = problems(tmp_path, text)
    assert [p.line for p in found] == sorted(p.line for p in found)
    for words in ("cannot be 'acme'", "'kg'", "'rmp'"):
        only(found, words)


def test_what_follows_from_an_error_is_not_said_as_well(tmp_path):
    text = f"{HEAD}types:\n  T:\n    signals: {{x: {{unit: rmp}}}}\n    commands: {{go: {{sets: x}}}}\nassets: {{a: {{type: T, signals: {{x: {{interval: 1 s}}}}}}}}\n"
    errors = [p for p in problems(tmp_path, text) if p.severity == "error"]
    assert [p.message for p in errors] == ["unknown unit 'rmp'"]


def test_a_fault_of_a_type_is_said_once_however_many_inherit_it(tmp_path):
    text = HEAD + "types:\n  A: {signals: {x: {unit: rmp}}}\n  B: {extends: A}\n  C: {extends: B}\nassets: {b: {type: B}, c: {type: C}}\n"
    assert len([p for p in problems(tmp_path, text) if p.severity == "error"]) == 1


TABLE = HEAD + 'types:\n  T:\n    source: {topic: "x/{tag}", path: "$.{key}", time: "$.t"}\n    signals: {x: {unit: bar}}\n    parameters: {head: {unit: m, range: [0, 50]}}\nassets: {f: {type: T, table: f.csv}}\n'
TABLES = [
    ("nam,tag,key\na,t,k\n", 1, "no column 'name'", "did you mean 'nam'?"),
    ("name,tag,key\na,t,k\na,u,k\n", 3, "acme/riverside/a is already taken", "rename one"),
    ("name,tag,key\na,t,k\nb c,u,k\n", 3, "'b c' cannot be the name", "without blanks"),
    ("name,tag,key\na,t,k\n,u,k\n", 3, "a row without a name", "letters"),
    ("name,tag,key\na,,k\n", 2, "'a' has no tag", "fill the cell"),
    ("name,tag,key\na,t+,k\n", 2, "a filter of many topics", "+ and #"),
    ("name,tag,key\na,t,x y\n", 2, "'$.x y' is no JSON path", '$["{key}"]'),
    ("name,tag,key,at\na,t,k,x//y\n", 2, "at cannot be 'x//y'", "divided by /"),
    ("name,tag,key,parameters.heat\na,t,k,1\n", 1, "unknown parameter", "did you mean 'head'?"),
    ("name,tag,key,parameters.head\na,t,k,60 m\n", 2, "outside its range", "0 to 50"),
    ("name,tag,key,parameters.head\na,t,k,6 kg\n", 2, "measure different things", "'m'"),
    ("name,tag,tag,key\na,t,u,k\n", 1, "a column stands here twice", "rename one"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "line", "message", "remedy"), TABLES, ids=[c[2] for c in TABLES])
def test_a_table_is_checked_by_its_own_lines(tmp_path, table, line, message, remedy):
    plant, found = check(write(tmp_path, TABLE, f__csv=table))
    problem = only(found, message)
    assert plant is None
    assert (problem.file, problem.line) == (str(tmp_path / "f.csv"), line)
    assert remedy in problem.remedy


def test_files_are_merged_and_a_name_that_two_define_is_refused(tmp_path):
    more = "assets: {b: {type: T}}\ntypes:\n  T: {}\n"
    found = problems(tmp_path, signal(f"x: {{unit: bar, {SOURCE}}}"), more__yaml=more)
    problem = only(found, "'T' of types is already in")
    assert (problem.file, problem.line) == (str(tmp_path / "more.yaml"), 3)


def test_a_folder_without_a_plant_file_says_how_to_get_one(tmp_path):
    plant, found = check(tmp_path)
    assert plant is None
    assert "gemel init" in found[0].remedy


def test_loading_a_wrong_file_raises_with_all_of_it(tmp_path):
    with pytest.raises(AssetError) as e:
        load(write(tmp_path, "plant: acme/x\nclok: wall\ntimezone: Nowhere\n"))
    assert e.value.code == "plant-file"
    assert [p["line"] for p in e.value.context["problems"]] == [2, 3]
    assert "plant.yaml:2" in str(e.value)
