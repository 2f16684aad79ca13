"""MQTT 3.1.1 and 5: reads with late acknowledgement, writes commands, publishes the namespace."""

from gemel.connect.mqtt.connector import MqttConnector
from gemel.connect.mqtt.publish import Delivery, Publisher
from gemel.connect.mqtt.settings import MqttSettings, mqtt_settings

__all__ = ["Delivery", "MqttConnector", "MqttSettings", "Publisher", "mqtt_settings"]
