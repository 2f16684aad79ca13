"""Status codes: how much a reading deserves to be believed.

OPC UA Part 4, 7.39: a 32-bit number whose top two bits are the severity (00 Good, 01 Uncertain, 10 Bad),
bits 16-29 the sub-code, and, where bits 10-11 say DataValue (01), bits 8-9 the limit (01 low, 10 high,
11 constant). Codes below are the standard's; gemel adds none of its own.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

U32 = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]

GOOD: Final = 0x00000000
GOOD_LOCAL_OVERRIDE: Final = 0x00960000
UNCERTAIN: Final = 0x40000000
UNCERTAIN_LAST_USABLE: Final = 0x40900000
UNCERTAIN_SUBSTITUTE: Final = 0x40910000
UNCERTAIN_SENSOR_NOT_ACCURATE: Final = 0x40930000
UNCERTAIN_UNITS_EXCEEDED: Final = 0x40940000
UNCERTAIN_DATA_SUB_NORMAL: Final = 0x40A40000
BAD: Final = 0x80000000
BAD_COMMUNICATION: Final = 0x80050000
BAD_NOTHING_TO_DO: Final = 0x800F0000
BAD_INVALID_TIMESTAMP: Final = 0x80230000
BAD_WAITING_FOR_INITIAL_DATA: Final = 0x80320000
BAD_OUT_OF_RANGE: Final = 0x803C0000
BAD_SENSOR_FAILURE: Final = 0x808C0000
BAD_OUT_OF_SERVICE: Final = 0x808D0000
BAD_NO_DATA: Final = 0x809B0000

LIMIT_LOW: Final = 0x0500  # info type DataValue (bit 10) with limit bits 01
LIMIT_HIGH: Final = 0x0600
LIMIT_CONSTANT: Final = 0x0700

NAMES: Final = {
    GOOD: "Good",
    GOOD_LOCAL_OVERRIDE: "GoodLocalOverride",
    UNCERTAIN: "Uncertain",
    UNCERTAIN_LAST_USABLE: "UncertainLastUsableValue",
    UNCERTAIN_SUBSTITUTE: "UncertainSubstituteValue",
    UNCERTAIN_SENSOR_NOT_ACCURATE: "UncertainSensorNotAccurate",
    UNCERTAIN_UNITS_EXCEEDED: "UncertainEngineeringUnitsExceeded",
    UNCERTAIN_DATA_SUB_NORMAL: "UncertainDataSubNormal",
    BAD: "Bad",
    BAD_COMMUNICATION: "BadCommunicationError",
    BAD_NOTHING_TO_DO: "BadNothingToDo",
    BAD_INVALID_TIMESTAMP: "BadInvalidTimestamp",
    BAD_WAITING_FOR_INITIAL_DATA: "BadWaitingForInitialData",
    BAD_OUT_OF_RANGE: "BadOutOfRange",
    BAD_SENSOR_FAILURE: "BadSensorFailure",
    BAD_OUT_OF_SERVICE: "BadOutOfService",
    BAD_NO_DATA: "BadNoData",
}
LIMIT_NAMES: Final = {LIMIT_LOW: "low", LIMIT_HIGH: "high", LIMIT_CONSTANT: "constant"}


def severity(status: int) -> str:
    """Give the severity as a word: ``good``, ``uncertain`` or ``bad``.

    >>> severity(BAD_OUT_OF_RANGE | LIMIT_HIGH)
    'bad'
    """
    return ("good", "uncertain", "bad", "bad")[(status >> 30) & 3]


def name(status: int) -> str:
    """Give the standard's name of a status, with its limit where it has one.

    >>> name(BAD_OUT_OF_RANGE | LIMIT_HIGH)
    'BadOutOfRange (high)'
    """
    word = NAMES.get(status & 0xFFFF0000) or f"{severity(status).capitalize()} 0x{status & 0xFFFF0000:08X}"
    limit = LIMIT_NAMES.get(status & 0x0700) if status & 0x0400 else None
    return f"{word} ({limit})" if limit else word


def is_bad(status: U32) -> Mask:
    """Tell which statuses are Bad: values not to be used."""
    return status >= np.uint32(BAD)


def is_good(status: U32) -> Mask:
    """Tell which statuses are Good."""
    return status < np.uint32(UNCERTAIN)


def is_evidence(status: U32) -> Mask:
    """Tell which readings say something of what they are of: none that is Bad, and none of a sensor that repeats itself for too long."""
    repeated: Mask = (status & np.uint32(LIMIT_CONSTANT)) == np.uint32(LIMIT_CONSTANT)
    return ~(is_bad(status) | repeated)
