"""How a plant file says the way out: connections to brokers, who is told of what, and the secrets of both."""

from typing import Final

from gemel.assets.grammar_names import KEY, URGENCY
from gemel.assets.shape import Either, Field, ListOf, Number, Record, Text, Word

SYNC: Final = ("series", "event", "both")
PROTOCOLS: Final = ("mqtt",)

SECRET: Final = Record(
    "a secret",
    {
        "secret": Field(
            Text("field", KEY),
            "its name: GEMEL_SECRET_<NAME>, or the file secrets/<name> in the data directory",
            required=True,
        )
    },
)
_file = Text("/etc/ssl/plant.pem")
CONNECTION: Final = Record(
    "a connection",
    {
        "mqtt": Field(Text("mqtt://127.0.0.1:1883", r"^(mqtt|mqtts|tcp|ssl)://[^\s/]+$", "mqtts:// for TLS"), "the address of a broker", required=True),
        "version": Field(Word(("5", "3.1.1")), "the version of MQTT [default: 5]"),
        "user": Field(Text("twin"), "the user's name"),
        "password": Field(Either([(dict, SECRET)], "a password does not belong into the file: write {secret: NAME}, and set GEMEL_SECRET_NAME"), "by reference: {secret: NAME}"),
        "qos": Field(Number(0, 1, whole=True), "quality of service [default: 1, acknowledged when stored]"),
        "client_id": Field(Text("gemel-riverside"), "the name under which the broker keeps the session"),
        "ca": Field(_file, "the authority that the broker's certificate must come from"),
        "sync": Field(Word(SYNC), "how what it brings is kept: series (all readings, in history), event (changes, as facts) or both [default: series]"),
        "cert": Field(_file, "our certificate"),
        "key": Field(_file, "its key"),
    },
    hints={"url": 'write mqtt: "mqtt://host:1883"', "host": 'write mqtt: "mqtt://host:1883"', "opcua": "this version speaks mqtt", "modbus": "this version speaks mqtt",
           "http": "this version speaks mqtt", "coap": "this version speaks mqtt", "tls": "write mqtts:// in the address", "username": "write user"},
)  # fmt: skip

NOTICE: Final = Record(
    "a notice",
    {
        "webhook": Field(Text("https://alerts.plant/gemel", r"^https?://[^\s/]+\S*$", "http:// or https://"), "the address that gets a POST with JSON"),
        "key": Field(SECRET, "signs the webhook (HMAC-SHA256): {secret: NAME}"),
        "email": Field(ListOf(Text("shift@plant.example", r"^[^@\s]+@[^@\s]+$", "name@host"), "[shift@plant.example]", least=1), "who gets an e-mail"),
        "smtp": Field(Text("smtp://mail.plant:587", r"^smtps?://[^\s/]+$", "smtp:// (TLS is begun where it is offered) or smtps://"), "the mail server"),
        "sender": Field(Text("gemel@plant.example", r"^[^@\s]+@[^@\s]+$", "name@host"), "the address it comes from [default: gemel@ and the machine's name]"),
        "user": Field(Text("gemel"), "the name at the mail server"),
        "password": Field(SECRET, "by reference: {secret: NAME}"),
        "priority": Field(URGENCY, "the least urgent alarm that is told [default: 3, all]"),
        "assets": Field(ListOf(Text("area-1/*"), "[area-1/*]", least=1), "patterns of paths below the site [default: all]"),
        "facts": Field(ListOf(Text("AlarmRaised"), "[AlarmRaised, CommandFailed]", least=1), "kinds of facts that are told [default: AlarmRaised, AlarmCleared]"),
    },
    hints={"url": "write webhook:", "to": "write email:", "from": "write sender:", "mail": "write email:"},
)  # fmt: skip
