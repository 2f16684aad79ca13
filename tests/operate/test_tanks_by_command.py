"""`gemel calibrate --validate` on the real record of the cascaded tanks: what is run free is a file that the fit has not seen."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gemel.cli.calibrate import command

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT.parent / "shared/data/sysid/cascaded_tanks_estimation.csv"


def test_the_record_s_rest_is_run_free_within_a_quarter_volt(tmp_path):
    if not FILE.exists():
        pytest.skip("the record of the cascaded tanks is not here")
    header, *rows = FILE.read_text().splitlines()
    seen = len(rows) * 6 // 10
    for name, some in (("seen", rows[:seen]), ("unseen", rows[seen:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *some]) + "\n")
    asked = [str(ROOT / "examples/cascaded-tanks"), "--data", str(tmp_path / "seen.csv"), "--validate", str(tmp_path / "unseen.csv"), "--starts", "1", "--json"]
    told = json.loads(CliRunner().invoke(command, asked, catch_exceptions=False).stdout)
    assert told["validation"]["rmse"]["lower"]["value"] < 0.25 and told["validation"]["rmse"]["lower"]["unit"] == "V"
    assert all(e["low"] < e["value"] < e["high"] for e in told["parameters"].values())
    assert told["residuals"][0]["words"], "what is left over is no noise, and that is said"
