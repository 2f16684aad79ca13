"""The grammar of a plant file, said once: the reader checks by it and the JSON Schema is printed from it."""

from typing import Final

from gemel.assets.grammar_connection import CONNECTION, NOTICE
from gemel.assets.grammar_degradation import DEGRADATION
from gemel.assets.grammar_dynamics import AREA, CALIBRATION, DYNAMICS, ESTIMATES, MODEL
from gemel.assets.grammar_kpis import KPI
from gemel.assets.grammar_names import JSON_PATH, LEVELS_BELOW, NAME, URGENCY
from gemel.assets.grammar_names import KEY as _KEY
from gemel.assets.grammar_names import NAMED as _NAMED
from gemel.assets.grammar_names import duration as _duration
from gemel.assets.shape import (
    Either,
    Field,
    Flag,
    Given,
    ListOf,
    MapOf,
    Number,
    Quantity,
    Record,
    Shape,
    Text,
    Unit,
    Window,
    Word,
)
from gemel.assets.spec import Level

_PLANT: Final = (
    r"^[^.\s/+#$*?{}<>|%&\"'\\][^\s/+#$*?{}<>|%&\"'\\]*/[^.\s/+#$*?{}<>|%&\"'\\][^\s/+#$*?{}<>|%&\"'\\]*$"
)
TIME_UNITS: Final = ("s", "ms", "us", "ns", "iso")
LEVELS: Final[tuple[Level, ...]] = (
    "low_low",
    "low",
    "high",
    "high_high",
)  # in order of their limits (ISA-18.2: LL, L, H, HH)
ROLES: Final = ("operator", "engineer")


def _place(words: str) -> Field:
    return Field(Text("$.value", JSON_PATH, 'steps .name, [0] or ["any name"]'), words)


def _names(example: str) -> ListOf:
    return ListOf(Text("speed"), example)


WHERE: Final = {
    "from": Field(Text("field"), "the connection it comes from"),
    "topic": Field(
        Text("station/{asset}/{signal}", r"^[^\s]"),
        "the topic; {asset}, {signal}, {at}, {path} and columns of a fleet's table may stand in it",
    ),
    "path": _place("JSON path of the value; without it the payload is a plain number"),
    "time": _place("JSON path of its time; without it the time of receipt counts"),
    "time_unit": Field(Word(TIME_UNITS), "how the time is written; without it, by its looks"),
    "status": _place("JSON path of its quality: an OPC UA status code, or good, uncertain, bad"),
}
SOURCE: Final = Record("a source", {**WHERE, "unit": Field(Unit(), "the unit that the source sends")})

_limit = Field(Quantity("85 degC"), "a limit, in the signal's unit or with a unit of its own")
ALARM: Final = Record(
    "an alarm",
    {
        **dict.fromkeys(LEVELS, _limit),
        "delay": Field(_duration("5 s"), "how long the limit must be passed before it counts"),
        "deadband": Field(Quantity("2 degC", least=0), "how far back it must come before the alarm ends"),
        "priority": Field(
            Either([(int, URGENCY), (dict, Record("priorities", dict.fromkeys(LEVELS, Field(URGENCY, "1 to 3"))))],
                   "write 1 (most urgent), 2 or 3, or {high: 2, high_high: 1}"),
            "1 (most urgent) to 3, for all levels or for each",
        ),
        "cause": Field(Text("bearing wear"), "what usually causes it (ISA-18.2: rationalisation)"),
        "consequence": Field(Text("the bearing seizes"), "what happens if nobody acts"),
        "response": Field(Text("reduce speed, call maintenance"), "what the operator does"),
        "respond_within": Field(_duration("30 min"), "the time there is for it"),
    },
    hints={"hihi": "write high_high", "lolo": "write low_low", "hi": "write high", "lo": "write low"},
)  # fmt: skip

