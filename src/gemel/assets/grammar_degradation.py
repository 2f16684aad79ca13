"""How a plant file says what wears out, by which law, and from when on it is an alarm."""

from typing import Final

from gemel.assets.grammar_names import NAME, NAMED, duration
from gemel.assets.shape import Either, Field, MapOf, Quantity, Record, Text, Unit

WARNING: Final = Record(
    "a warning",
    {
        "within": Field(duration("30 d"), "the time from now that the risk is told of [default: 30 d]"),
        "probability": Field(Quantity("10 %", unit="1", least=0), "the risk from which on it is an alarm, of priority 3 always [default: none]"),
        "cause": Field(Text("erosion by sand"), "what usually causes it"),
        "consequence": Field(Text("the pump delivers too little"), "what happens if nobody acts"),
        "response": Field(Text("plan an overhaul"), "what the operator does"),
        "respond_within": Field(duration("7 d"), "the time there is for it"),
    },
    hints={"priority": "a warning of remaining life is of priority 3: it never outranks an alarm of the plant"},
)  # fmt: skip
DEGRADATION: Final = Record(
    "a degradation",
    {
        "threshold": Field(Quantity("15 %"), "the value at which it has failed", required=True),
        "new": Field(Quantity("0 %"), "the value of a new one [default: 0]"),
        "start": Field(
            Either([((int, float), Quantity("1 %")), (str, Text("1 %"))], "write 1 %, or the name of a parameter"),
            "its value when the record begins, or the parameter that says it [default: unknown; new where nothing shows it]",
        ),
        "unit": Field(Unit(), "the unit of its value [default: the indicator's, else 1]"),
        "rate": Field(Text("1.5e-4 * (speed / rated_speed)^3 / 1 h"), "the expression that gives how fast it goes towards the threshold"),
        "state": Field(Text("bearing_damage"), "the state of the dynamic model that it is, instead of a rate"),
        "indicator": Field(Text("head_loss"), "the signal that shows it [default: none, it follows from the load alone]"),
        "spread": Field(Quantity("50 %", unit="1", least=0), "by how much one of the kind may degrade faster or slower [default: 50 %]"),
        "drives": Field(MapOf(Text("torque"), "drive", NAME, NAMED, empty=False), "words for what drives it, and the signal of each: {load: torque}"),
        "maintenance": Field(MapOf(Quantity("0 %", unit="1", least=0), "action", NAME, NAMED, empty=False), "what an action leaves of it: {overhaul: 0 %}"),
        "warning": Field(WARNING, "the risk, and from when on it is an alarm"),
        "horizon": Field(duration("2 a"), "how far ahead it is looked [default: 2 a]"),
        "every": Field(duration("1 h"), "how often it is foretold anew [default: 1 h]"),
        "retention": Field(Text("default"), "the retention class of what is foretold"),
        "description": Field(Text("wear of the wheel"), "what it is, in words"),
    },
    hints={"limit": "write threshold", "law": "write rate: and the expression", "model": "write state: and the name of the state"},
)  # fmt: skip
