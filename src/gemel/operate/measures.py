"""What the family measures of itself: each name once, with its kind, its words and its label.

Each process tells its measures with its heartbeat; `serve` gives them to Prometheus, `watchdog` watches some of them.
Names follow Prometheus: base units, ``_total`` for what only rises.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Told = dict[str, float | dict[str, float]]  # a number, or a number by label


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: ``counter`` only rises, ``gauge`` goes up and down; `label` names what it is split by."""

    kind: Literal["counter", "gauge"]
    words: str
    label: str = ""


MEASURES: Final[Mapping[str, Measure]] = {
    # every process
    "process_resident_bytes": Measure("gauge", "Memory of the process."),
    "process_cpu_seconds_total": Measure("counter", "Processor time of the process."),
    "process_open_files": Measure("gauge", "Open files and sockets of the process."),
    "process_uptime_seconds": Measure("gauge", "Since when the process runs."),
    "process_loop_lag_seconds": Measure("gauge", "How late the process comes to what is due."),
    # twin
    "log_bytes": Measure("gauge", "Size of the log of samples."),
    "log_limit_bytes": Measure("gauge", "Size at which the log refuses."),
    "log_messages": Measure("gauge", "Frames and ticks in the log."),
    "fold_position": Measure("gauge", "Position of the log that the state has reached."),
    "tail_rows": Measure("gauge", "Readings folded and not yet in the lake."),
    "facts_waiting": Measure("gauge", "Facts that wait for the record."),
    "frames_broken_total": Measure("counter", "Frames of the log that could not be read."),
    "readings_total": Measure("counter", "Readings judged, by what was found.", "reason"),
    "commit_age_seconds": Measure("gauge", "For how long readings have waited to be stored in the lake."),
    "commit_seconds": Measure("gauge", "How long the last commit to the lake took."),
    "committed_rows_total": Measure("counter", "Readings stored in the lake since the twin started."),
    "snapshot_age_seconds": Measure("gauge", "Since when there is no newer snapshot."),
    "history_damaged_files": Measure("gauge", "Files of the history that were damaged, and are kept aside."),
    "history_lost_rows": Measure("gauge", "Readings that damaged files took with them."),
    "wire_to_state_seconds": Measure("gauge", "From receipt to state, of the newest frames.", "quantile"),
    "own_alarms_active": Measure("gauge", "Alarms that the twin raised about itself."),
    # ingest
    "frames_total": Measure("counter", "Frames appended to the log."),
    "values_total": Measure("counter", "Readings appended to the log."),
    "rows_waiting": Measure("gauge", "Readings taken and not yet durable."),
    "past_rows_waiting": Measure("gauge", "Readings of the past that wait until the fold has room."),
    "disk_free_bytes": Measure("gauge", "Room on the disk of the data directory."),
    "disk_reserve_bytes": Measure("gauge", "Room below which nothing more is taken from the sources."),
    "connection_up": Measure("gauge", "Whether a connection stands.", "connection"),
    "connection_messages_total": Measure("counter", "Messages taken from a connection.", "connection"),
    "connection_values_total": Measure("counter", "Usable readings taken from a connection.", "connection"),
    "connection_refused_total": Measure("counter", "What could not be decoded.", "connection"),
    "connection_waiting": Measure("gauge", "Messages taken and not yet read.", "connection"),
    "connection_unacknowledged": Measure("gauge", "Messages not yet acknowledged.", "connection"),
    "connection_reconnects_total": Measure("counter", "Connections made after the first.", "connection"),
    # family
    "process_up": Measure("gauge", "Whether a process of the family lives.", "name"),
    "process_restarts_total": Measure("counter", "How often a process was started again.", "name"),
    # serve
    "notices_total": Measure("counter", "Notices delivered.", "target"),
    "notices_failed_total": Measure("counter", "Tries to deliver a notice that failed.", "target"),
    "notices_left_out_total": Measure("counter", "Facts too old to be told any more.", "target"),
    "notices_waiting": Measure("gauge", "Facts that a target has not got yet.", "target"),
    "prognoses_total": Measure("counter", "Prognoses of remaining life that were made and kept."),
    "prognosis_seconds": Measure("gauge", "How long the last one took."),
    # reason
    "estimates_substituted": Measure("gauge", "Sensors for which something else is believed than they read."),
    "made_ready_total": Measure("counter", "What-ifs whose model was loaded and compiled before they were asked."),
    "made_ready_seconds": Measure("gauge", "How long the last one took."),
}


class Vitals:
    """What a process knows of itself."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._page = os.sysconf("SC_PAGE_SIZE")
        self.loop_lag_s = 0.0

    def told(self) -> Told:
        """Measure now; Linux tells memory and files under /proc, elsewhere they are left out."""
        found: Told = {
            "process_cpu_seconds_total": time.process_time(),
            "process_uptime_seconds": time.monotonic() - self._started,
            "process_loop_lag_seconds": self.loop_lag_s,
        }
        own = Path("/proc/self")
        if own.is_dir():
            found["process_resident_bytes"] = int((own / "statm").read_text().split()[1]) * self._page
            found["process_open_files"] = sum(1 for _ in (own / "fd").iterdir())
        return found
