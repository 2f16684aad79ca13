"""Doctor explains what the numbers and the logs say."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from gemel.cli.doctor_findings import findings, last_errors, read_measures, summary


def measured(received=1000.0, out_of_range=0.0, lag=0.0, refused=0.0):
    registry = CollectorRegistry()
    readings = Counter("gemel_readings", "-", ["process", "reason"], registry=registry)
    readings.labels("twin", "received").inc(received)
    readings.labels("twin", "out_of_range").inc(out_of_range)
    Gauge("gemel_process_loop_lag_seconds", "-", ["process"], registry=registry).labels("ingest").set(lag)
    Gauge("gemel_process_resident_bytes", "-", ["process"], registry=registry).labels("twin").set(2.5e8)
    Gauge("gemel_log_bytes", "-", ["process"], registry=registry).labels("twin").set(25)
    Gauge("gemel_log_limit_bytes", "-", ["process"], registry=registry).labels("twin").set(100)
    for name, value in (("refused", refused), ("values", 100.0)):
        Counter(f"gemel_connection_{name}", "-", ["connection", "process"], registry=registry).labels("field", "ingest").inc(value)
    return read_measures(generate_latest(registry).decode())


def codes(**given):
    return [f["code"] for f in findings(measured(**given))]


def test_good_numbers_say_nothing():
    assert codes() == []


def test_the_numbers_are_told_in_units_of_people():
    told = summary(measured(out_of_range=10))
    assert (told["log_filled_percent"], told["doubted_percent"], told["memory_mb"]) == (25.0, 1.0, {"twin": 250})


def test_readings_that_are_doubted_are_explained_by_the_reason_that_occurs_most():
    [finding] = findings(measured(out_of_range=100))
    assert finding["code"] == "readings-doubted"
    assert "10 %" in finding["message"]
    assert "out_of_range" in finding["message"]


def test_a_process_that_is_late_and_messages_that_are_refused_are_named():
    assert codes(lag=6.0) == ["process-late"]
    [finding] = findings(measured(refused=50))
    assert (finding["code"], "of field " in finding["message"]) == ("readings-refused", True)


def test_of_the_logs_the_last_errors_are_told_the_newest_file_last(tmp_path):
    (tmp_path / "serve.log").write_text("".join(f"2026 ERROR gemel: no {n}\n" for n in range(5)))
    (tmp_path / "nats.log").write_text("[1] 2026 [INF] up\n[1] 2026 [ERR] disk\n")
    os.utime(tmp_path / "serve.log", (1, 1))
    assert [line.rpartition(" ")[2] for line in last_errors(tmp_path)] == ["2", "3", "4", "disk"]
