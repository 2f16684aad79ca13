"""Gemel keeps a living digital twin of a plant."""

__version__ = "0.1.0"