_pair = ListOf(Quantity("0"), "[0, 100]", length=2)
_ACCURACY: Final = {"accuracy": Field(Quantity("0.5 m3/h", least=0), "its standard uncertainty")}
EXAMPLE: Final = Record(
    "an example",
    {
        "given": Field(
            MapOf(Given(), "value", r"^[^\s]+$", "write names as in the expression", empty=False),
            "what is read: a value, or a list of one for each related asset; what is not given is not known",
        ),
        "expect": Field(Given(), "what must come out; unknown where nothing can be known", required=True),
        "tolerance": Field(Quantity("0.1"), "how near a number must come [default: 0.1 %]"),
        "after": Field(_duration("6 s"), "of a rule: how long it has been so [default: long enough]"),
    },
)
_EXAMPLES: Final = {
    "examples": Field(ListOf(EXAMPLE, "[{given: {flow: 40 m3/h}, expect: 2 kW}]"), "run by `gemel check`")
}
_DERIVED: Final = {
    "derived": Field(
        Text("9.81 kN/m3 * flow * head / power"), "the expression that gives it, where nothing measures it"
    ),
    **_EXAMPLES,
}
_MODELLED: Final = {
    "dynamics": Field(Flag(), "whether the type's dynamic model gives it, estimated from what is measured")
}
LANE: Final = Record(
    "a further lane of a signal",
    {
        **WHERE,
        "unit": Field(Unit(), "the unit that the source sends"),
        "interval": Field(_duration("1 s"), "how often it is expected [default: the signal's]"),
        "stale_after": Field(_duration("10 s"), "the age above which it is stale [default: the signal's]"),
        "tolerance": Field(
            Quantity("5 m3/h", least=0),
            "how far it may be from the first lane [default: twice their accuracies]",
        ),
        "delay": Field(_duration("1 min"), "how long they may be apart before it is news [default: 30 s]"),
        "by": Field(
            Text("flow observer 2.1"), "name and version of the dynamic model or learner that gives it"
        ),
        "priority": Field(URGENCY, "of the alarm when a reading is not as the dynamic model expects: 1 (most urgent) to 3 [default: 3]"),
        **_ACCURACY,
        **_DERIVED,
        **_MODELLED,
    },
)
_JUDGED: Final = {
    "range": Field(_pair, "what the sensor can say; readings outside are Bad"),
    "normal": Field(_pair, "where it usually is"),
    "max_rate": Field(Quantity("5 degC/s", least=0), "the fastest believable change"),
    "interval": Field(_duration("1 s"), "how often it is expected"),
    "stale_after": Field(
        _duration("10 s"), "the age above which it is stale [default: 5 intervals, or 30 s]"
    ),
    "stuck_after": Field(_duration("10 min"), "how long it may stand still before it is suspected"),
    "deadband": Field(Quantity("0.1", least=0), "changes smaller than this do not matter"),
    "resolution": Field(Quantity("0.1", least=0), "the step of the sensor"),
    "retention": Field(Text("default"), "the retention class"),
    "description": Field(Text("discharge flow"), "what it is, in words"),
    "alarm": Field(ALARM, "its alarm limits"),
    "source": Field(SOURCE, "where it comes from"),
    **_ACCURACY,
    "estimated": Field(LANE, "where an estimate of it comes from"),
    "simulated": Field(LANE, "where a simulated value of it comes from"),
    "formerly": Field(Text("discharge_flow", NAME, _NAMED), "its name before it was renamed"),
    **WHERE,
}
SIGNAL: Final = Record(
    "a signal",
    {
        "unit": Field(Unit(), "the unit it is kept in"),
        "kind": Field(
            Word(("analog", "total", "state")),
            "a measured value, a counter that only rises, or one of some states",
        ),
        "states": Field(
            ListOf(Text("running"), "[stopped, running]", least=2), "the words of the codes 0, 1, 2 …"
        ),
        **_DERIVED,
        **_MODELLED,
        **_JUDGED,
    },
)
ASSET_SIGNAL: Final = Record(
    "a signal of an asset",
    {"unit": Field(Unit(), "the unit that the source sends, where it differs from the type's"), **_JUDGED},
    hints=dict.fromkeys(("kind", "states", "derived", "examples", "dynamics"), "that is the type's to say"),
)

_WIRED: Final = {
    "to": Field(Text("field"), "the connection it is written to"),
    "topic": Field(
        Text("station/{asset}/set/speed", r"^[^\s+#]+$", "without + and #"), "the topic it is written to"
    ),
    "payload": Field(
        Text('{"value": {value}}', r"\{value\}", "{value} must stand in it"),
        "what is written [default: {value}]",
    ),
}
_GUARDED: Final = {
    "range": Field(_pair, "the values that may be asked for"),
    "max_rate": Field(Quantity("50 rpm/s", least=0), "how fast the value may be changed"),
    "approval": Field(Word(ROLES), "the role of a second person who must approve; absent = none"),
    "sets": Field(Text("speed_setpoint"), "the signal that it sets"),
    "read_back": Field(Text("speed"), "the signal by which its effect is seen"),
    "tolerance": Field(
        Quantity("30 rpm", least=0), "how near the read-back must come [default: 1 % of the range]"
    ),
    "timeout": Field(_duration("60 s"), "how long the read-back may take [default: 60 s]"),
    "rests_on": Field(
        _names("[speed, flow]"), "signals that must be fresh and good [default: the read-back]"
    ),
    "description": Field(Text("sets the speed"), "what it does, in words"),
}
COMMAND: Final = Record("a command", {"unit": Field(Unit(), "the unit of its value"), **_GUARDED, **_WIRED})
ASSET_COMMAND: Final = Record(
    "a command of an asset", {**_GUARDED, **_WIRED}, hints={"unit": "that is the type's to say"}
)

