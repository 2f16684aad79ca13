"""Assets by words of their path or title, in any case: what somebody types who looks for one of a million.

Few different places and titles are looked at as text, each once; only the names differ from asset to asset.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.fleet import Fleet
from gemel.samples.texts import Texts

Mask = npt.NDArray[np.bool_]


def named(fleet: Fleet, words: str) -> Mask:
    """Tell in whose path below the site, or in whose title, every one of some words is; in any case of letters.

    A word with a slash goes over the levels: ``line-07/pump`` is in ``area-1/line-07/pump-3``, and so is the whole path.
    """
    found = np.ones(len(fleet), np.bool_)
    for word in (w.removeprefix(f"{fleet.root}/") for w in words.split()):
        found &= _has(fleet.titles, word) | _in_path(fleet, word)
    return found


def _in_path(fleet: Fleet, word: str) -> Mask:
    placed = _has(fleet.at, word)
    above, slash, own = word.rpartition("/")
    if not slash:
        return placed | _has(fleet.names, word)
    return placed | (_has(fleet.at, above, pc.ends_with) & _has(fleet.names, own, pc.starts_with))


def _has(texts: Texts, word: str, test: Callable[..., Any] = pc.match_substring) -> Mask:
    column = texts.array
    if pa.types.is_dictionary(column.type):
        held = test(column.dictionary, word, ignore_case=True).take(column.indices)
    else:
        held = test(column, word, ignore_case=True)
    return np.asarray(pc.fill_null(held, False), np.bool_)
