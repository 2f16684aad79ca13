from gemel.errors import GemelError as GemelError
from gemel.face import Table as Table
from gemel.face import Twin as Twin
from gemel.face import open as open  # noqa: A004 - the face has its name

__version__: str
__all__ = ["GemelError", "Table", "Twin", "__version__", "open"]
