"""One plant out of a directory: `plant.yaml` and the other `*.yaml` beside it, merged section by section."""

from pathlib import Path
from typing import Final

from gemel.assets.document import parse_file
from gemel.assets.node import Node
from gemel.assets.problem import Problems

MAIN: Final = "plant.yaml"


def read_directory(directory: Path, problems: Problems) -> Node | None:
    """Give all files as one mapping, None where one cannot be read; a name that two files define is a problem."""
    main = directory / MAIN
    if not main.is_file():
        problems.error(
            Node(None, str(main), 0),
            "there is no plant.yaml",
            "name a folder with a plant.yaml; gemel init writes a first one",
        )
        return None
    others = sorted(f for f in directory.glob("*.yaml") if f.name != MAIN and f.is_file())
    for stray in sorted(directory.glob("*.yml")):
        problems.warn(Node(None, str(stray), 0), "is not read", "name it *.yaml")
    root: dict[str, Node] = {}
    before, readable = problems.count, True
    for file in (main, *others):
        part = parse_file(file, problems)
        readable &= part is not None or problems.count == before
        if part is None or (part.value is None and file != main):
            continue
        if not isinstance(part.value, dict):
            problems.error(
                part, "is no mapping of sections", "write sections such as plant:, types:, assets:"
            )
            readable = False
            continue
        for key, section in part.value.items():
            root[key] = _joined(root[key], section, key, problems) if key in root else section
    return Node(root, str(main), 1) if readable else None


def _joined(first: Node, more: Node, key: str, problems: Problems) -> Node:
    if isinstance(first.value, list) and isinstance(more.value, list):
        return Node([*first.value, *more.value], first.file, first.line)
    if not isinstance(first.value, dict) or not isinstance(more.value, dict):
        problems.error(
            more, f"{key!r} is already said in {first.file}:{first.line}", "say it in one file only"
        )
        return first
    both = dict(first.value)
    for name, entry in more.value.items():
        if name in both:
            problems.error(
                entry,
                f"{name!r} of {key} is already in {both[name].file}:{both[name].line}",
                "keep one, or rename one",
            )
        else:
            both[name] = entry
    return Node(both, first.file, first.line)
