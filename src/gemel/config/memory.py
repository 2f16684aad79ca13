"""Memory of a process: giving back what was needed once, and sparing the collector what stays."""

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


def settle() -> None:
    """Give back what loading a plant needed, and leave what lasts out of the collector's rounds: one takes up to 0.5 s.

    To be called again when another plant came into force: what is left of the former one is collected then.
    """
    gc.unfreeze()
    give_back()
    gc.freeze()
