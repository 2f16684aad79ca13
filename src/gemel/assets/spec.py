"""What a plant file says of a signal, an alarm, a command, a parameter: parsed, in the declared unit, immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gemel.assets.spec_kpi import KpiSpec

Level = Literal["high", "high_high", "low", "low_low"]


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to the plant.

    Args:
        name: as in the plant file.
        protocol: ``mqtt``.
        url: address, without a secret in it.
        options: the protocol's own; a password only as ``{"secret": name}``.
    """

    name: str
    protocol: str
    url: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where readings come from; placeholders not yet filled.

    Args:
        connection: name of the connection.
        topic: topic, with placeholders.
        path: JSON path of the value; None: the payload is the value.
        time: JSON path of its time; None: the time of receipt counts.
        time_unit: s, ms, us, ns or iso; None: by its looks.
        status: JSON path of its quality, or None.
        unit: unit that the source sends; None: the declared one.
    """

    connection: str
    topic: str
    path: str | None = None
    time: str | None = None
    time_unit: str | None = None
    status: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Alarm limits of a signal, in its declared unit; None where there is no such level (ISA-18.2)."""

    limits: Mapping[Level, float]
    delay_ns: int = 0
    deadband: float = 0.0
    priorities: Mapping[Level, int] = field(default_factory=dict)
    cause: str = ""
    consequence: str = ""
    response: str = ""
    respond_within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rollup:
    """A property brought together over time, and over related assets.

    Args:
        name: of the signal that it gives.
        by: time_weighted, energy, min, max, worst, availability, effectiveness, quality or oee.
        of: name of the signal that is brought together; of a KPI, the state.
        over: way to the assets that count, such as ``parts``; empty: the asset itself.
        per: width of its window [ns], ``shift`` or ``day``.
        running, planned: states that are production, and that are planned busy time; empty: all.
        produced, good: names of counters of what was produced, and of what of it was good.
        ideal_cycle: planned run time per item, a quantity or the name of a parameter.
    """

    name: str
    by: str
    of: str = ""
    over: str = ""
    per: int | str = "day"
    running: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    produced: str = ""
    good: str = ""
    ideal_cycle: str | float | None = None

    @property
    def width_ns(self) -> int:
        """How long its window usually is [ns]."""
        return (
            self.per if isinstance(self.per, int) else {"shift": 8, "day": 24}[self.per] * 3_600_000_000_000
        )


