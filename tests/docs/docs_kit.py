"""What the code says of itself, read without running it, to hold the documents to."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "gemel"
CODE = re.compile(r"^[a-z][a-z0-9-]*$")
REFUSALS = {"Refusal": 0, "_conflict": 1}  # where a code stands without its name
ELSEWHERE = {"4403"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def pages() -> list[Path]:
    """All Markdown files that are ours."""
    tops = [p for p in ROOT.glob("*.md")]
    return sorted(tops + list(DOCS.rglob("*.md")) + list((ROOT / "examples").rglob("*.md")))


def text_of_docs() -> str:
    return "\n".join(p.read_text(encoding="utf-8") for p in pages())


def error_codes() -> dict[str, str]:
    """Give each stable code of an error and where it stands first."""
    found: dict[str, str] = {}
    for file in modules():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for said in _codes(node):
                if isinstance(said, ast.Constant) and isinstance(said.value, str) and CODE.match(said.value):
                    found.setdefault(said.value, f"{file.relative_to(ROOT)}:{said.lineno}")
    return found


def _codes(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        named = [k.value for k in node.keywords if k.arg == "code"]
        place = REFUSALS.get(ast.unparse(node.func))
        return named + ([node.args[place]] if place is not None and len(node.args) > place else [])
    if isinstance(node, ast.ClassDef):
        return [
            s.value
            for s in node.body
            if isinstance(s, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "code" for t in s.targets)
        ]
    if isinstance(node, ast.Dict):
        return [v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant) and k.value == "code"]
    return []


def environment() -> set[str]:
    """Give the environment variables that gemel reads, those of the page's build too."""
    texts = [p.read_text(encoding="utf-8") for p in [*modules(), ROOT / "web" / "build_page.py"]]
    return {name for text in texts for name in re.findall(r"GEMEL_[A-Z][A-Z_]*[A-Z]", text)}


def sections(page: Path) -> dict[str, str]:
    """Give a page's text by heading (of level two)."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
