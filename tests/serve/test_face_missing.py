"""Python is told what damage took of the history, wherever it reads it: over the network and in its own process."""

import json

import numpy as np
import pytest

import gemel
from gemel.face.inside import Inside, Loop
from gemel.history.holes import Hole
from serve_fake import PUMP, SECOND, START

FLOW = f"{PUMP}/flow"
SPAN = (START, START + 100 * SECOND)
LOST = (np.datetime64(START + 10 * SECOND, "ns"), np.datetime64(START + 20 * SECOND, "ns"))


def hole(first, upto):
    return Hole("a.parquet", "raw_default", "cut off", 40, START + first * SECOND, START + upto * SECOND)


@pytest.fixture(params=["network", "inside"])
def face(request, twin, server, tmp_path):
    if request.param == "network":
        yield gemel.open(server.url)
        return
    with gemel.Twin(Inside(twin, tmp_path, Loop())) as opened:
        yield opened


WAYS = {
    "readings": lambda face: face.history(FLOW, *SPAN),
    "decimated": lambda face: face.history(FLOW, *SPAN, points=10),
    "intervals": lambda face: face.history(FLOW, *SPAN, every="10s"),
    "side by side": lambda face: face.aligned(["pump-1/flow", "pump-1/speed"], *SPAN, every="10s"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_table_says_which_spans_it_lacks(face, twin, way):
    assert WAYS[way](face).missing == ()
    twin.holes = [hole(10, 20)]
    table = WAYS[way](face)
    assert table.missing == (LOST,)
    assert "readings were lost from 2023-11-14T22:13:30" in repr(table)
    assert table.to_pandas().attrs["missing"] == (LOST,)


def test_of_several_signals_each_span_is_told_once(face, twin):
    twin.holes = [hole(10, 20), hole(40, 50)]
    table = face.history("pump-1/*", *SPAN, points=10)
    assert [span.start for span in table.missing] == [LOST[0], np.datetime64(START + 40 * SECOND, "ns")]


def test_what_was_lost_can_be_told_from_a_silence(face, twin):
    twin.holes = [hole(10, 20)]
    table = face.history(FLOW, *SPAN, every="10s")
    by_time = dict(zip((table.arrow["time"].cast("int64").to_numpy() - START) // SECOND, table["status"], strict=True))
    assert (by_time[10], by_time[30]) == (0x809D0000, 0x809B0000)


def test_a_file_of_readings_says_it_too(face, twin):
    twin.holes = [hole(10, 20)]
    answer = face.export(FLOW, *SPAN, "csv")
    assert answer.missing == (LOST,) and b"signal" in b"".join(answer)


def test_of_very_many_holes_none_is_left_out(face, twin):
    """A header is short: the last span then reaches over all that are left."""
    twin.holes = [hole(2 * k, 2 * k + 1) for k in range(45)]
    missing = face.history(FLOW, *SPAN).missing
    assert len(missing) == 20
    assert missing[18].start == np.datetime64(START + 36 * SECOND, "ns")
    assert missing[19] == (np.datetime64(START + 38 * SECOND, "ns"), np.datetime64(START + 89 * SECOND, "ns"))


def test_the_shell_says_it_beside_the_readings_and_beside_a_file(server, twin, tmp_path):
    from click.testing import CliRunner

    from gemel.cli.history import command

    twin.holes = [hole(10, 20)]
    asked = [server.url, "--signal", "pump-1/flow", "--start", "2023-11-14T22:13:20Z", "--end", "2023-11-14T22:15:00Z"]
    told = CliRunner().invoke(command, [*asked, "--json"])
    (item,) = json.loads(told.stdout)["items"]
    assert item["missing"] == [{"start": "2023-11-14T22:13:30.000000000Z", "end": "2023-11-14T22:13:40.000000000Z"}]
    for more in ([], ["--csv", str(tmp_path / "flow.csv")]):
        told = CliRunner().invoke(command, [*asked, *more])
        assert "readings were lost to damage from 2023-11-14T22:13:30.000000000Z to 2023-11-14T22:13:40" in told.stderr
