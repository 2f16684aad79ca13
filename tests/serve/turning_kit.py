"""A pump that turned for two hours, of whatever plant file wears it out."""

import numpy as np
from serve_fake import PUMP, SECOND, START, FakeTwin

MINUTES = 120


def turning(plant):
    """Give a twin whose pump turned at 1450 rpm, read each ten seconds."""
    twin = FakeTwin(plant)
    times = START - MINUTES * 60 * SECOND + np.arange(MINUTES * 6) * 10 * SECOND
    twin.fill(f"{PUMP}/speed", times, np.full(len(times), 1450.0))
    return twin