@dataclass(frozen=True, slots=True)
class Signal:
    """One property of an asset, as it is declared.

    Args:
        name: within its asset.
        unit: the unit it is kept in.
        kind: ``analog``, ``total`` or ``state``.
        states: words of the codes 0, 1, 2 …, of a state only.
        scale, offset: declared = source * scale + offset; exactly (1, 0) where the units agree.
        low, high: what the sensor can say; None: unknown.
        normal: where it usually is.
        max_rate: fastest believable change, per second; None: not checked.
        interval_ns: expected distance of readings; 0: unknown.
        stale_after_ns: age above which it is stale.
        stuck_after_ns: how long it may stand still; 0: not checked.
        formerly: what it was called before it was renamed.
        lane: by which way its values come: ``measured``, ``estimated`` or ``simulated``.
        accuracy: standard uncertainty of a value (JCGM 100:2008, 2.3.1), in the declared unit; None: unknown.
        tolerance: how far this lane may be from the first; None: by their accuracies.
        delay_ns: how long they may be apart before it is news; 0: the default.
        by: name and version of the dynamic model or learner that gives it.
        others: the same property on its other lanes.
        derived: the expression that gives it; empty where it is measured.
        rollup: what it brings together over time; None where it does not.
        examples: how many stand beside the expression.
        prognosis: name of the degradation that it is foretold of; empty where it is none.
        modelled: whether the dynamic model of its type gives it.
        priority: of the alarm when the measured lane is not as this one expects it, 1 (most urgent) to 3.
    """

    name: str
    unit: str
    kind: str = "analog"
    states: tuple[str, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None
    normal: tuple[float, float] | None = None
    max_rate: float | None = None
    interval_ns: int = 0
    stale_after_ns: int = 30_000_000_000
    stuck_after_ns: int = 0
    deadband: float | None = None
    resolution: float | None = None
    retention: str = "default"
    description: str = ""
    alarm: Alarm | None = None
    source: Source | None = None
    formerly: str = ""
    lane: str = "measured"
    accuracy: float | None = None
    others: "tuple[Signal, ...]" = ()
    by: str = ""
    tolerance: float | None = None
    delay_ns: int = 0
    derived: str = ""
    rollup: Rollup | None = None
    examples: int = 0
    prognosis: str = ""
    modelled: bool = False
    priority: int = 3

    @property
    def computed(self) -> bool:
        """Whether the twin gives its values itself."""
        return bool(self.derived) or self.rollup is not None

    @property
    def given(self) -> bool:
        """Whether its values come from the twin's own family: computed or estimated as readings come, or foretold now and then."""
        return self.computed or self.modelled or bool(self.prognosis)

    @property
    def lanes(self) -> "tuple[Signal, ...]":
        """Itself and its other lanes: each is a signal of its own in the registry."""
        return (self, *self.others)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """What an asset can be told, and what must hold before and after.

    Args:
        asset: path of the asset; empty in a type.
        name: of the command.
        unit: of its value: the unit of the signal that it sets or reads back.
        low, high: what may be asked for; None: no limit.
        max_rate_per_s: fastest allowed change; None: any.
        approval: role of a second person, or None.
        sets, read_back: names of signals of the same asset, or None.
        tolerance: how near the read-back must come.
        timeout_ns: how long it may take.
        rests_on: names of signals that must be fresh and good.
        connection, topic, payload: how it is written; None: not wired. In `payload` only ``{value}`` is left.
    """

    asset: str
    name: str
    unit: str
    low: float | None = None
    high: float | None = None
    max_rate_per_s: float | None = None
    approval: str | None = None
    sets: str | None = None
    read_back: str | None = None
    tolerance: float = 0.0
    timeout_ns: int = 60_000_000_000
    rests_on: tuple[str, ...] = ()
    connection: str | None = None
    topic: str | None = None
    payload: str = "{value}"
    description: str = ""

    @property
    def wired(self) -> bool:
        """Whether it can be written anywhere."""
        return self.connection is not None and self.topic is not None


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is known of a type's assets, as it is declared; `accuracy`: standard uncertainty of a value, in the unit; None: unknown."""

    name: str
    unit: str
    calibrate: bool = False
    low: float | None = None
    high: float | None = None
    default: float | None = None
    description: str = ""
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An event of a type's assets: the signal of its name is its condition.

    Args:
        name: of the event, and of the signal.
        hold_ns: how long the condition must hold until the event is raised.
        description: what it is, in words.
    """

    name: str
    hold_ns: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Degradation:
    """What wears out of a type's assets, what drives it, and when it has failed.

    Args:
        name: of what degrades.
        unit: of its value.
        threshold: the value at which it has failed.
        new: the value of a new one.
        rate: expression that gives how fast it goes towards the threshold, in `unit` per second; or empty.
        state: the state of the type's dynamic model that it is; or empty.
        indicator: name of the signal that shows it; empty: none does.
        start: value at the beginning of the record, or the name of a parameter that says it; None: not known.
        spread: of the logarithm of how much faster or slower one of the kind may degrade.
        drives: words for what drives it (load, speed …), and the signal of each.
        maintenance: what an action leaves of the degradation, by its name: 0 as new, 1 as it was.
        horizon_ns: how far ahead it is looked.
        every_ns: how often it is foretold anew.
        within_ns: the time from now that the risk is told of.
    """

    name: str
    unit: str
    threshold: float
    new: float = 0.0
    rate: str = ""
    state: str = ""
    indicator: str = ""
    start: float | str | None = None
    spread: float = 0.5
    drives: Mapping[str, str] = field(default_factory=dict)
    maintenance: Mapping[str, float] = field(default_factory=dict)
    horizon_ns: int = 0
    every_ns: int = 0
    within_ns: int = 0
    description: str = ""

    @property
    def signals(self) -> Mapping[str, str]:
        """The signals that its prognosis is kept in: value, median life, its 5 % and 95 % quantiles, risk."""
        return {
            "value": f"{self.name}_degradation", "life": f"{self.name}_life", "low": f"{self.name}_life_low",
            "high": f"{self.name}_life_high", "risk": f"{self.name}_risk",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calibrating:
    """How the parameters marked `calibrate` follow the machine.

    Args:
        every_ns: distance of calibrations [ns]; 0: never by themselves.
        at: local time of day from which they are counted, ``HH:MM``.
        window_ns: how far back data are looked for [ns].
        step_s: of the fit [s]; None: as the readings come.
        running: by signal, between which values the machine runs, in its unit; None: open.
        regimes: by signal, edges between regimes, in its unit.
        most: blocks of each regime, the newest.
        unseen: share of the data, the newest, that is judged on.
        promote: ``gate`` or ``person``: who lets a challenger in.
        shadow: runs that it must have stood beside the champion, and been better, before the gate lets it in.
        sensors: states and outputs of the model whose readings are listened to; none: all that are read.
        hybrid: whether what the fit leaves over is learned too.
        lead_s: how long a free run over the unseen finds its start on [s]; None: ten steps.
    """

    every_ns: int = 86_400_000_000_000
    at: str = "02:00"
    window_ns: int = 86_400_000_000_000
    step_s: float | None = None
    running: tuple[tuple[str, tuple[float | None, float | None]], ...] = ()
    regimes: tuple[tuple[str, tuple[float, ...]], ...] = ()
    most: int = 10_000
    unseen: float = 0.3
    promote: str = "gate"
    shadow: int = 0
    sensors: tuple[str, ...] = ()
    hybrid: bool = False
    lead_s: float | None = None


@dataclass(frozen=True, slots=True)
class Estimates:
    """How the dynamic model of a type follows its machines.

    Args:
        every_ns: from one estimate to the next.
        noise: how far states and parameters wander in a second: a number, or a quantity with its unit, by name.
        states: of the model, that are followed; empty: all. Of the others those that are read are taken as they are read.
        sensors: states and outputs of the model that are listened to; empty: all that are read.
        filter: `unscented` or `ensemble`.
        drift_ns: how long an error of a sensor or of the model lasts, its size being the accuracy; 0: errors are taken for noise.
        start: how uncertain states and parameters are where they begin: a number, or a quantity with its unit, by name.
        scatter: of what changes from reading to reading, where errors last: a number, or a quantity with its unit, by name.
        changes: of parameters where something befalls the machine, to be expected: a number, or a quantity with its unit, by name.
    """

    every_ns: int = 1_000_000_000
    noise: Mapping[str, str | float] = field(default_factory=dict, hash=False)  # a mapping has none
    states: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    filter: str = "unscented"
    drift_ns: int = 0
    scatter: Mapping[str, str | float] = field(default_factory=dict, hash=False)
    start: Mapping[str, str | float] = field(default_factory=dict, hash=False)
    changes: Mapping[str, str | float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Template:
    """What assets of one kind have in common: their type, with what they change of it.

    Args:
        type: name of the type.
        lineage: the type and what it extends, nearest first.
        versions: their versions.
        dynamics: its dynamic model; None: it has none.
        names: pairs (name in the model, property of the type), where the two differ.
        signals, parameters, commands, rules, degradations, kpis: resolved, in the order of the file.
    """

    type: str
    lineage: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    description: str = ""
    dynamics: str | None = None
    calibration: Calibrating = Calibrating()
    names: tuple[tuple[str, str], ...] = ()
    estimates: Estimates = Estimates()
    signals: tuple[Signal, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    commands: tuple[CommandSpec, ...] = ()
    rules: tuple[Rule, ...] = ()
    degradations: tuple[Degradation, ...] = ()
    kpis: tuple[KpiSpec, ...] = ()
