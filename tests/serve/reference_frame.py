"""A second reading of the frame's layout, written from its description alone: bytes, one field after another."""

import struct


def decode(data, wide=()):
    at = 0

    def take(form):
        nonlocal at
        size = struct.calcsize("<" + form)
        found = struct.unpack_from("<" + form, data, at)
        at += size
        return found

    kind, number, n, sequence, time = take("BBHId")
    quality = take(f"{n}B")
    age = take(f"{n}H") if kind == 2 else None
    while at % 4:
        assert data[at] == 0
        at += 1
    value = list(take(f"{n}f"))
    while at % 8:
        assert data[at] == 0
        at += 1
    for position, exact in zip(wide, take(f"{len(wide)}d"), strict=True):
        value[position] = exact
    assert at == len(data)
    return {"type": kind, "id": number, "sequence": sequence, "time": time, "quality": list(quality),
            "age": None if age is None else list(age), "value": value}
