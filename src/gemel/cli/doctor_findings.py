"""What doctor makes of the numbers and the logs: findings in words, each with what to do."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from gemel import sealing
from gemel.errors import ConfigError
from gemel.operate.places import Places
from gemel.operate.sealed import check_sealed, in_the_clear

Measures = Mapping[str, Mapping[str, float]]  # by measure, by its labels' values
LATE_S: Final = 5.0
LINES: Final = 3
LOG_BYTES: Final = 64_000  # of a log's end: what is older is not news
DOUBTS: Final = ("out_of_range", "rate", "stuck", "future", "not_a_number", "source_bad", "source_uncertain")


def read_measures(text: str) -> dict[str, dict[str, float]]:
    """Read Prometheus's text: ``{"gemel_tail_rows": {"twin": 12.0}}``; labels are joined by /, the process first."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            head = [labels.pop("process")] if "process" in labels else []
            found.setdefault(sample.name, {})["/".join([*head, *labels.values()])] = sample.value
    return found


def summary(measures: Measures) -> dict[str, Any]:
    """Give the numbers that tell most, in units of people."""
    readings = {k.removeprefix("twin/"): v for k, v in measures.get("gemel_readings_total", {}).items()}
    received = readings.get("received", 0.0)
    return {
        "log_filled_percent": _percent(_one(measures, "gemel_log_bytes"), _one(measures, "gemel_log_limit_bytes")),
        "tail_rows": _one(measures, "gemel_tail_rows"),
        "commit_s": _one(measures, "gemel_commit_seconds"),
        "snapshot_age_s": _one(measures, "gemel_snapshot_age_seconds"),
        "wire_to_state_p99_ms": 1000 * measures.get("gemel_wire_to_state_seconds", {}).get("twin/0.99", 0.0),
        "readings": received,
        "doubted_percent": _percent(sum(readings.get(d, 0.0) for d in DOUBTS), received),
        "refused": sum(measures.get("gemel_connection_refused_total", {}).values()),
        "memory_mb": {
            name: round(value / 1e6) for name, value in measures.get("gemel_process_resident_bytes", {}).items()
        },
    }


def findings(measures: Measures) -> Iterator[dict[str, str]]:
    """Give what the numbers say is not as it should be."""
    told = summary(measures)
    if told["doubted_percent"] > 5:
        worst = max(DOUBTS, key=lambda d: measures["gemel_readings_total"].get(f"twin/{d}", 0.0))
        yield _finding(code="readings-doubted", message=f"{told['doubted_percent']:.0f} % of the readings are doubted, most for {worst}",
                       remedy="see which signals under quality on the page: a wrong range, a wrong unit, or a sensor that fails")  # fmt: skip
    if files := _one(measures, "gemel_history_damaged_files"):
        rows = _one(measures, "gemel_history_lost_rows")
        yield _finding(code="history-damaged", message=f"{files:.0f} files of the history were damaged; {rows:.0f} readings are lost",
                       remedy="the facts HistoryDamaged tell of which time; look at the disk, and restore a back-up if they are needed")  # fmt: skip
    for name, lag in measures.get("gemel_process_loop_lag_seconds", {}).items():
        if lag > LATE_S:
            yield _finding(
                code="process-late", message=f"{name} comes {lag:.1f} s late to what is due", remedy="the machine has too little processor for what arrives"
            )
    for name, count in measures.get("gemel_connection_refused_total", {}).items():
        taken = measures.get("gemel_connection_values_total", {}).get(name, 0.0)
        if count > 0.01 * (count + taken):
            yield _finding(code="readings-refused", message=f"{count:.0f} messages of {name.removeprefix('ingest/')} could not be decoded",
                           remedy="examples stand under quality on the page, beside the connection")  # fmt: skip


def sealing_findings(places: Places) -> Iterator[dict[str, str]]:
    """Give what is wrong with the seal of the data."""
    try:
        check_sealed(places)
        clear = list(in_the_clear(places)) if sealing.seal_of(places.data) is not None else []
    except ConfigError as e:
        yield _finding(code=e.code, message=e.message, remedy=e.remedy)
        return
    if clear:
        yield _finding(
            code="in-the-clear", message=f"{len(clear)} files lie in the clear, though these data are sealed, such as {clear[0].name}",
            remedy="stop the twin, then: gemel seal PLANT --key NAME",
        )  # fmt: skip


def last_errors(logs: Path) -> list[str]:
    """Give the last lines of the processes' logs that tell of an error, the newest file last."""
    found: list[str] = []
    for file in sorted(logs.glob("*.log"), key=lambda f: f.stat().st_mtime):
        with file.open("rb") as lines:
            lines.seek(max(file.stat().st_size - LOG_BYTES, 0))
            told = lines.read().decode(errors="replace").splitlines()
        errors = [line for line in told if " ERROR " in line or "[ERR]" in line or "[FTL]" in line]
        found += [f"{file.name}: {line.strip()[:300]}" for line in errors[-LINES:]]
    return found


def _one(measures: Measures, name: str) -> float:
    return next(iter(measures.get(name, {}).values()), 0.0)


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _finding(code: str, message: str, remedy: str) -> dict[str, str]:
    return {"code": code, "message": message, "remedy": remedy}
