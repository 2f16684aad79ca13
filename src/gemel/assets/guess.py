"""Names and units out of what devices and loggers call their readings; what is not certain is left open.

``Volume Flow Rate [m3/h]`` -> ``volume_flow_rate``, ``m3/h``
"""

import re
from typing import Final

from gemel.assets.dimension import breaks_promise
from gemel.errors import AssetError
from gemel.samples import units

_BRACKETS: Final = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]{1,12})[\])]\s*$")
_ENDING: Final = re.compile(r"^(?P<name>.+?)[_\s.-](?P<unit>[A-Za-z0-9]+)$")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_SUFFIXES: Final = {
    "degc": "degC", "celsius": "degC", "degf": "degF", "bar": "bar", "mbar": "mbar", "kpa": "kPa", "pa": "Pa", "rpm": "rpm",
    "kw": "kW", "kwh": "kW.h", "m3h": "m3/h", "lpm": "L/min", "gpm": "gal/min", "volt": "V", "volts": "V", "amps": "A",
    "pct": "%", "percent": "%", "mms": "mm/s", "hz": "Hz",
}  # fmt: skip


def signal_of(text: str) -> tuple[str, str | None]:
    """Give the name of a signal, and its unit where the text says one.

    >>> signal_of("Temperature (degC)"), signal_of("pressure_bar"), signal_of("Accelerometer1RMS")
    (('temperature', 'degC'), ('pressure', 'bar'), ('accelerometer1_rms', None))
    """
    match = _BRACKETS.match(text) or _ENDING.match(text)
    said = match["unit"] if match else ""
    unit = _SUFFIXES.get(said.lower()) or (_unit(said) if said and text.rstrip()[-1] in ")]" else None)
    name = _snake(match["name"] if match and (unit or text.rstrip()[-1] in ")]") else text)
    if unit is not None and breaks_promise(name, unit):
        return _snake(text), None
    return name, unit


def level_of(text: str) -> str:
    """Give a level of a path for a level of a topic: itself where it can be one.

    >>> level_of("pump-1"), level_of("Hall 3 (old)")
    ('pump-1', 'Hall-3-old')
    """
    return re.sub(r"[^\w-]+", "-", text).strip("-_") or "x"


def type_of(text: str) -> str:
    """Give the name of a type for the name of an asset: what is left without its number.

    >>> type_of("pump-1"), type_of("cooling_tower_02")
    ('Pump', 'CoolingTower')
    """
    words = re.split(r"[^A-Za-z0-9]+", re.sub(r"[\W_]*\d+$", "", text))
    name = "".join(w[:1].upper() + w[1:] for w in words)
    return name if name[:1].isalpha() else f"Device{name}"


def unit_of(text: str, name: str) -> str | None:
    """Give a unit that a source says, where it is one and fits the signal's name; None otherwise."""
    unit = _SUFFIXES.get(text.lower()) or _unit(text) if text else None
    return None if unit is None or breaks_promise(name, unit) else unit


def _snake(text: str) -> str:
    return "_".join(_WORDS.findall(text)).lower() or "value"


def _unit(text: str) -> str | None:
    try:
        units.parse(text.strip())
    except AssetError:
        return None
    return text.strip()
