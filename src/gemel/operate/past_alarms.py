"""All alarms of a plant as they stood, without folding the whole record again: places to go on from, kept on the way."""

import threading
from dataclasses import dataclass
from typing import Final

from gemel.operate.chronicle import EVER, Chronicle
from gemel.twin.alarm_past import Begun, Today, alarms_at, go_on
from gemel.twin.alarms import Alarms

STEP: Final = 2000  # facts between two places, at first
MOST: Final = 64  # places; then every other one is given up, and they stand twice as far apart


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fold may go on: every fact up to `seq` had happened by `at` and was known by `known` [ns]."""

    seq: int
    at: int
    known: int
    begun: Begun


class AlarmFolds:
    """Folds the alarms' facts up to a time; calls may come from any thread, one at a time is answered."""

    def __init__(self, chronicle: Chronicle, today: Today, step: int = STEP) -> None:
        self._chronicle = chronicle
        self._today = today
        self._step = step
        self._places: list[Place] = []
        self._turn = threading.Lock()

    def at(self, at: int, known: int) -> Alarms:
        """Give all alarms as they stood at a time [ns], by what was known by `known` [ns]."""
        with self._turn:
            self._keep_places()
            place = next((p for p in reversed(self._places) if p.at <= at and p.known <= known), None)
            found = self._chronicle.find(at, known, kinds=_of_alarms, after=place.seq if place else 0)
            facts = self._chronicle.facts(found.tolist())
            return alarms_at(facts, self._today, place.begun if place else None)

    def _keep_places(self) -> None:
        last = self._places[-1] if self._places else None
        ahead = self._chronicle.find(EVER, EVER, kinds=_of_alarms, after=last.seq if last else 0).tolist()
        while len(ahead) >= self._step:
            part, ahead = ahead[: self._step], ahead[self._step :]
            begun = go_on(self._chronicle.facts(part), self._today, last.begun if last else None)
            at, known = self._chronicle.newest(part[0], part[-1])
            last = Place(part[-1], max(at, last.at if last else 0), max(known, last.known if last else 0), begun)
            self._places.append(last)
            if len(self._places) > MOST:
                del self._places[:-1:2]
                self._step *= 2


def _of_alarms(kind: str) -> bool:
    return kind.startswith("Alarm")
