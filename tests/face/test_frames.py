"""Any data frame is taken: long or wide, pandas, polars or Arrow, whatever its times are written as."""

import datetime

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest

import gemel
from gemel.errors import AssetError, NotFoundError
from gemel.face.frame import samples
from gemel.face.instants import instant, span
from gemel.samples import Registry

REGISTRY = Registry.of([{"path": "acme/site/pump-1/flow"}, {"path": "acme/site/pump-1/speed"}, {"path": "acme/site/pump-2/flow"}])
T0 = 1_700_000_000_000_000_000
TIMES = pandas.to_datetime([T0, T0 + 1_000_000_000], utc=True)
WIDE = pandas.DataFrame({"time": TIMES, "pump-1/flow": [1.0, 2.0], "pump-1/speed": [10, 20]})


def told(batch):
    return sorted(zip(batch.signal.tolist(), (batch.time - T0).tolist(), batch.value.tolist(), strict=True))


WANT = [(0, 0, 1.0), (0, 10**9, 2.0), (1, 0, 10.0), (1, 10**9, 20.0)]


@pytest.mark.parametrize(
    "frame",
    [WIDE, polars.from_pandas(WIDE), pa.Table.from_pandas(WIDE), WIDE.set_index("time"), WIDE.to_dict("list") | {"time": [T0, T0 + 10**9]},
     WIDE.assign(time=TIMES.strftime("%Y-%m-%dT%H:%M:%SZ")), WIDE.assign(time=TIMES.tz_convert("Europe/Berlin")),
     WIDE.assign(time=[T0 / 1e9, T0 / 1e9 + 1]), WIDE.assign(time=TIMES.tz_localize(None).astype("datetime64[s]"))],
    ids=["pandas", "polars", "arrow", "index", "mapping", "text", "zone", "seconds", "naive"],
)  # fmt: skip
def test_a_wide_frame_has_a_column_a_signal(frame):
    assert told(samples(frame, REGISTRY)) == WANT


@pytest.mark.parametrize("make", [lambda f: f, polars.from_pandas, pa.Table.from_pandas, lambda f: gemel.Table(pa.Table.from_pandas(f))])
def test_a_long_frame_has_a_row_a_reading(make):
    long = WIDE.melt("time", var_name="signal", value_name="value")
    assert told(samples(make(long), REGISTRY)) == WANT


def test_what_is_null_is_no_reading_and_columns_can_be_named():
    frame = pandas.DataFrame({"time": TIMES, "Flow": [None, 2.0], "label": ["a", "b"]})
    assert told(samples(polars.from_pandas(frame), REGISTRY, {"Flow": "pump-2/flow"})) == [(2, 10**9, 2.0)]


def test_readings_come_in_the_order_of_their_receipt():
    frame = pa.table({"signal": ["pump-1/flow"] * 2, "time": [T0 + 5, T0], "received": [T0 + 10, T0 + 20], "value": [1.0, 2.0], "status": [0, 0x80000000]})
    batch = samples(frame, REGISTRY)
    assert (batch.time - T0).tolist() == [5, 0] and batch.status.tolist() == [0, 0x80000000]


@pytest.mark.parametrize(
    ("frame", "error"),
    [(WIDE.rename(columns={"pump-1/flow": "flow"}), NotFoundError), (WIDE.rename(columns={"time": "when"}).assign(when=1), AssetError),
     (WIDE.assign(time=["now", "then"]), AssetError), (3, AssetError), (WIDE.assign(other=1), NotFoundError)],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_with_a_remedy(frame, error):
    with pytest.raises(error) as refused:
        samples(frame, REGISTRY)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("given", "text"),
    [("2026-11-21", "2026-11-21"), (datetime.date(2026, 11, 21), "2026-11-21T00:00:00.000000000Z"), (np.datetime64("2026-11-21T01:00"), "2026-11-21T01:00:00.000000000Z"),
     (pandas.Timestamp("2026-11-21T01:00", tz="Europe/Berlin"), "2026-11-21T00:00:00.000000000Z"), (np.int64(5), "1970-01-01T00:00:00.000000005Z"),
     (datetime.datetime(2026, 11, 21, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), "2026-11-21T00:00:00.000000000Z")],
)  # fmt: skip
def test_times_are_taken_as_python_writes_them(given, text):
    assert instant(given) == text


def test_spans_are_whole_numbers_of_a_unit():
    assert [span(s) for s in (90, 0.5, np.timedelta64(3, "h"), "1 min")] == ["90s", "500ms", "3h", "1min"]
    for wrong in (0, 0.0001):
        with pytest.raises(AssetError):
            span(wrong)
    with pytest.raises(AssetError):
        instant(1.5)


def test_a_long_frame_may_say_how_uncertain_its_values_are():
    frame = pandas.DataFrame({"signal": ["pump-1/flow"] * 2, "time": TIMES, "value": [1.0, 2.0], "sigma": [0.25, np.nan]})
    assert samples(frame, REGISTRY).sigma.tolist() == pytest.approx([0.25, np.nan], nan_ok=True)
    assert samples(frame.assign(sigma=None), REGISTRY).sigma is None
