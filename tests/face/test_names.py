"""`import gemel` gives few names, at once, and no more than it says."""

import subprocess
import sys
import time

from pace_kit import allowed
import gemel
from docs_kit import ROOT


def test_the_names_are_those_that_are_exported():
    assert sorted(gemel.__all__) == dir(gemel)
    assert {name: getattr(gemel, name) is not None for name in gemel.__all__} == dict.fromkeys(gemel.__all__, True)
    stub = (ROOT / "src" / "gemel" / "__init__.pyi").read_text()
    assert all(f"as {name}" in stub or f"{name}:" in stub for name in gemel.__all__)


def test_what_is_not_there_is_told():
    try:
        gemel.opne
    except AttributeError as e:
        assert "opne" in str(e)
    else:
        raise AssertionError


def test_importing_it_loads_nothing_heavy():
    heavy = ("numpy", "pyarrow", "duckdb", "fastapi", "nats", "pandas", "polars")
    code = f"import sys, gemel; print([m for m in {heavy!r} if m in sys.modules])"
    began = time.perf_counter()
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
    assert time.perf_counter() - began < allowed(5)


def test_every_exported_name_has_an_example():
    for name in ("open", "Table"):
        assert ">>> " in getattr(gemel, name).__doc__
    for name in ("state", "history", "aligned", "find", "signals", "condition", "replay"):
        assert ">>> " in getattr(gemel.Twin, name).__doc__, name