PARAMETER: Final = Record(
    "a parameter",
    {
        "unit": Field(Unit(), "its unit", required=True),
        "calibrate": Field(Flag(), "whether it may be fitted to the data"),
        "range": Field(_pair, "between what it must be"),
        "default": Field(Quantity("32 m"), "its value where an asset says none"),
        "accuracy": Field(Quantity("0.5 m", least=0), "the standard uncertainty of its value"),
        "description": Field(Text("head at zero flow"), "what it is, in words"),
    },
)


_RULE: Final = {
    "description": Field(Text("nothing comes in"), "what it is, in words"),
    "retention": Field(Text("default"), "the retention class of its signal"),
    "stale_after": Field(_duration("10 s"), "the age above which its signal is stale"),
    **_EXAMPLES,
}
RULE_SIGNAL: Final = frozenset(_RULE)  # what a rule says of its signal
RULE: Final = Record(
    "a rule",
    {
        "when": Field(Text("any(upstream.state == jammed)"), "the condition, an expression; must be there"),
        "for": Field(_duration("5 s"), "how long it must hold [default: 0 s]"),
        **_RULE,
    },
)


ROLLUP: Final = Record(
    "a roll-up",
    {
        "of": Field(Text("power"), "the signal that is brought together; of a KPI, the state"),
        "over": Field(Text("parts"), "the way to the assets that count [default: the asset itself]"),
        "by": Field(
            Word(
                (
                    "sum",
                    "mean",
                    "min",
                    "max",
                    "worst",
                    "time_weighted",
                    "energy",
                    "availability",
                    "effectiveness",
                    "quality",
                    "oee",
                )
            ),
            "how it is brought together",
        ),
        "per": Field(
            Either([((int, float), _duration("1 h")), (str, Window())], "write 1 h, shift or day"),
            "the window of time [default: none, the values of now]",
        ),
        "unit": Field(Unit(), "the unit it is kept in [default: the signal's, kW.h of energy, % of a KPI]"),
        "running": Field(_names("[running]"), "states that are production"),
        "planned": Field(_names("[running, jammed]"), "states that are planned busy time [default: all]"),
        "produced": Field(Text("produced"), "the counter of what was produced"),
        "good": Field(Text("good"), "the counter of what of it was good"),
        "ideal_cycle": Field(
            Either(
                [((int, float), _duration("2 s")), (str, Text("2 s"))],
                "write 2 s, or the name of a parameter",
            ),
            "the planned run time per item, or the parameter that says it",
        ),
        "range": Field(_pair, "what it can be; values outside are Bad"),
        "alarm": Field(ALARM, "its alarm limits"),
        "retention": Field(Text("default"), "the retention class"),
        "stale_after": Field(_duration("1 h"), "the age above which it is stale [default: two windows]"),
        "description": Field(Text("what the line takes"), "what it is, in words"),
        **_EXAMPLES,
    },
)


def _named(item: Shape, what: str, *, empty: bool = True) -> MapOf:
    return MapOf(item, what, NAME, _NAMED, empty)


TYPE: Final = Record(
    "a type",
    {
        "extends": Field(Text("Machine"), "the type it inherits from"),
        "version": Field(
            Number(1, 1_000_000, whole=True), "raised when it changes; a plan lists it [default: 1]"
        ),
        "description": Field(Text("a centrifugal pump"), "what it is, in words"),
        "dynamics": Field(
            Either([(str, MODEL), (dict, DYNAMICS)], "write module:name, {fmu: pump.fmu}, or {model: module:name, names: {…}}"), "its dynamic model"
        ),
        "calibration": Field(CALIBRATION, "how the parameters marked calibrate follow the machine"),
        "estimates": Field(ESTIMATES, "how its model follows the machine"),
        "source": Field(SOURCE, "where its signals come from, unless they say"),
        "signals": Field(_named(SIGNAL, "signal"), "what is measured"),
        "parameters": Field(_named(PARAMETER, "parameter"), "what is known of it"),
        "commands": Field(_named(COMMAND, "command"), "what it can be told"),
        "rules": Field(_named(RULE, "rule"), "events: conditions that hold for a time"),
        "rollups": Field(_named(ROLLUP, "roll-up"), "what is brought together over parts and over time"),
        "degradation": Field(
            _named(DEGRADATION, "degradation"), "what wears out, what drives it, and when it has failed"
        ),
        "kpis": Field(_named(KPI, "KPI", empty=False), "figures by which what-ifs are judged: {energy: {energy: power}}"),
    },
)
ASSET: Final = Record(
    "an asset",
    {
        "type": Field(Text("CentrifugalPump"), "its type", required=True),
        "at": Field(
            Text("area-1/line-1", LEVELS_BELOW, "levels below the site, divided by /"),
            "where it is: area/line, or the path of an asset that it is part of",
        ),
        "formerly": Field(
            Text("area-1/line-1/pump-1", LEVELS_BELOW, "levels below the site, divided by /"),
            "its path below the site before it was moved or renamed",
        ),
        "title": Field(Text("Pump 1"), "its name for people"),
        "description": Field(Text("the pump by the door"), "what it is, in words"),
        "table": Field(
            Text("pumps.csv", r"^[^/\\]+\.(csv|parquet)$", "a .csv or .parquet file beside plant.yaml"),
            "a fleet: a file with a row an asset, column `name`",
        ),
        "parameters": Field(
            _named(Quantity("32 m"), "parameter", empty=False), "values of the type's parameters"
        ),
        "source": Field(SOURCE, "where its signals come from, unless they say"),
        "signals": Field(_named(ASSET_SIGNAL, "signal"), "what is different about its signals"),
        "commands": Field(_named(ASSET_COMMAND, "command"), "what is different about its commands"),
    },
)

