"""People and their passwords: the file gives nothing away and cannot be torn."""

import os
import stat

import pytest
from gemel.errors import ConfigError, NotFoundError
from gemel.serve.users import Users


@pytest.fixture
def users(tmp_path):
    return Users(tmp_path / "users.json")


def test_who_was_added_is_known_by_the_right_password_only(users):
    users.add("anna", "operator", "correct horse")
    assert users.verify("anna", "correct horse").role == "operator"
    assert users.verify("anna", "correct horsf") is None
    assert users.verify("bert", "correct horse") is None


def test_the_file_is_its_owners_and_holds_no_password(users, tmp_path):
    os.umask(0o022)
    users.add("anna", "operator", "correct horse")
    file = tmp_path / "users.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"correct" not in file.read_bytes()
    assert [f.name for f in tmp_path.iterdir() if f.suffix == ".new"] == []


def test_two_people_with_the_same_password_have_different_hashes(users):
    a, b = users.add("anna", "viewer", "correct horse"), users.add("bert", "viewer", "correct horse")
    assert a.digest != b.digest


def test_a_running_reader_sees_additions_and_removals_at_once(users, tmp_path):
    reader = Users(tmp_path / "users.json")
    assert reader.all() == {}
    users.add("anna", "operator", "correct horse")
    assert reader.get("anna").role == "operator"
    users.add("anna", "engineer", "correct horse")
    assert reader.get("anna").role == "engineer"
    users.remove("anna")
    assert reader.get("anna") is None


@pytest.mark.parametrize("name", ["", "a b", "../x", "gemel", "x" * 65, "ä", "-x"])
def test_a_name_that_could_be_misread_in_the_record_is_refused(users, name):
    with pytest.raises(ConfigError, match="name"):
        users.add(name, "viewer", "correct horse")


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused(users, password):
    with pytest.raises(ConfigError, match="password"):
        users.add("anna", "viewer", password)


def test_an_unknown_role_is_refused(users):
    with pytest.raises(ConfigError, match="role"):
        users.add("anna", "admin", "correct horse")


def test_removing_nobody_says_so(users):
    with pytest.raises(NotFoundError):
        users.remove("anna")


def test_a_torn_file_is_an_error_not_an_open_door(users, tmp_path):
    (tmp_path / "users.json").write_text('{"users": [')
    with pytest.raises(ConfigError, match="cannot be read"):
        users.all()
