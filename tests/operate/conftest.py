"""What more than one file of these tests begins with."""

import pytest
from evolve_kit import Plants


@pytest.fixture
def plants(tmp_path):
    return Plants(tmp_path)
