"""`gemel check`: what it says to people and to scripts, and how it ends."""

import json

import pytest
from click.testing import CliRunner
from plants import HEAD, PUMPS, write

from gemel.assets import schema
from gemel.cli import group


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path / "data"))
    return lambda *args: CliRunner().invoke(group, ["check", *map(str, args)])


def test_a_good_plant_ends_with_0_and_says_what_it_will_write(tmp_path, run):
    done = run(write(tmp_path / "plant", PUMPS))
    assert done.exit_code == 0
    assert "acme/riverside: 3 assets, 7 signals, 2 commands; 0 errors, 1 warning" in done.output
    for words in ("values and", "a day", "default 400 days, fast 30 days", "free for", "holds all that is kept"):
        assert words in done.output


def test_a_wrong_plant_ends_with_1_and_says_where(tmp_path, run):
    done = run(write(tmp_path / "plant", HEAD + "clok: wall\n"))
    assert done.exit_code == 1
    assert f"{tmp_path}/plant/plant.yaml:3: error: unknown key 'clok'" in done.output
    assert "did you mean 'clock'?" in done.output
    assert "1 error, 0 warnings: this plant cannot be run" in done.output


def test_a_plant_that_is_not_there_ends_with_2(tmp_path, run):
    assert run(tmp_path / "nowhere").exit_code == 2


def test_the_file_itself_may_be_named(tmp_path, run):
    assert run(write(tmp_path / "plant", PUMPS) / "plant.yaml").exit_code == 0


def test_json_tells_a_script_the_same(tmp_path, run):
    done = run(write(tmp_path / "plant", PUMPS), "--json", "--data", tmp_path / "elsewhere")
    told = json.loads(done.stdout)
    assert (told["ok"], told["errors"], told["warnings"]) == (True, 0, 1)
    assert (told["assets"], told["signals"], told["commands"]) == (3, 7, 2)
    assert told["data"] == str(tmp_path / "elsewhere")
    assert told["bytes_per_day"] > told["values_per_day"] > 86_400 * 2 * 2
    assert told["disk_lasts_days"] is None
    assert told["retention_days"] == {"default": 400, "fast": 30}
    assert told["problems"][0]["line"] > 0


def test_json_of_a_wrong_plant_lists_each_problem(tmp_path, run):
    done = run(write(tmp_path / "plant", HEAD + "clok: wall\n"), "--json")
    assert done.exit_code == 1
    [problem] = json.loads(done.stdout)["problems"]
    assert {k: problem[k] for k in ("line", "severity", "message")} == {"line": 3, "severity": "error", "message": "unknown key 'clok' in the plant file"}


def test_a_plant_that_writes_more_than_the_disk_holds_is_told_how_long_it_lasts(tmp_path, run):
    rows = "name\n" + "".join(f"a{i}\n" for i in range(10_000))
    text = HEAD + "retention: {default: 40000 d}\ntypes: {T: {signals: {x: {unit: 1, interval: 1 ms}}}}\nassets: {a: {type: T, table: a.csv}}\n"
    folder = write(tmp_path / "plant", text, a__csv=rows)
    told = json.loads(run(folder, "--json").stdout)
    assert told["disk_lasts_days"] == pytest.approx(told["free_bytes"] / told["bytes_per_day"], rel=0.01)
    assert "it is full after" in run(folder).output


def test_signals_without_an_interval_are_said_to_be_assumed(tmp_path, run):
    assert "5 signals without interval: one reading each 1 s assumed" in run(write(tmp_path / "plant", PUMPS)).output


def test_the_schema_is_printed_without_a_plant(run):
    done = run("--schema")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == schema()


def test_the_help_ends_with_an_example(run):
    assert run("--help").output.strip().splitlines()[-1].strip().startswith("Example: gemel check")
