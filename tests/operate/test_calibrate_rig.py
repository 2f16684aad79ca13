"""`gemel calibrate` on real records: tanks and an exchanger by their plant files, a second record given by `--validate`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gemel.cli.calibrate import command

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT.parent / "shared/data/sysid/cascaded_tanks_estimation.csv"
EXCHANGER = ROOT.parent / "shared/data/sysid/heat_exchanger_first_3000.csv"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("some", "against"), [((), ["these data cannot tell steam"]), (("ua", "turnover", "exponent"), [])])
def test_the_exchanger_of_the_example_runs_free_as_its_page_says_and_what_cannot_be_told_is_not_released(tmp_path, some, against):
    if not EXCHANGER.exists():
        pytest.skip("the record of the exchanger is not here")
    head, *rows = EXCHANGER.read_text().splitlines()
    for name, part in (("first", rows[:2000]), ("second", rows[2000:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *part]) + "\n")
    asked = [str(ROOT / "examples/heat-exchanger"), "--data", str(tmp_path / "first.csv"), "--validate", str(tmp_path / "second.csv"), "--starts", "1"]
    ran = CliRunner().invoke(command, [*asked, *(w for name in some for w in ("--parameter", name)), "--json"], catch_exceptions=False)
    told = json.loads(ran.stdout)
    assert told["readings"] == 2000, "nothing of the second record was fitted"
    assert told["rmse"]["outlet"] == {"value": pytest.approx(0.373, abs=0.01), "unit": "degC"}
    assert told["validation"]["rmse"]["outlet"]["value"] == pytest.approx(0.515, abs=0.01)
    assert told["validation"]["rmse_before"]["outlet"]["value"] > 5, "the plant file does not know the answer"
    assert told["gate"]["against"] == against


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tanks_of_the_example_run_free_within_a_quarter_of_a_volt_over_a_second_record(tmp_path):
    if not RECORD.exists():
        pytest.skip("the record of the cascaded tanks is not here")
    head, *rows = RECORD.read_text().splitlines()
    seen = len(rows) * 6 // 10
    for name, part in (("first", rows[:seen]), ("second", rows[seen:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *part]) + "\n")
    asked = [str(ROOT / "examples/cascaded-tanks"), "--data", str(tmp_path / "first.csv"), "--validate", str(tmp_path / "second.csv")]
    ran = CliRunner().invoke(command, [*asked, "--hybrid", "--json"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["readings"] == seen, "nothing of the second record was fitted"
    validation = told["validation"]
    assert validation["rmse"]["lower"]["value"] <= 0.25
    assert validation["rmse_before"]["lower"]["value"] > 0.7, "the plant file does not know the answer"
    assert all(e["low"] < e["value"] < e["high"] and e["told"] and not e["at_bound"] for e in told["parameters"].values())
    assert len(told["parameters"]) == 8
    (residual,) = told["residuals"]
    assert residual["whiteness_p"] < 0.01 and told["interval_widening"] > 2, "what is left over is not white, and intervals are wider for it"
    hybrid = told["hybrid"]["lower"]
    assert hybrid["helps"] and hybrid["hybrid_rmse"] < hybrid["physics_rmse"] == pytest.approx(validation["rmse"]["lower"]["value"])
