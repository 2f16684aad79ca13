"""The checks of `gemel.condition`, slow and obvious: one row at a time, plain Python, the whole past judged again."""

import math
import struct
from collections import Counter
from dataclasses import dataclass, field

from gemel.samples.status import (
    BAD,
    BAD_INVALID_TIMESTAMP,
    BAD_OUT_OF_RANGE,
    BAD_SENSOR_FAILURE,
    LIMIT_CONSTANT,
    LIMIT_HIGH,
    LIMIT_LOW,
    UNCERTAIN,
    UNCERTAIN_SENSOR_NOT_ACCURATE,
)

LATEST = 4_102_444_800 * 10**9


def word(value: float) -> int:
    return struct.unpack("<q", struct.pack("<d", value))[0]


@dataclass
class Known:
    """What is known of one time of a signal: every (value, source status) that was said, and what counts."""

    said: set = field(default_factory=set)
    value: float = math.nan
    source: int = 0
    came: int = -1
    received: int = -1
    status: int = 0


class Reference:
    """One row after another; a row is (signal, time, received, value, status)."""

    def __init__(self, checks, most=256):
        self.most = most
        self.disturbed = Counter()
        self.checks = checks
        n = len(checks)
        self.past = [{} for _ in range(n)]  # time → Known
        self.head = [None] * n
        self.watermark = -(1 << 62)
        self.since_tick = [[] for _ in range(n)]  # (time, word, source)
        self.counts = [Counter() for _ in range(n)]

    def tick(self, time):
        self.watermark = max(self.watermark, time - self.checks.lateness)
        self.since_tick = [[] for _ in self.since_tick]
        self.disturbed.clear()

    def alone(self, signal, value, source):
        """Status and reason of a value in the declared unit, by itself."""
        low, high = self.checks.low[signal], self.checks.high[signal]
        if source >= BAD:
            return source, "source_bad"
        if not math.isfinite(value):
            return BAD_SENSOR_FAILURE, "not_a_number"
        if value < low:
            return BAD_OUT_OF_RANGE | LIMIT_LOW, "out_of_range"
        if value > high:
            return BAD_OUT_OF_RANGE | LIMIT_HIGH, "out_of_range"
        return source, None

    def sequence(self, signal, past):
        """Judge rows {time: (value, source)} in order of time: {time: (status, reason)}."""
        out, ref, run = {}, None, None
        rate, stuck_after = float(self.checks.max_rate[signal]), int(self.checks.stuck_after[signal])
        for time in sorted(past):
            value, source = past[time]
            status, reason = self.alone(signal, value, source)
            if status >= BAD:
                out[time] = status, None
                continue
            if run is None or run[0] != word(value):
                run = word(value), time
            if ref is not None and not math.isnan(rate) and abs(value - ref[0]) > rate * ((time - ref[1]) * 1e-9):
                out[time] = BAD_SENSOR_FAILURE, "rate"
                continue
            ref = value, time
            if stuck_after and time - run[1] >= stuck_after:
                constant = UNCERTAIN_SENSOR_NOT_ACCURATE | LIMIT_CONSTANT
                out[time] = (constant if status < UNCERTAIN else status), "stuck"
            else:
                out[time] = status, None
        return out

    def judged(self, signal, time=None, instead=None):
        past = {t: (k.value, k.source) for t, k in self.past[signal].items()}
        if time is not None:
            past[time] = instead
        return self.sequence(signal, past)

    def row(self, signal, time, received, value, source):
        """Take one row in; give the rows that leave."""
        counts, checks = self.counts[signal], self.checks
        counts["received"] += 1
        if checks.scale[signal] != 1 or checks.offset[signal] != 0:
            value = float(value * checks.scale[signal] + checks.offset[signal])
        status, reason = self.alone(signal, value, source)
        future = time - received > checks.future_tolerance or not 0 <= time <= LATEST
        head = self.head[signal]
        if not future and (head is None or time > head):
            return self.newest(signal, time, received, value, source, reason)
        if future or time <= self.watermark:
            return self.aside(signal, time, received, value, source, status, reason, future)
        return self.within(signal, time, received, value, source, status, reason)

    def note(self, signal, reason, source):
        counts = self.counts[signal]
        counts["stored"] += 1
        if reason:
            counts[reason] += 1
        if UNCERTAIN <= source < BAD:
            counts["source_uncertain"] += 1

    def newest(self, signal, time, received, value, source, reason):
        counts, head = self.counts[signal], self.head[signal]
        interval = int(self.checks.interval[signal])
        if head is not None and interval:
            apart = time - head
            gap = apart > 5 * interval
            counts["gap"] += gap
            counts["jitter"] += not gap and abs(apart - interval) > self.checks.jitter_tolerance
        status, why = self.judged(signal, time, (value, source))[time]
        self.past[signal][time] = Known({(word(value), source)}, value, source, received, received, status)
        self.head[signal] = time
        self.since_tick[signal].append((time, word(value), source))
        self.note(signal, why or reason, source)
        return [(signal, time, received, value, status)]

    def aside(self, signal, time, received, value, source, status, reason, future):
        counts = self.counts[signal]
        head = self.past[signal].get(self.head[signal])
        said = [s for s in self.since_tick[signal] if s[0] == time]
        is_newest = not future and time == self.head[signal] and (word(value), source) == (word(head.value), head.source)
        if (time, word(value), source) in said or is_newest:
            counts["duplicate"] += 1
            return []
        if said:
            counts["correction"] += 1
        elif not future:
            counts["late"] += 1
        self.since_tick[signal].append((time, word(value), source))
        self.note(signal, "future" if future else reason, source)
        return [(signal, time, received, value, BAD_INVALID_TIMESTAMP if future else status)]

    def within(self, signal, time, received, value, source, status, reason):
        counts, past = self.counts[signal], self.past[signal]
        known = past.get(time)
        if known and (word(value), source) in known.said:
            counts["duplicate"] += 1
            return []
        if self.disturbed[signal] >= self.most:
            return self.aside(signal, time, received, value, source, status, reason, False)
        self.disturbed[signal] += 1
        counts["correction" if known else "late"] += 1
        status, why = self.judged(signal, time, (value, source))[time]
        self.note(signal, why or reason, source)
        self.since_tick[signal].append((time, word(value), source))
        if known and known.came > received:
            known.said.add((word(value), source))
            return [(signal, time, received, value, status)]
        stored = max(received, known.received + 1) if known else received
        said = (known.said if known else set()) | {(word(value), source)}
        past[time] = Known(said, value, source, received, stored, status)
        out = [(signal, time, stored, value, status)]
        for t, (now, _) in sorted(self.judged(signal).items()):
            other = past[t]
            if t != time and now != other.status:
                other.status, other.received = now, max(received, other.received + 1)
                counts["rejudged"] += 1
                self.since_tick[signal].append((t, word(other.value), other.source))
                out.append((signal, t, other.received, other.value, now))
        return out
