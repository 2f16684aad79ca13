"""Parameters follow their machines: when a calibration is due, and what becomes of the one that was made. Pure.

    plant time, terms ─► due           last judgement, result of a job ─► decision ─► a version in force, or one in shadow

A challenger *in shadow* runs beside the champion and is scored on each night's data that neither has seen; it decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gemel.assets import Plant
from gemel.assets.spec import Calibrating
from gemel.samples.clock import SECOND
from gemel.twin.releases import HYBRID, MODEL, PARAMETERS

SETTLED_NS: Final = 30 * SECOND  # late readings still come: so long after its time a calibration begins


def due(now: int, terms: Calibrating, timezone: str) -> int:
    """Give the last moment up to `now` [ns] at which a calibration was due, counted from the local time of day."""
    local = ZoneInfo(timezone).utcoffset(datetime.fromtimestamp(now // SECOND, UTC))
    hours, minutes = terms.at.split(":")
    phase = (int(hours) * 3600 + int(minutes) * 60) * SECOND - int(local.total_seconds() if local else 0) * SECOND
    return (now - SETTLED_NS - phase) // terms.every_ns * terms.every_ns + phase


def is_due(moment: int, last: int, terms: Calibrating) -> bool:
    """Tell whether a moment is one of its own: where the clocks change, the same night comes twice."""
    return moment - last > terms.every_ns // 2


def wish(terms: Calibrating, champion: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give what is asked of the job; what the fit leaves over is learned too where the terms say so, and anew where the version in force is a hybrid."""
    return {
        "hybrid": terms.hybrid or bool(champion and champion.get("hybrid")),
        "step_s": terms.step_s, "lead_s": terms.lead_s, "unseen": terms.unseen, "most": terms.most,
        "running": {n: list(span) for n, span in terms.running}, "regimes": {n: list(e) for n, e in terms.regimes},
    }  # fmt: skip


def terms_of(plant: Plant, asset: str) -> Calibrating | None:
    """Give what the plant file says of how an asset's parameters follow; None of an area, which says nothing."""
    row = plant.assets.find(asset)
    return None if row is None else plant.template(row).calibration


