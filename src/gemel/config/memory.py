"""Giving memory back to the machine: a process that needed a lot once, and only guards from then on, should be small."""

import ctypes
import gc

import pyarrow as pa


def give_back() -> None:
    """Give back what is not in use; does nothing where the C library has no way to."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