RELATION_TYPE: Final = Record(
    "a relation type",
    {
        "forward": Field(
            Text("driven", NAME, _NAMED), "what an expression calls the right side, seen from the left"
        ),
        "backward": Field(Text("driver", NAME, _NAMED), "what it calls the left side, seen from the right"),
        "carries": Field(
            _names("[speed, jammed]"), "signals and rules that may be read over it [default: all]"
        ),
        "joins": Field(ListOf(Text("shaft", NAME, _NAMED), "[shaft, shaft]", length=2), "the ports of both dynamic models that it joins"),
        "description": Field(Text("drives by a belt"), "what it is, in words"),
    },
)
_KEPT: Final = Quantity("400 d", unit="s", least=86_400)
KEPT: Final = Record(
    "a retention class",
    {
        "raw": Field(_KEPT, "the readings [default: 400 d]"),
        "seconds": Field(_KEPT, "roll-ups of 1 s [default: as raw]"),
        "minutes": Field(_KEPT, "roll-ups of 1 min [default: as raw]"),
        "hours": Field(_KEPT, "roll-ups of 1 h [default: as raw, 10 years at least]"),
        "days": Field(_KEPT, "roll-ups of 1 d [default: as raw, 10 years at least]"),
    },
)
_RETENTION: Final = Either(
    [((int, float, str), _KEPT), (dict, KEPT)],
    "write a duration, such as 400 d, or {raw: 30 d, minutes: 2 a}",
)
PLANT: Final = Record(
    "the plant file",
    {
        "plant": Field(Text("acme/riverside", _PLANT, "enterprise/site"), "enterprise/site, the root of all paths (ISA-95)", required=True),
        "title": Field(Text("Riverside pumping station"), "its name for people"),
        "description": Field(Text("two pumps and a tank"), "what it is, in words"),
        "clock": Field(Word(("wall", "data")), "wall, or data: plant time follows the newest reading (a replay)"),
        "timezone": Field(Text("Europe/Berlin"), "for display only; times are stored in UTC"),
        "writes": Field(Flag(), "whether commands may be sent at all [default: false]"),
        "retention": Field(MapOf(_RETENTION, "retention class", _KEY, _NAMED, empty=False), "how long history is kept, by class [default: 400 d]"),
        "connections": Field(MapOf(CONNECTION, "connection", _KEY, _NAMED, empty=False), "the plant's brokers"),
        "namespace": Field(Record("the namespace", {"connection": Field(Text("field"), "where the plant is published", required=True)}), "publish the plant by its paths, retained"),
        "notify": Field(MapOf(NOTICE, "notice", _KEY, _NAMED, empty=False), "who is told when something happens"),
        "types": Field(_named(TYPE, "type"), "kinds of assets"),
        "assets": Field(_named(ASSET, "asset", empty=False), "what exists"),
        "estimates": Field(MapOf(AREA, "area", LEVELS_BELOW, _NAMED, empty=False), "areas that are followed as one system"),
        "balances": Field(MapOf(Text("pump-1/flow + pump-2/flow = main/flow"), "balance", NAME, _NAMED, empty=False), "sums of signals that always hold"),
        "shifts": Field(ListOf(Text("06:00", r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "hours and minutes"), '["06:00", "14:00", "22:00"]', least=1), "when shifts begin, local time"),
        "relation_types": Field(_named(RELATION_TYPE, "relation type"), "what relations of a word are, and what they carry"),
        "relations": Field(ListOf(Text("pump-1 feeds tank-1", r"^\S+\s+\S+\s+\S+$", "asset, word, asset; asset:port where a port is meant"), "[pump-1 feeds tank-1]"), "what is related to what"),
    },
)  # fmt: skip
