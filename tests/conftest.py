"""Real servers on loopback, each on a free port, gone with the test."""

from pathlib import Path

import pytest
from mosquitto_kit import Certificates, Mosquitto, certificates

from gemel.testing.broker import Broker

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def mosquitto(tmp_path):
    """A mosquitto that keeps sessions over a restart."""
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.stop()


@pytest.fixture
def mosquitto_with(tmp_path):
    """Makes a mosquitto with passwords, TLS, or more lines of configuration."""
    made = []

    def make(**changes):
        made.append(Mosquitto(tmp_path / f"mosquitto-{len(made)}", **changes).start())
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def nats_gateway(tmp_path):
    """NATS's MQTT gateway: another broker, 3.1.1 only."""
    with Broker(tmp_path / "nats") as broker:
        yield broker


@pytest.fixture(scope="session")
def tls(tmp_path_factory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def skab() -> Path:
    """The SKAB rig's files; they are not ours to ship."""
    folder = SHARED_DATA / "skab"
    if not folder.exists():
        pytest.skip("the SKAB data are not here: put them under ../shared/data/skab")
    return folder