def beside(last: Mapping[str, Any] | None, champion: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Give who stands in shadow: as the last judgement says, unless another version came into force since, or another hybrid than it was judged against.

    Args:
        last: judgement, whole.
        champion: what is in force, as `view_calibrations.in_force` gives it; None: the plant file's values, and nothing learned.
    """
    shadow, now = (last or {}).get("shadow"), champion or {}
    if not shadow or shadow["champion"] != now.get("version", 0):
        return None
    of_hybrid = shadow["release"].get("kind", PARAMETERS) == HYBRID
    return None if of_hybrid and shadow["release"]["champion"] != now.get("hybrid_version", 0) else shadow


def proposed(result: Mapping[str, Any]) -> dict[str, Any]:
    """Give a calibration's result as what may come into force of it: a hybrid alone where that passes and the parameters do not.

    Then ``gate``, ``release``, ``unconfirmed`` and the challenger's score are its own, and ``refused`` is what the gate said of the parameters.
    """
    told, alone = dict(result), result.get("alone")
    if told["gate"]["passed"] or not (alone and alone["gate"]["passed"]):
        return told
    release = alone["release"]
    score = {"fidelity": release["fidelity"], "rmse": release["rmse"]}
    no = {"passed": False, "against": ["a hybrid alone is not compared with who runs beside"]}
    return told | {
        "refused": told["gate"], "gate": alone["gate"], "release": release, "unconfirmed": release["unconfirmed"], "challenger": no,
        "scores": {**told.get("scores", {}), "challenger": score},
    }  # fmt: skip


def doubted(result: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Have a result wait for a person where it was learned of readings from before one took a version back, and none came into force since.

    Args:
        result: as `proposed` gives it.
        versions: of the asset, as `GET /releases` gives them.
    """
    told, mine = dict(result), [v for v in versions if v.get("kind", PARAMETERS) in MODEL]
    last = max((v for v in mine if v.get("ended")), key=lambda v: v["ended"]["fact"], default=None)
    since = max((v["fact"] for v in mine if v["state"] == "in_force"), default=0)
    from_s = (told["release"].get("data") or {}).get("from_s")
    if last is None or last["ended"]["fact"] < since or from_s is None or from_s * SECOND >= last["ended"]["at"]:
        return told
    words = f"version {last['version']} was taken back ({last['ended']['reason']}), and this was learned of readings from before too"
    unsure = [*told.get("unconfirmed", ()), words]
    return told | {"unconfirmed": unsure, "release": {**told["release"], "unconfirmed": unsure}}


@dataclass(frozen=True)
class Decision:
    """What becomes of a calibration.

    Args:
        word: ``kept``, ``released``, ``proposed``, ``beside``, ``promoted``, ``dropped`` or ``failed``.
        words: why.
        release: body of the version that comes into force, or none.
        shadow: who stands beside from now on, or none.
    """

    word: str
    words: str
    release: Mapping[str, Any] | None = None
    shadow: Mapping[str, Any] | None = None


def decide(result: Mapping[str, Any], standing: Mapping[str, Any] | None, terms: Calibrating) -> Decision:
    """Decide what becomes of a calibration's result.

    Args:
        result: of the job.
        standing: who stood in shadow while it was made.
        terms: of the plant file.
    """
    gate = result["gate"]
    if standing is not None and held(standing) and gate["passed"] and not result.get("unconfirmed"):
        return _challenged(result, terms, "", "kept")  # this one needs nobody's word
    if standing is not None:
        beat = result["shadow"]
        if not beat["passed"]:
            return _challenged(result, terms, f"who ran beside is no better: {'; '.join(beat['against'])}", "dropped")
        runs = standing["runs"] + 1
        waits = held(standing)
        if terms.promote == "gate" and runs >= terms.shadow and not waits:
            return Decision("promoted", f"better in {runs} runs beside", standing["release"])
        if (terms.promote == "person" or waits) and gate["passed"] and result["challenger"]["passed"]:
            return _challenged(result, terms, "", "beside")
        return Decision("proposed" if waits else "beside", f"better in {runs} runs beside", None, {**standing, "runs": runs})
    return _challenged(result, terms, "", "kept")


def held(shadow: Mapping[str, Any]) -> list[str]:
    """Tell why who runs beside waits for a person's word; nothing where it does not."""
    return list(shadow["release"].get("unconfirmed") or ())


def put(shadow: Mapping[str, Any]) -> dict[str, Any]:
    """Give the body by which who runs beside comes into force; what was learned names the version of its own kind that it was judged against."""
    told = dict(shadow["release"])
    return told if told.get("kind", PARAMETERS) != PARAMETERS else {**told, "champion": shadow["champion"]}


def _challenged(result: Mapping[str, Any], terms: Calibrating, words: str, otherwise: str) -> Decision:
    gate = result["gate"]
    if not gate["passed"]:
        against = "; ".join(gate["against"])
        return Decision(otherwise, "; ".join(w for w in (words, f"the gate says no: {against}") if w))
    shadow = {"release": result["release"], "champion": result["champion"], "runs": 0}
    if why := result.get("unconfirmed"):
        return Decision("proposed", "; ".join(w for w in (words, f"a person must say so: {'; '.join(why)}") if w), None, shadow)
    if terms.promote == "gate" and not terms.shadow:
        return Decision("released", words or "the gate says yes", result["release"])
    return Decision("beside", words or "the gate says yes; it runs beside", None, shadow)


def body(moment: int, job: str, result: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    """Give what the record is told of a run."""
    champion, shadow = result["scores"]["champion"], result["scores"].get("shadow")
    return {
        "due": moment, "calibration": job, "version": result["champion"], "decision": decision.word, "words": decision.words,
        "fidelity": champion["fidelity"], "rmse": champion["rmse"], "readings": result["validation"]["readings"] if result["validation"] else 0,
        "shadow_fidelity": shadow["fidelity"] if shadow else None, "chosen": result["chosen"],
        "challenger": {"values": result["release"].get("values", {}), "intervals": result["release"].get("intervals", {}),
                       "kind": result["release"].get("kind", PARAMETERS), "fidelity": result["release"]["fidelity"], "gate": result["gate"]},
        "shadow": decision.shadow,
    }  # fmt: skip


def failed(moment: int, job: str, version: int, words: str, standing: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what the record is told of a run that gave nothing: who stood beside goes on doing so."""
    return {
        "due": moment, "calibration": job, "version": version, "decision": "failed", "words": words, "fidelity": None, "shadow": standing,
    }  # fmt: skip
