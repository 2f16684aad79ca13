"""The list of assets, for paging: columns of the fleet, an asset looked at only when it is on the page."""

from typing import Any

from gemel.assets import Plant


class Listing:
    """The assets in the order of the plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def under(self, path: str | None) -> list[str]:
        """Give the paths of the assets under a path, or of all."""
        paths = list(self._plant.assets.paths)
        if path is None:
            return paths
        head = path.rstrip("/") + "/"
        return [p for p in paths if p.startswith(head)]

    def brief(self, path: str) -> dict[str, Any]:
        """Give an asset as it stands in a list."""
        view = self._plant.asset(path)
        return {
            "path": view.path, "name": view.name, "title": view.title, "type": view.type, "kind": "asset", "parent": view.parent,
            "signals": len(view.signals), "commands": len(view.commands),
        }  # fmt: skip
