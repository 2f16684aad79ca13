"""The shipped JSON Schema says what the grammar says, and takes what the reader takes."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from plants import HEAD, PUMPS
from ruamel.yaml import YAML

import gemel.testing
from gemel.assets import check
from gemel.assets.schema import FILE, printed

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [*(ROOT / "examples").glob("*/plant.yaml"), *Path(gemel.testing.__file__).parent.rglob("plant.yaml")]


def valid(text: str) -> bool:
    return jsonschema_rs.validator_for(json.loads(FILE.read_text())).is_valid(YAML(typ="safe", pure=True).load(text))


def test_the_shipped_file_is_what_the_grammar_gives():
    assert FILE.read_text(encoding="utf-8") == printed(), "write it anew: gemel check --schema"


def test_it_is_a_schema_itself():
    jsonschema_rs.meta.validate(json.loads(FILE.read_text()))


@pytest.mark.parametrize("file", EXAMPLES, ids=[f.parent.name for f in EXAMPLES])
def test_it_takes_each_plant_that_we_ship_and_so_does_the_reader(file):
    assert valid(file.read_text())
    plant, problems = check(file.parent)
    assert plant is not None
    assert problems == []


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("text", [PUMPS, HEAD, "plant: a/b\ntypes: {T: }\n"])
def test_it_takes_what_the_reader_takes(text):
    assert valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "title: x\n", "plant: acme\n", HEAD + "clok: wall\n", HEAD + "clock: sun\n", HEAD + "writes: 1\n", HEAD + "retention: {fast: soon}\n",
        HEAD + "assets: {a: {at: x}}\n", HEAD + "types: {'a b': {}}\n", HEAD + "types: {T: {signals: {x: {range: [1]}}}}\n",
        HEAD + "types: {T: {signals: {x: {path: value}}}}\n", HEAD + "types: {T: {signals: {x: {alarm: {hihi: 3}}}}}\n",
        'plant: a/b\nconnections: {f: {mqtt: "http://x"}}\n', 'plant: a/b\nconnections: {f: {mqtt: "mqtt://x", password: p}}\n',
    ],
)  # fmt: skip
def test_it_refuses_what_the_reader_refuses(text):
    assert not valid(text)
