"""A twin by its address: with a name where one is asked for, and only with a certificate that is trusted."""

import gemel
import pytest
from serve_fake import OTHER, PUMP


def test_pages_are_read_to_their_end(server, monkeypatch):
    from gemel.face import asks as face

    monkeypatch.setattr(face, "PAGE", 1)
    with gemel.open(server.url) as twin:
        assert twin.find()["path"] == [PUMP, OTHER]
        assert twin.find(limit=1)["path"] == [PUMP]
        assert twin.find()["parent"] == [PUMP.rpartition("/")[0]] * 2
        assert len(twin.signals()) == 8
        assert twin.signals(PUMP)["name"] == ["speed", "flow", "volume", "running"]


def test_state_has_words_and_qualities(server):
    state = gemel.open(server.url).state(PUMP)
    assert dict(zip(state["property"], state["text"], strict=True))["running"] == "running"
    assert state["quality"] == ["good"] * 4
    assert state.to_pandas().loc[0, "value"] == state.to_polars()["value"][0] == 1450.0


def test_who_must_log_in_does(serve):
    url = serve(loopback_viewer=False).url
    with pytest.raises(gemel.GemelError) as told:
        gemel.open(url).find()
    assert told.value.code == "log-in-needed"
    assert len(gemel.open(url, user="vera", password="correct horse").find()) == 2


def test_a_certificate_is_trusted_when_it_is_named(serve, certificate):
    server = serve(tls_certificate=str(certificate[0]), tls_key=str(certificate[1]))
    url = server.url.replace("http:", "https:")
    with pytest.raises(gemel.GemelError) as told:
        gemel.open(url).find()
    assert told.value.code == "twin-unreached" and "ca" in told.value.remedy
    assert len(gemel.open(url, ca=certificate[0]).find()) == 2
    with pytest.raises(gemel.GemelError) as told:
        gemel.open(url, ca=certificate[1])
    assert told.value.code == "tls"


def test_nobody_there_is_told(server):
    server.stop()
    with pytest.raises(gemel.GemelError) as told:
        gemel.open(server.url).find()
    assert told.value.code == "twin-unreached"


def test_what_is_not_there_keeps_its_code(server):
    with pytest.raises(gemel.GemelError) as told:
        gemel.open(server.url).state("acme/nowhere")
    assert told.value.code == "not-found"


def test_find_knows_its_parameters_as_the_api_does(server):
    with gemel.open(server.url) as twin, server.client() as client:
        told = client.get("/openapi.json").json()["paths"]["/api/v1/assets"]["get"]["parameters"]
        from gemel.face.twin import RELATED

        assert {p["name"] for p in told} == RELATED | {"type", "where", "limit", "after", "format"}
        with pytest.raises(TypeError, match="upstream"):
            twin.find(upstream=PUMP)
        assert twin.find(upstream_of=OTHER)["path"] == [PUMP]
