"""An FMU as a dynamic model: its variables as quantities in SI, its runs as solutions, its equations at points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.narrowed import Narrowed
from gemel.dynamics.solution import Floats, Profile, Solution
from gemel.errors import AssetError, ModelError
from gemel.operate.fmi.host import Limits, Standing, ask
from gemel.samples.units import conversion, parse

Affine = tuple[float, float]
PATIENCE: Final = 0.25  # of the limit of time: after that an answer of fewer runs than were asked for is welcome


def plain(model: Any) -> Any:
    """Give a model without what narrows it."""
    while isinstance(model, Narrowed):
        model = model.model
    return model


@dataclass(frozen=True, eq=False)
class FmuModel:
    """A model from a file, run by FMPy in a child process.

    Args:
        path: the FMU.
        states: continuous states (model exchange), or what may be set before it begins (co-simulation).
        inputs, outputs, parameters: its real variables of these causalities, in SI.
        scales: SI = value * scale + offset, by name.
        kind: ``CoSimulation`` or ``ModelExchange``.
        limits: what a run may use.
        name: what it is called in messages.
        events: whether it has any: what it remembers between them is no state.
        tunable: parameters that may change while it runs.
        saves: whether one for co-simulation can be gone on with from a state that it saved.
    """

    path: Path
    states: Mapping[str, Quantity]
    inputs: Mapping[str, Quantity]
    outputs: Mapping[str, Quantity]
    parameters: Mapping[str, Quantity]
    scales: Mapping[str, Affine]
    kind: str
    limits: Limits = field(default_factory=Limits)
    name: str = ""
    events: bool = False
    tunable: frozenset[str] = frozenset()
    saves: bool = False
    child: Standing = field(init=False, repr=False)

    traceable = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "child", Standing(self.limits))  # of its own, and begun when it is first asked

    @property
    def exchanged(self) -> bool:
        """Whether it can be evaluated at points, and not only be run: it is one for model exchange."""
        return self.kind == "ModelExchange"

    def ask(self, request: dict[str, Any], opening: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give what its process answers, which is asked for `opening` first where it has nothing open yet.

        Raises ModelError (`fmu`) where it fails, or was begun anew and is not to be opened.
        """
        answer = self.child.ask(request)
        if "closed" in answer and opening is not None:
            answer = self.child.ask(opening)
            if "error" not in answer:
                answer = self.child.ask(request)
        if "error" in answer or "closed" in answer:
            words = answer.get("error", "its process was ended on the way")
            raise ModelError(f"{self.called}: {words}", code="fmu", remedy="see what the model does: it is run with limits of time and memory")
        return answer

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rate of each state; an FMU for co-simulation refuses, for it is run as a whole."""
        return self._called("rates", t, (x, u, p))

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give each output; an FMU for co-simulation refuses, for it is run as a whole."""
        return self._called("outputs", t, (x, u, p))

    def _called(self, what: str, t: Array, at: tuple[Values, Values, Values]) -> Mapping[str, Array]:
        if not self.exchanged:
            raise _foreign(self)
        from gemel.operate.fmi.bridge import called

        return called(self, what, t, at)

    def free_run(self, x0: Floats, profile: Profile, p: Floats, at: Floats) -> Solution:
        """Run it from the first instant to the last; called by `gemel.dynamics.solve.solve`.

        Values between its own steps are interpolated where the instants are not evenly apart. Where its process
        fails, the status is `child`, and the words say how.
        """
        return self.free_runs([(x0, profile, p)], at)[0]

    def free_runs(self, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> list[Solution]:
        """Run it several times, each time from a state, by a profile, with parameters; as `free_run`.

        Parameters that change on the way have a row for each instant of the profile, each held until the next; those of
        them that are not tunable stay what they are at first (FMI 2.0.4, 2.2.7; FMI 3.0, 2.4.7.4).
        The limit of time is that of a run, not of all: its process tells in between what it has, and is asked for the rest.
        """
        found: list[Solution] = []
        while len(found) < len(runs):
            answer = self.child.ask(self._asked(runs[len(found) :], at))
            if "error" in answer:
                x, y = (np.full((len(at), n), np.nan) for n in (len(self.states), len(self.outputs)))
                why = Solution(at, x, y, "child", f"{self.called}: {answer['error']}", 0, float(at[0]))
                return found + [why] * (len(runs) - len(found))
            found += [self._solution(at, columns) for columns in answer["runs"]]
        return found

    def _asked(self, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> dict[str, Any]:
        return {
            "do": "simulate", "path": str(self.path), "fmi_type": self.kind,
            "output": list(dict.fromkeys((*self.states, *self.outputs))), "patience_s": self.limits.time_s * PATIENCE,
            "start_time": float(at[0]), "stop_time": float(at[-1]), "output_interval": float(np.diff(at).min()),
            "relative_tolerance": 1e-8,
            "runs": [{"start_values": self._starts(x0, p), "input": self._input(profile, p, at)} for x0, profile, p in runs],
        }  # fmt: skip

    def _solution(self, at: Floats, columns: Mapping[str, Floats]) -> Solution:
        instants = columns["time"]
        # of two values at one instant (before and after an event) the later one counts
        last = np.append(np.diff(instants) > 0, True)
        read = [
            np.stack([self._si(n, np.interp(at, instants[last], columns[n][last])) for n in names], -1)
            if names else np.zeros((len(at), 0))
            for names in (list(self.states), list(self.outputs))
        ]  # fmt: skip
        end = float(instants[-1])
        for values in read:
            values[at > end + 1e-9 * max(1.0, abs(end))] = np.nan
        good = all(np.isfinite(v).all() for v in read)
        words = f"{end:g} s were reached" if good else f"{self.called} gave no number at some instants"
        return Solution(at, read[0], read[1], "complete" if good else "not-finite", words, len(instants), end)

    @property
    def called(self) -> str:
        """What it is called in messages."""
        return self.name or self.path.name

    def _si(self, name: str, values: Floats) -> Floats:
        scale, offset = self.scales[name]
        return values * scale + offset

    def _own(self, name: str, si: Any) -> Any:
        scale, offset = self.scales[name]
        return (si - offset) / scale

    def _starts(self, x0: Floats, p: Floats) -> dict[str, float]:
        """Only what differs from the FMU's own: some may not be set."""
        given = [*zip(self.states.items(), x0, strict=True), *zip(self.parameters.items(), np.atleast_2d(p)[0], strict=True)]
        return {name: float(self._own(name, value)) for (name, q), value in given if value != q.start}

    def _input(self, profile: Profile, p: Floats, at: Floats) -> Any:
        moving = [i for i, name in enumerate(self.parameters) if name in self.tunable] if np.ndim(p) == 2 else []
        names = [*self.inputs, *(list(self.parameters)[i] for i in moving)]
        if not names:
            return None
        times, values = np.asarray(profile.times, np.float64), np.asarray(profile.values, np.float64)
        if moving:
            values = np.hstack((values, p[:, moving]))
        if profile.between == "held":  # two rows at an instant: what was until then, and what is from then on
            times, values = np.repeat(times, 2)[1:], np.repeat(values, 2, axis=0)[:-1]
        times, values = np.append(times, at[-1] + 1.0), np.concatenate([values, values[-1:]])
        made = np.zeros(len(times), [("time", float), *((name, float) for name in names)])
        made["time"] = times
        for i, name in enumerate(names):
            made[name] = self._own(name, values[:, i])
        return made


def fmu(path: str | Path, limits: Limits | None = None, name: str = "") -> FmuModel:
    """Import an FMU of FMI 2 or 3; its description is read in a child process too.

    One that offers both is taken for model exchange where it has continuous states: then equations at points can be had of it.
    Where it has events and saves its state for co-simulation it is taken for that: what events set is then kept where it is followed.

    Args:
        path: the file.
        limits: what a run of it may use.
        name: what it is called in messages; that of the file, if left out.

    Raises:
        ModelError: no FMU, a version, kind or platform that is not supported, a unit that cannot be understood.
    """
    path, limits = Path(path), limits or Limits()
    name = name or path.name
    if not path.is_file():
        raise ModelError(f"no FMU {path}", code="no-fmu", remedy="name a file that is there")
    found = ask({"do": "describe", "path": str(path)}, limits)
    if "error" in found:
        remedy = found.get("remedy", "check it with `fmpy validate`")
        raise ModelError(f"{name}: {found['error']}", code=found.get("code", "fmu"), remedy=remedy)
    if not str(found["version"]).startswith(("2.", "3.")) or not found["kinds"]:
        offers = f"FMI {found['version']}" if "here" not in found else "neither co-simulation nor model exchange"
        raise ModelError(
            f"{name} is of {offers}", code="fmu", remedy="export it as FMI 2 or 3, co-simulation or model exchange"
        )
    if found["here"] not in found["platforms"]:
        has = ", ".join(p for p in found["platforms"] if p != "c-code") or "no platform"
        raise ModelError(
            f"{name} has binaries for {has}, none for {found['here']}", code="fmu",
            remedy=f"export it for {found['here']} too",
        )  # fmt: skip
    return _made((path, name), found, limits)


def _made(of: tuple[Path, str], found: Mapping[str, Any], limits: Limits) -> FmuModel:
    path, named = of
    variables = {v["name"]: v for v in found["variables"]}
    scales: dict[str, Affine] = {}
    kinds: dict[str, dict[str, Quantity]] = {"input": {}, "output": {}, "parameter": {}}
    continuous = {v["state"] for v in variables.values() if v["state"]}
    both = {"modelExchange", "coSimulation"} <= {*found["kinds"]}
    forgets = both and found["events"] and found["saves"]  # at points nobody keeps what events set; what is saved has it
    exchange = "modelExchange" in found["kinds"] and not forgets and (bool(continuous) or not both)
    states = continuous if exchange else {name for name, v in variables.items() if v["settable"]}
    of_states: dict[str, Quantity] = {}
    for name, variable in variables.items():
        kind = kinds.get(variable["causality"])
        if kind is None and name not in states:
            continue
        unit, scale, offset = _si_unit(named, variable["unit"], found["units"])
        scales[name] = (scale, offset)
        quantity = _quantity(variable, unit, scale, offset)
        if kind is not None:
            kind[name] = quantity
        if name in states:
            of_states[name] = quantity
    return FmuModel(
        path, of_states, kinds["input"], kinds["output"], kinds["parameter"], scales,
        "ModelExchange" if exchange else "CoSimulation", limits, named, bool(found["events"]),
        frozenset(v["name"] for v in variables.values() if v["tunable"]),
        found["saves"] and not exchange,
    )  # fmt: skip


def _quantity(variable: Mapping[str, Any], unit: str, scale: float, offset: float) -> Quantity:
    def si(value: Any, other: float) -> float:
        return other if value is None else float(value) * scale + offset

    start = 0.0 if variable["start"] is None else float(variable["start"])
    return Quantity(
        unit, start * scale + offset, si(variable["low"], -math.inf), si(variable["high"], math.inf),
        0.0 if variable["nominal"] is None else abs(float(variable["nominal"]) * scale), variable["description"],
    )  # fmt: skip


def _si_unit(called: str, unit: str | None, defined: Mapping[str, Any]) -> tuple[str, float, float]:
    """Give the coherent SI unit of a variable's unit, and how to get there: by the FMU's definition, else by name."""
    if not unit:
        return "1", 1.0, 0.0
    if unit in defined:
        powers, factor, offset = defined[unit]
        return "*".join(f"{k}**{v}" for k, v in powers.items()) or "1", factor, offset
    try:
        base = str((1 * parse(unit)).to_base_units().units)
        return (base if base != "dimensionless" else "1", *conversion(unit, base if base != "dimensionless" else "1"))
    except AssetError as e:
        raise ModelError(f"{called}: {e.message}", code="fmu", remedy="define it in the FMU, or use a common one") from e


def _foreign(model: FmuModel) -> ModelError:
    return ModelError(
        f"{model.called} is an FMU for co-simulation: it is run as a whole, and has no equations at a point", code="model-foreign",
        remedy="export it for model exchange; what-ifs and fits of whole runs take it as it is",
    )  # fmt: skip
