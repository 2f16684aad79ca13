"""Documents are held to the code: what exists is told, and what is told exists."""

import importlib
import re
import tomllib

import pytest
from docs_kit import DOCS, ROOT, SOURCE, environment, error_codes, pages, sections, text_of_docs
from ruamel.yaml import YAML

from gemel.assets import check, grammar, grammar_connection, grammar_degradation, grammar_kpis
from gemel.cli import COMMANDS
from gemel.condition import REASONS as DOUBTS
from gemel.connect import REASONS as REFUSALS
from gemel.testing.station.faults import TARGETS

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADINGS = ["In one line.", "Picture.", "Words.", "Flow.", "Limits."]
PACKAGES = sorted(p.parent.name for p in SOURCE.glob("*/__init__.py"))
PAGES = sorted((DOCS / "packages").glob("*.md"))
MACHINE = re.compile(r"/[w]ork/|/[t]mp/|/[r]oot/|/home/\w|site-packages|[p]ypi")
RECORDS = {
    "The plant file": grammar.PLANT,
    "A connection": grammar_connection.CONNECTION,
    "A secret": grammar_connection.SECRET,
    "The namespace": grammar.PLANT.fields["namespace"].shape,
    "A type": grammar.TYPE,
    "Estimates of an area": grammar.AREA,
    "A source": grammar.SOURCE,
    "A signal": grammar.SIGNAL,
    "An alarm": grammar.ALARM,
    "A command": grammar.COMMAND,
    "A parameter": grammar.PARAMETER,
    "A rule": grammar.RULE,
    "A calibration": grammar.CALIBRATION,
    "A roll-up": grammar.ROLLUP,
    "A degradation": grammar_degradation.DEGRADATION,
    "A warning": grammar_degradation.WARNING,
    "A KPI": grammar_kpis.KPI,
    "An example": grammar.EXAMPLE,
    "A relation type": grammar.RELATION_TYPE,
    "An asset": grammar.ASSET,
}


def relative(page):
    return str(page.relative_to(ROOT))


def rows(text: str) -> set[str]:
    """Give what stands as code in the first column of the tables of a text."""
    firsts = re.findall(r"^\|([^|]*)\|", text, flags=re.MULTILINE)
    return {word for first in firsts for word in re.findall(r"`([^`]+)`", first)}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_documented(name):
    assert f"gemel {name}" in (DOCS / "packages" / "cli.md").read_text()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_within_a_command_is_documented(name):
    lines = (DOCS / "packages" / "cli.md").read_text().splitlines()
    row = next(line for line in lines if line.startswith(f"| `gemel {name}"))
    command = importlib.import_module(f"gemel.cli.{name}").command
    words = set(re.findall(r"[\w-]+", row))
    assert set(getattr(command, "commands", ())) <= words
    assert {o for o in words if o.startswith("--")} <= set(_options(command))


def _options(command) -> list[str]:
    own = [o for p in command.params for o in p.opts]
    return own + [o for c in getattr(command, "commands", {}).values() for o in _options(c)]


def test_no_command_is_documented_that_does_not_exist():
    told = set(re.findall(r"(?:^\$ |`|^)gemel ([a-z]+)\b", text_of_docs(), flags=re.MULTILINE))
    assert told <= set(COMMANDS), told - set(COMMANDS)


def test_every_environment_variable_is_documented():
    """A secret's variable has its name at the end: one row tells of all."""
    told = rows((DOCS / "operations.md").read_text())
    wanted = {"GEMEL_SECRET_<NAME>" if v.startswith("GEMEL_SECRET") else v for v in environment()}
    assert wanted == {name for name in told if name.startswith("GEMEL_")}


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_every_relative_link_leads_somewhere(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [t.partition("#")[0] for t in LINK.findall(text) if not re.match(r"[a-z]+:", t)]
    assert [t for t in targets if t and not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_no_page_names_a_place_of_somebodys_machine(page):
    assert MACHINE.findall(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("code", sorted(error_codes()))
def test_every_error_code_has_a_row(code):
    assert code in rows((DOCS / "errors.md").read_text()), error_codes()[code]


def test_no_error_is_documented_that_does_not_exist():
    told = rows((DOCS / "errors.md").read_text())
    assert told <= set(error_codes()), told - set(error_codes())


def test_a_row_of_an_error_says_what_it_means_and_what_to_do():
    lines = [line for line in (DOCS / "errors.md").read_text().splitlines() if line.startswith("| `")]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == 4 and all(row) for row in cells), [row for row in cells if len(row) != 4 or not all(row)]


@pytest.mark.parametrize("heading", RECORDS)
def test_every_key_of_a_plant_file_has_a_row(heading):
    told = rows(sections(DOCS / "plant-file.md")[heading])
    keys = set(RECORDS[heading].fields)
    if heading == "A signal":
        keys -= set(grammar.WHERE)  # told under "A source"
    assert told == keys


def test_the_example_of_a_plant_file_is_one(tmp_path):
    for name in ("plant-file.md", "tutorial.md"):
        text = re.search(r"^```yaml\n(.*?)^```", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)[1]
        folder = tmp_path / name
        folder.mkdir()
        (folder / "plant.yaml").write_text(text)
        plant, problems = check(folder)
        assert plant is not None, problems
        assert problems == []


def test_the_schema_names_the_same_sections():
    """The table of the plant file and the shipped schema come from the same grammar."""
    schema = YAML(typ="safe").load((SOURCE / "assets" / "plant.schema.json").read_text())
    assert set(schema["properties"]) == rows(sections(DOCS / "plant-file.md")["The plant file"])


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_has_a_page(name):
    assert (DOCS / "packages" / f"{name}.md").exists()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_pages_of_packages_have_the_same_headings(page):
    text = page.read_text()
    assert text.startswith(f"# {page.stem}")
    places = [text.find(f"**{heading}**") for heading in HEADINGS]
    assert -1 not in places, HEADINGS[places.index(-1)]
    assert places == sorted(places)


def test_the_index_leads_to_every_page():
    index = (DOCS / "README.md").read_text()
    ours = {str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md")} - {"README.md"}
    assert ours - set(LINK.findall(index)) == set()


def test_the_commands_of_the_readme_are_those_of_the_makefile():
    told = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert told[:2] == ["demo", "test"]
    assert set(told) <= targets


def test_reasons_and_faults_are_those_of_the_code():
    assert set(REFUSALS) <= rows((DOCS / "packages" / "connect.md").read_text())
    assert set(TARGETS) == rows((DOCS / "packages" / "testing.md").read_text())
    own = {"received", "stored", "rejudged"}  # no check: told in words
    assert set(DOUBTS) - own <= rows((DOCS / "packages" / "condition.md").read_text())


def test_the_license_of_the_readme_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] in (ROOT / "README.md").read_text()


def test_the_example_of_a_rule_is_one(tmp_path):
    text = re.search(r"```yaml\n(.*?)^```", sections(DOCS / "plant-file.md")["A rule"], re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "plant.yaml").write_text("plant: acme/riverside\n" + text)
    plant, problems = check(tmp_path)
    assert plant is not None, problems
    assert sum(s.examples for t in plant.templates for s in t.signals) == 2


def test_the_example_of_a_roll_up_is_one(tmp_path):
    text = re.search(r"```yaml\n(.*?)^```", sections(DOCS / "plant-file.md")["A roll-up"], re.MULTILINE | re.DOTALL)[1]
    (tmp_path / "plant.yaml").write_text("plant: acme/riverside\n" + text)
    plant, problems = check(tmp_path)
    assert plant is not None, problems
    assert len(plant.derivations(plant.registry()).rollups) == 2
