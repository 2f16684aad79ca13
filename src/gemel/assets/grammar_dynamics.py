"""How a plant file says which dynamic model a type has, how it follows the machine, and how its parameters do."""

from typing import Final

from gemel.assets.grammar_names import LEVELS_BELOW, NAME, NAMED, duration
from gemel.assets.shape import (
    Either,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    OftenOrNever,
    Quantity,
    Record,
    Text,
    Word,
)

_PAIR: Final = ListOf(Quantity("0"), "[0, 100]", length=2)
ESTIMATES: Final = Record(
    "estimates",
    {
        "every": Field(Quantity("1 s", unit="s", least=1e-3), "from one estimate to the next [default: 1 s]"),
        "noise": Field(
            MapOf(Quantity("1 mm", least=0), "state or parameter of the model", NAME, NAMED, empty=False),
            "how far it wanders in a second, beyond what the model says: a standard deviation [default: 0.1 % of its usual size; of a parameter 0.01 %]",
        ),
        "start": Field(
            MapOf(Quantity("1 mm", least=0), "state or parameter of the model", NAME, NAMED, empty=False),
            "how far it may be from where it begins: a standard deviation [default: a quarter of its usual size; of a parameter a fifth]",
        ),
        "states": Field(
            ListOf(Text("worn"), "[worn]", least=1), "states of the model that are followed; the others as they are read, else as they begin [default: all]"
        ),
        "sensors": Field(
            ListOf(Text("flow"), "[flow, power]", least=1), "states and outputs of the model whose readings are listened to [default: all that are read]"
        ),
        "filter": Field(Word(("unscented", "ensemble")), "which Kalman filter [default: unscented]"),
        "drift": Field(
            duration("6 h"), "how long an error of a sensor, or of the model there, lasts: accuracy is its size [default: errors are noise]"
        ),
        "changes": Field(
            MapOf(Quantity("100 s2/m5", least=0), "parameter of the model", NAME, NAMED, empty=False),
            "parameters that change where something befalls the machine (a riser clogs, a screen fouls), by how much: its suspects [default: none]",
        ),
        "scatter": Field(
            MapOf(Quantity("1 mm", least=0), "state or output of the model that is read", NAME, NAMED, empty=False),
            "with drift: what changes from reading to reading, a standard deviation [default: the accuracy]",
        ),
    },
)
AREA: Final = Record(
    "estimates of an area",
    {
        "noise": Field(
            MapOf(Quantity("1 mm", least=0), "state or parameter, as asset/name", LEVELS_BELOW, NAMED, empty=False),
            "as under a type, of asset/name [default: what the types say]",
        ),
        "states": Field(ListOf(Text("tank/level"), "[tank/level]", least=1), "the states that are followed [default: what the types say]"),
        "sensors": Field(ListOf(Text("pump-1/flow"), "[pump-1/flow]", least=1), "states and outputs whose readings are listened to [default: what the types say]"),
    },
)
CALIBRATION: Final = Record(
    "a calibration",
    {
        "every": Field(
            Either([((int, float), duration("1 d")), (str, OftenOrNever())], "write 1 d, or never"),
            "how often the parameters marked calibrate follow the machine [default: 1 d]",
        ),
        "at": Field(Text("02:00", r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "hours and minutes"), "local time from which that is counted [default: 02:00]"),
        "window": Field(duration("1 d"), "how far back data are looked for [default: every, a day at least]"),
        "step": Field(duration("10 s"), "of the fit [default: as the first output's readings come]"),
        "lead": Field(duration("10 min"), "how long a free run over what is judged on finds its start by the readings [default: ten steps]"),
        "running": Field(
            MapOf(Either([((int, float, str), Quantity("600 rpm")), (list, _PAIR)], "write 600 rpm (at least) or [600 rpm, 3000 rpm]"),
                  "signal", NAME, NAMED, empty=False),
            "between which values the machine runs; the rest is no data",
        ),
        "regimes": Field(
            MapOf(ListOf(Quantity("1000 rpm"), "[1000 rpm, 2000 rpm]", least=1), "signal", NAME, NAMED, empty=False),
            "edges between regimes: each has its share of the data",
        ),
        "most": Field(Number(1, 10_000, whole=True), "blocks of each regime, the newest [default: all]"),
        "unseen": Field(Number(0.05, 0.95), "share of the data, the newest, that is judged on [default: 0.3]"),
        "promote": Field(Word(("gate", "person")), "who lets a challenger in [default: gate]"),
        "shadow": Field(Number(0, 1000, whole=True), "runs that it must be better beside the champion before the gate lets it in [default: 0]"),
        "sensors": Field(
            ListOf(Text("flow"), "[flow, power]", least=1), "states and outputs of the model whose readings are listened to [default: all, but what is computed of others]"
        ),
        "hybrid": Field(Flag(), "whether what a fit leaves over is learned too [default: false]"),
    },
)  # fmt: skip


MODEL: Final = Text("gemel.dynamics.components:CentrifugalPump", r"^[\w.]+:\w+$", "module:name")
_QUANTITY: Final = r"^[^\W\d][\w./,()\[\]-]*$"  # of an FMU also tank[1].level
DYNAMICS: Final = Record(
    "a dynamic model",
    {
        "model": Field(MODEL, "module:name of an importable class"),
        "fmu": Field(
            Text("models/pump.fmu", r"^(?!.*\.\.)[\w-][\w .-]*(/[\w-][\w .-]*){0,3}\.fmu$", "an .fmu file beside plant.yaml, or in a folder there"),
            "instead: a model from another tool, of FMI 2 or 3",
        ),
        "names": Field(
            MapOf(Text("speed", NAME, NAMED), "name of the model", _QUANTITY, NAMED, empty=False),
            "the signal or parameter that a name of the model means, where they differ",
        ),
    },
    hints={"maps": "write names:", "class": "write model:"},
)
