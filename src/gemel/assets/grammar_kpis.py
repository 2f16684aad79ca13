"""How a plant file says by which figures what-ifs of a type are judged."""

from typing import Final

from gemel.assets.shape import Either, Field, MapOf, Quantity, Record, Text, Unit, Word

CLOCK: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_PRICE: Final = Text("0.21 EUR/kWh", r"^\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*[^\s/0-9][^/]*/\s*\S", "a number, a currency and what it is for")
DUE: Final = Text("8 h", r"^([0-9.]+ ?[a-z]+|([01][0-9]|2[0-3]):[0-5][0-9]|[0-9]{4}-[0-9]{2}-[0-9]{2}[^\s]*)$", "8 h, 18:00 or 2026-11-23T18:00")
KPI: Final = Record(
    "a KPI",
    {
        "energy": Field(Text("power"), "the power whose energy it is"),
        "cost": Field(Text("power"), "what is paid for by its amount, at a price:"),
        "total": Field(Text("flow"), "the rate whose amount over the horizon it is"),
        "mean": Field(Text("flow"), "the quantity whose mean it is"),
        "min": Field(Text("level"), "the quantity whose least value it is"),
        "max": Field(Text("power"), "the quantity whose greatest value it is"),
        "end": Field(Text("level"), "the quantity whose value at the end it is"),
        "yield": Field(Text("product"), "the rate of what comes out, over that of per:"),
        "ratio": Field(Text("power"), "the rate whose amount is divided by that of per:"),
        "violations": Field(Text("temperature"), "the quantity that should stay in its limits: how long it does not, and how often"),
        "life": Field(Text("wear"), "the quantity that ends its life at limit:"),
        "order": Field(Text("flow"), "the rate of what is to be made: whether amount: is there by:, and what is missing of it"),
        "amount": Field(Quantity("300 m3"), "of an order: how much is to be there"),
        "by": Field(DUE, "of an order: until when"),
        "after": Field(DUE, "of an order: from when on it counts [default: the beginning]"),
        "per": Field(Text("feed"), "of a yield or ratio: what it is divided by"),
        "price": Field(
            Either([(str, _PRICE), (dict, MapOf(_PRICE, "time of day", CLOCK, 'write "06:00": 0.28 EUR/kWh', empty=False))],
                   'write 0.21 EUR/kWh, or {"06:00": 0.28 EUR/kWh, "22:00": 0.14 EUR/kWh}'),
            "of a cost: the price, or from which local time of the day on which",
        ),
        "above": Field(Quantity("90 degC"), "of violations: from where on it is too much"),
        "below": Field(Quantity("10 degC"), "of violations: from where on it is too little"),
        "limit": Field(Quantity("15 %"), "of a life: where it ends [default: the threshold of the degradation of that state]"),
        "unit": Field(Unit(), "of the figure [default: kWh of energy, the price's of a cost, % of a yield, h of violations, d of a life, of an order that of what is missing, else the quantity's]"),
        "better": Field(Word(("less", "more")), "which way is better [default: less of energy, cost and violations, more of yield, life and orders met]"),
        "description": Field(Text("what the pump takes"), "what it is, in words"),
    },
    hints={"of": "write the measure as the key: {energy: power}", "peak": "write max", "last": "write end", "integral": "write total",
           "threshold": "write limit", "high": "write above", "low": "write below", "tariff": "write price", "due": "write by", "until": "write by", "quantity": "write amount"},
)  # fmt: skip
