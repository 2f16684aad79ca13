"""What more than one file of these tests begins with."""

import os

import fmu_kit
import pytest
from evolve_kit import Plants


@pytest.fixture
def plants(tmp_path):
    return Plants(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def fmus_built_once(tmp_path_factory):
    """FMUs are built once a run, by whichever worker comes first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fmus"
    folder.mkdir(exist_ok=True)
    fmu_kit.BUILT[:] = [folder]
