"""What the page on Python shows runs as it stands there, from the folder of the project, top to bottom."""

import re

from docs_kit import DOCS, ROOT


def test_the_page_on_python_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path))
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / "python.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    names = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    names["twin"].close()
