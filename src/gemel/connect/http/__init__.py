"""Telemetry over HTTP: pure functions from bytes to rows and refusals; *serve* mounts them.

bytes -> decode (JSON, NDJSON, line protocol, Arrow) -> `Given` -> settle (names, words, bounds) -> rows
"""

from gemel.connect.http.decode import MEDIA_TYPES, MOST_ROWS, UnreadableBodyError, decode
from gemel.connect.http.rows import Given, Refusal, Row, settle

__all__ = ["MEDIA_TYPES", "MOST_ROWS", "Given", "Refusal", "Row", "UnreadableBodyError", "decode", "settle"]
