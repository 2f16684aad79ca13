"""A sample's way is one trace, over both processes, at an OTLP receiver that is not ours to bend."""

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import paho.mqtt.client as mqtt
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from gemel.bench.site import running, wait

PLANT = """
plant: test/traced
connections:
  field: {{mqtt: "mqtt://127.0.0.1:{port}"}}
types:
  Rig: {{source: {{from: field, topic: "rig/{{signal}}", path: "$.v", time: "$.t", time_unit: ns}}, signals: {{flow: {{unit: m3/h}}}}}}
assets:
  rig: {{type: Rig}}
"""


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                self.server.spans += [(service, s.name, s.trace_id, s.span_id, s.parent_span_id, s.start_time_unix_nano, s.end_time_unix_nano) for s in scope.spans]
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(ExportTraceServiceResponse().SerializeToString())

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.spans = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def whole(spans):
    """The traces that have every step."""
    steps = {("gemel-ingest", "sample"), ("gemel-ingest", "receive"), ("gemel-ingest", "append")}
    steps |= {("gemel-twin", "fold"), ("gemel-twin", "tell"), ("gemel-twin", "store")}
    by_trace = {}
    for span in list(spans):
        by_trace.setdefault(span[2], []).append(span)
    return [trace for trace in by_trace.values() if steps == {s[:2] for s in trace}]


def test_a_samples_way_is_one_trace_from_receipt_to_the_lake(tmp_path, mosquitto, receiver):
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT.format(port=mosquitto.port))
    sender = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    sender.connect("127.0.0.1", mosquitto.port)
    sender.loop_start()

    def feed_until(done):
        sender.publish("rig/flow", json.dumps({"v": 1.0, "t": time.time_ns()}), qos=1)
        return done()

    try:
        with running(plant, tmp_path / "data"):
            assert wait(lambda: feed_until(lambda: whole(receiver.spans)), 60), {s[:2] for s in receiver.spans}
    finally:
        sender.disconnect()
        sender.loop_stop()
    trace = {s[1]: s for s in whole(receiver.spans)[0]}
    root = trace["sample"]
    assert all(s[4] == root[3] for name, s in trace.items() if name != "sample")
    assert trace["receive"][6] <= trace["append"][5] <= trace["append"][6]
    assert trace["fold"][6] <= trace["store"][6]
    assert trace["fold"][5] <= trace["tell"][5]
