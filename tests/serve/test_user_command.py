"""`gemel user` adds, lists and removes people without ever showing a password."""

import json

import pytest
from click.testing import CliRunner
from gemel.cli.user import command
from gemel.serve import Users


@pytest.fixture
def user(tmp_path):
    def call(*args, **kwargs):
        return CliRunner().invoke(command, [*args, "--data", str(tmp_path)], **kwargs)

    return call


def test_a_password_is_asked_for_twice_without_echo(user, tmp_path):
    done = user("add", "anna", "--role", "operator", input="correct horse\ncorrect horse\n")
    assert (done.exit_code, done.stdout) == (0, "anna is operator\n")
    assert "horse" not in done.output
    assert Users(tmp_path / "users.json").verify("anna", "correct horse")


def test_a_script_gives_it_on_standard_input(user, tmp_path):
    assert user("add", "anna", "--role", "viewer", "--password-stdin", input="correct horse\n").exit_code == 0
    assert Users(tmp_path / "users.json").verify("anna", "correct horse").role == "viewer"


def test_people_are_listed_and_removed(user):
    user("add", "anna", "--role", "viewer", "--password-stdin", input="correct horse\n")
    assert user("list").stdout == "anna\tviewer\n"
    assert json.loads(user("list", "--json").stdout) == [{"name": "anna", "role": "viewer"}]
    assert user("remove", "anna").exit_code == 0
    assert json.loads(user("list", "--json").stdout) == []


def test_a_wrong_role_is_a_wrong_use(user):
    assert user("add", "anna", "--role", "king").exit_code == 2


@pytest.mark.parametrize("args", [[], ["add"], ["list"], ["remove"]])
def test_each_help_ends_with_an_example(args):
    assert "Example: gemel user" in CliRunner().invoke(command, [*args, "--help"]).output.splitlines()[-1]


def test_the_only_twin_there_is_need_not_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path))
    (tmp_path / "acme-riverside").mkdir()
    args = ["add", "anna", "--role", "viewer", "--password-stdin"]
    assert CliRunner().invoke(command, args, input="correct horse\n").exit_code == 0
    assert Users(tmp_path / "acme-riverside" / "users.json").get("anna")
    (tmp_path / "acme-hillside").mkdir()
    unsaid = CliRunner().invoke(command, args, input="correct horse\n")
    assert unsaid.exit_code == 2
    assert "acme-hillside" in unsaid.output
