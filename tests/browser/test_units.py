"""The page's own unit tests and type check, run by the wheel's Node."""

import pytest

from node_kit import node, packages

pytestmark = pytest.mark.xdist_group("node")


def test_the_pure_parts_hold_what_their_tests_say():
    ran = node(str(packages() / "vitest" / "vitest.mjs"), "run", "--reporter=dot")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_types_agree():
    ran = node(str(packages() / "typescript" / "bin" / "tsc"), "--noEmit")
    assert ran.returncode == 0, ran.stdout + ran.stderr
