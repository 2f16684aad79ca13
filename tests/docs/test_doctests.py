"""Examples in docstrings run, and give what they say."""

import doctest
import importlib

import pytest
from docs_kit import SOURCE, modules


def name_of(file) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = [name_of(f) for f in modules() if ">>> " in f.read_text(encoding="utf-8")]


def test_there_are_examples():
    assert len(NAMES) > 5


@pytest.mark.parametrize("name", NAMES)
def test_examples_hold(name):
    """`run_docstring_examples` would count an example that is never reached as good: count what ran."""
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed
