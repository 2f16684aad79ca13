"""From the connections of a plant file to connectors: the one place that knows which protocols there are."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from gemel.assets import Plant
from gemel.connect import Connector
from gemel.connect.mqtt import MqttConnector, Publisher, mqtt_settings
from gemel.errors import ConfigError
from gemel.samples import Clock, Registry

Secret = Callable[[str], str]


def connectors(plant: Plant, registry: Registry, secret: Secret, clock: Clock) -> list[Connector]:
    """Make the connectors that the plant's signals and commands need; `clock` dates payloads without a time."""
    return [_connector(plant, name, registry, secret, clock) for name in plant.connections]


def exchanged(
    running: Iterable[Connector], plant: Plant, registry: Registry, secret: Secret, clock: Clock
) -> list[Connector]:
    """Give the connectors of a changed plant: a connection that is the same keeps its line, and takes other signals."""
    before = {c.name: c for c in running}
    return [_kept(before.get(name), plant, name, registry, secret) or _connector(plant, name, registry, secret, clock)
            for name in plant.connections]  # fmt: skip


def _kept(
    connector: Connector | None, plant: Plant, name: str, registry: Registry, secret: Secret
) -> Connector | None:
    connection = plant.connections[name]
    if not isinstance(connector, MqttConnector) or connection.protocol != "mqtt":
        return None
    if not connector.fits(mqtt_settings(connection.url, connection.options, client_id(plant, name), secret)):
        return None
    connector.replan(plant.sources(name, registry), registry)
    return connector


def _connector(plant: Plant, name: str, registry: Registry, secret: Secret, clock: Clock) -> Connector:
    connection = plant.connections[name]
    if connection.protocol == "mqtt":
        settings = mqtt_settings(connection.url, connection.options, client_id(plant, name), secret)
        return MqttConnector(name, settings, plant.sources(name, registry), registry, clock=clock)
    raise ConfigError(
        f"the connection {name} speaks {connection.protocol}, which this version does not",
        remedy="use mqtt, or send by HTTP",
    )


def publisher(plant: Plant, secret: Secret) -> Publisher:
    """Make the client that publishes the namespace."""
    name = plant.namespace
    assert name is not None
    connection = plant.connections[name]
    settings = mqtt_settings(connection.url, connection.options, client_id(plant, name), secret)
    return Publisher(replace(settings, client_id=f"{settings.client_id}-namespace"))


def client_id(plant: Plant, connection: str) -> str:
    """Give the id a broker knows this twin by: the same from start to start, for a session that persists."""
    return "gemel-" + re.sub(r"[^A-Za-z0-9]+", "-", f"{plant.root}-{connection}")
