"""Serve: people and programs look in, over HTTP, WebSocket and the page.

request -> guard (host, origin) -> gate (who, may they) -> route -> `Twin` (the port) -> shape
"""

from gemel.serve.app import create_app
from gemel.serve.port import Delta, LiveValues, Twin
from gemel.serve.run import check, run
from gemel.serve.settings import ServeSettings
from gemel.serve.users import ROLES, Role, User, Users

__all__ = [
    "ROLES",
    "Delta",
    "LiveValues",
    "Role",
    "ServeSettings",
    "Twin",
    "User",
    "Users",
    "check",
    "create_app",
    "run",
]
