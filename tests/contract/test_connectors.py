"""Every connector holds the contract, against real brokers and real files."""

import asyncio

import pytest
from connector_rigs import FilesRig, MqttRig

from gemel.testing.conformance import CHECKS, run


@pytest.fixture(params=["mosquitto-5", "mosquitto-3.1.1", "nats-3.1.1", "files"])
def make_rig(request, tmp_path):
    kind = request.param
    if kind == "files":
        return lambda: FilesRig(tmp_path)
    broker = request.getfixturevalue("nats_gateway" if kind.startswith("nats") else "mosquitto")
    return lambda: MqttRig(broker, 5 if kind.endswith("-5") else 4)


@pytest.mark.parametrize("name", CHECKS)
def test_holds(make_rig, name):
    async def try_it():
        rig = make_rig()
        await rig.listen()
        await CHECKS[name](rig)

    asyncio.run(try_it())


def test_the_kit_finds_a_connector_that_acknowledges_too_early(mosquitto):
    """A kit that cannot fail proves nothing."""

    async def try_it():
        def early():
            rig = MqttRig(mosquitto, 5)
            read = rig.connector.read

            async def read_and_acknowledge():
                reading = await read()
                await rig.connector.acknowledge(reading.receipt)
                return reading

            rig.connector.read = read_and_acknowledge
            return rig

        rig = early()
        with pytest.raises((AssertionError, TimeoutError)):
            await CHECKS["unacknowledged_comes_again"](rig)
        await rig.connector.close()

    asyncio.run(try_it())


def test_the_kit_runs_without_pytest(tmp_path):
    made = iter(range(100))

    async def make():
        folder = tmp_path / str(next(made))
        folder.mkdir()
        return FilesRig(folder)

    assert asyncio.run(run(make)) == dict.fromkeys(CHECKS)
