"""Schemathesis asks the API everything its own description allows, and much that it forbids: no failure."""

import subprocess
import sys

import pytest
from gemel.serve import throttle, users
from serve_fake import PUMP

# 412 is an answer to valid data too: somebody else was faster than what `If-Match` or `expected_version` names
REAL = f"""
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "429", "5xx"]

[[operations]]  # what a plant file or an FMU says is beyond a schema of JSON: one that is wrong is told in words (422)
include-path-regex = "/api/v1/plant/(plan|apply|fmus)"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "403", "409", "422"]

[[operations]]
include-path = "/api/v1/assets/{{path}}"
parameters = {{ "path.path" = "{PUMP}" }}

[[operations]]
include-path = "/api/v1/state/{{asset}}"
parameters = {{ "path.asset" = "{PUMP}" }}

[[operations]]
include-path = "/api/v1/state/{{asset}}/diff"
parameters = {{ "path.asset" = "{PUMP}" }}

[[operations]]
include-path = "/api/v1/history"
parameters = {{ "query.signal" = "{PUMP}/flow" }}

[[operations]]
include-path = "/api/v1/alarms/{{id}}/shelve"
parameters = {{ "path.id" = "x" }}

[[operations]]
include-path = "/api/v1/alarms/{{id}}/acknowledge"
parameters = {{ "path.id" = "x" }}

[[operations]]
include-path-regex = "/api/v1/commands/.id.*"
parameters = {{ "path.id" = "c1" }}
"""


@pytest.mark.slow
@pytest.mark.parametrize("who", ["emil", None])
def test_schemathesis_finds_no_failure(server, twin, who, tmp_path, monkeypatch):
    monkeypatch.setattr(throttle, "FREE_TRIES", 10**9)  # guessing is tested elsewhere; here it would hide the rest
    monkeypatch.setattr(throttle, "FREE_TRIES_OF_ADDRESS", 10**9)
    monkeypatch.setattr(users, "_COST", 16)
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    twin.alarm_list["x"] = {**twin.alarm_list[f"{PUMP}/flow#high"], "id": "x"}
    with server.client("otto") as otto:
        otto.post("/commands", json={"asset": PUMP, "command": "set_speed", "value": 1500})
    (tmp_path / "real.toml").write_text(REAL if who else "")
    auth = ["--auth", f"{who}:correct horse"] if who else []
    found = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "real.toml"), "run", f"{server.url}/api/v1/openapi.json",
         "--max-examples", "20", "--seed", "1", "--phases", "examples,coverage,fuzzing" if who else "fuzzing", "--checks", "all", "--no-color",
         "--request-timeout", "20", *auth],
        capture_output=True, text=True, cwd=tmp_path, timeout=240, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-12_000:]
