"""The commands that look ask a twin by its address as they ask its data: over TLS, and with a name where one is needed."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from serve_fake import OTHER, PUMP, SECOND, START

from gemel.cli.find import command as find
from gemel.cli.history import command as history

RANGE = ("--start", "2023-11-14T22:13:20Z", "--end", "2023-11-14T22:15:00Z")


@pytest.fixture(autouse=True)
def filled(twin):
    twin.rows = twin.rows[:0]
    twin.fill(f"{PUMP}/flow", START + np.arange(100) * SECOND, np.arange(100.0))


def test_history_by_address(server):
    told = CliRunner().invoke(history, [server.url, "--signal", "pump-1/flow", *RANGE, "--json"])
    item = json.loads(told.output)["items"][0]
    assert (item["signal"], item["unit"], item["value"]) == (f"{PUMP}/flow", "m3/h", list(range(100)))
    assert item["time"][0] == "2023-11-14T22:13:20.000000000Z"
    few = CliRunner().invoke(history, [server.url, "--signal", "pump-1/flow", *RANGE, "--interval", "50s", "--aggregate", "max", "--json"])
    assert json.loads(few.output)["items"][0]["value"] == [49, 99]
    assert len(CliRunner().invoke(history, [server.url, "--signal", "pump-1/flow", *RANGE, "--csv", "-"]).stdout.splitlines()) == 101


def test_with_a_name_and_a_password(serve):
    url = serve(loopback_viewer=False).url
    assert CliRunner().invoke(find, [url, "--type", "Pump"]).exception.code == "log-in-needed"
    told = CliRunner().invoke(find, [url, "--type", "Pump", "--user", "vera", "--password-stdin", "--json"], input="correct horse\n")
    assert [a["path"] for a in json.loads(told.output)["items"]] == [PUMP, OTHER]


def test_over_tls_with_a_certificate_of_its_own(serve, certificate):
    server = serve(tls_certificate=str(certificate[0]), tls_key=str(certificate[1]))
    url = server.url.replace("http:", "https:")
    assert CliRunner().invoke(find, [url]).exception.code == "twin-unreached"
    assert CliRunner().invoke(find, [url, "--ca", str(certificate[0])]).exit_code == 0
