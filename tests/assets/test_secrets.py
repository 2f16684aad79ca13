"""Secrets come from the environment or from a file of the data directory, never from the plant file."""

import pytest

from gemel.assets import secret
from gemel.errors import ConfigError


def test_the_environment_comes_first(tmp_path, monkeypatch):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "field-bus").write_text("from the file\n")
    assert secret("field-bus", tmp_path) == "from the file"
    monkeypatch.setenv("GEMEL_SECRET_FIELD_BUS", "from the environment")
    assert secret("field-bus", tmp_path) == "from the environment"


def test_one_that_is_not_set_says_how_to_set_it(tmp_path):
    with pytest.raises(ConfigError) as e:
        secret("field", tmp_path)
    assert "GEMEL_SECRET_FIELD" in e.value.remedy
    assert str(tmp_path / "secrets" / "field") in e.value.remedy


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    (tmp_path / "password").write_text("x")
    with pytest.raises(ConfigError, match="cannot be the name"):
        secret("../password", tmp_path)
