"""Traces: a collector built on OpenTelemetry's own messages sees spans that are linked from record to prediction."""

import http.server
import json
import random
import threading
import time
import urllib.request

import confluent_kafka
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from test_models import events, project  # noqa: F401 (a fixture)
from test_worker import worker  # noqa: F401 (a fixture)

COUNT = 300


class Collector:
    """OTLP/HTTP on a free port."""

    def __init__(self):
        self.spans, self.resources = [], []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
                request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    collector.resources.append({a.key: a.value.string_value for a in resource.resource.attributes})
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name):
        return [span for span in self.spans if span.name == name]


def attributes(span):
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.server.shutdown()


def publish(cli, topic, count, generator):
    """Every third event with a trace of its own, every sixth of these unsampled."""
    producer = confluent_kafka.Producer({"bootstrap.servers": cli.environment["HEADRACE_BOOTSTRAP_SERVERS"]})
    sent = {}
    for index, event in enumerate(events(count, 5)):
        headers = []
        if index % 3 == 0:
            trace, span, flags = f"{generator.getrandbits(128):032x}", f"{generator.getrandbits(64):016x}", index % 18 != 0
            headers = [("traceparent", f"00-{trace}-{span}-0{int(flags)}".encode())]
            if event["amount"] > 0:
                sent[trace] = (span, flags)
        producer.produce(topic, json.dumps(event), event["user"], headers=headers)
    producer.produce(topic, b"no JSON", "u1")
    producer.flush()
    return sent


def test_spans_are_linked(project, cli, worker, collector, tmp_path):  # noqa: F811
    cli("topics", "create", project.topic, "--partitions", 1)
    cli.environment.update(
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SERVICE_NAME="payments", OTEL_TRACES_SAMPLER="parentbased_always_off")
    process = worker(cli, "run", project.file, "--data", tmp_path / "data")
    sent = publish(cli, project.topic, COUNT, random.Random(3))
    process.wait_until_applied(project.topic, COUNT + 1)
    deadline = time.monotonic() + 20
    while not (collector.named(f"commit {project.name}") and collector.named(f"send {project.topic}.predictions")):
        assert time.monotonic() < deadline, process.text()
        time.sleep(0.1)
    request = urllib.request.Request(
        f"http://{process.address}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(request) as response:
        families = {family.name: family for family in text_string_to_metric_families(response.read().decode())}
    exemplars = [
        sample.exemplar for sample in families["headrace_batch_duration_seconds"].samples if sample.exemplar is not None]
    assert exemplars
    assert process.stop() == 0
    assert {exemplar.labels["trace_id"] for exemplar in exemplars} <= {span.trace_id.hex() for span in collector.spans}
    by_id = {(span.trace_id, span.span_id): span for span in collector.spans}
    assert all(resource["service.name"] == "payments" for resource in collector.resources)
    batches = [span for span in collector.named(f"process {project.topic}") if span.attributes and span.links and
               attributes(span).get("messaging.batch.message_count")]
    assert batches
    sampled = {trace: span for trace, (span, flags) in sent.items() if flags}
    linked = {(link.trace_id.hex(), link.span_id.hex()) for span in batches for link in span.links}
    dropped = sum(span.dropped_links_count for span in batches)
    assert len(linked & set(sampled.items())) >= len(sampled) - dropped
    assert not {trace for trace, _ in linked} & {trace for trace, (_, flags) in sent.items() if not flags}
    for span in batches:
        values = attributes(span)
        assert values["messaging.system"] == "kafka" and values["messaging.operation.type"] == "process"
        assert values["messaging.destination.name"] == project.topic
        assert values["messaging.consumer.group.name"] == project.name
        parent = by_id[(span.trace_id, span.parent_span_id)]
        assert parent.name == f"poll {project.topic}" and parent.kind == 3
        children = {other.name for other in collector.spans if other.parent_span_id == span.span_id}
        assert children == {"decode", "apply"}
    commits = collector.named(f"commit {project.name}")
    committed = {(link.trace_id, link.span_id) for span in commits for link in span.links}
    assert {(span.trace_id, span.span_id) for span in batches} <= committed
    assert all((send.trace_id, send.parent_span_id) in by_id for send in collector.named(f"send {project.topic}.predictions"))
    # A prediction goes on with its record's trace: its parent is a span that continues the record's.
    continued = 0
    for record in cli.records(f"{project.topic}.predictions"):
        header = {entry["key"]: entry["value"] for entry in record["headers"]}
        if "traceparent" not in header:
            continue
        _, trace, span, flags = header["traceparent"].split("-")
        if trace in sampled and (bytes.fromhex(trace), bytes.fromhex(span)) in by_id:
            assert by_id[(bytes.fromhex(trace), bytes.fromhex(span))].parent_span_id.hex() == sampled[trace]
            continued += 1
        elif trace in sent:
            assert span == sent[trace][0]
        else:
            assert (bytes.fromhex(trace), bytes.fromhex(span)) in by_id
    assert continued >= len(sampled) - dropped
    letters = cli.records(f"{project.name}.dlq")
    assert len(letters) == 1
    [place] = [entry["value"] for entry in letters[0]["headers"] if entry["key"] == "traceparent"]
    assert (bytes.fromhex(place.split("-")[1]), bytes.fromhex(place.split("-")[2])) in by_id


def test_a_collector_that_is_away_stops_nobody(project, cli, worker, tmp_path):  # noqa: F811
    cli("topics", "create", project.topic, "--partitions", 1)
    cli.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    process = worker(cli, "run", project.file, "--data", tmp_path / "data")
    publish(cli, project.topic, COUNT, random.Random(4))
    process.wait_until_applied(project.topic, COUNT + 1)
    assert process.stop() == 0
    assert "spans could not be sent" in process.text()
