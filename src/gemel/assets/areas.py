"""Areas that are followed as one system: `estimates: {line-1: {}}` at the top of a plant file.

What is followed of each asset is said by its type; an area says only what is different of the whole. Which states and
sensors its system has is checked where the models are loaded.
"""

from collections.abc import Mapping

from gemel.assets.fleet import Fleet
from gemel.assets.modelled import estimates_of
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Estimates


def read_areas(section: Node | None, fleet: Fleet, problems: Problems) -> Mapping[str, Estimates]:
    """Give the areas that are followed as one system, by path.

    Args:
        section: `estimates:` of the file.
        fleet: the assets that were read.
        problems: where to report.
    """
    if section is None:
        return {}
    known = {*(f"{fleet.root}/{at}" for at in fleet.at), *fleet.paths} if section.fields else set()
    found = {}
    for name, node in section.fields.items():
        path = f"{fleet.root}/{name}"
        if not any(one == path or one.startswith(f"{path}/") for one in known):
            short = [one.removeprefix(f"{fleet.root}/") for one in known]
            problems.error(node, f"there is nothing at {name!r}", did_you_mean(name, short))
            continue
        found[path] = estimates_of(node)
    return found
