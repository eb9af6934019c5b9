"""Sends one trace, some metrics and a log with the SDK of OpenTelemetry, over the protocol of
`OTEL_EXPORTER_OTLP_PROTOCOL`, and says the id of the trace."""

import json
import logging
import os
import sys
import time

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

RESOURCE = Resource.create({"service.name": "shop", "service.version": "1.2", "host.name": "otel-host"})


def traces():
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("shop.cart", "0.1")
    with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER) as server:
        server.set_attribute("http.request.method", "GET")
        server.set_attribute("http.route", "/cart/{id}")
        server.set_attribute("items", 3)
        with tracer.start_as_current_span("query", kind=SpanKind.CLIENT) as query:
            query.set_attribute("db.system", "postgresql")
            query.set_attribute("db.statement", "SELECT * FROM cart WHERE id = 17")
            query.record_exception(ValueError("no such cart"))
            query.set_status(Status(StatusCode.ERROR, "it failed"))
    trace_id = format(server.get_span_context().trace_id, "032x")
    provider.shutdown()
    return trace_id


def metrics():
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3_600_000)
    provider = MeterProvider(resource=RESOURCE, metric_readers=[reader])
    meter = provider.get_meter("shop.meter")
    orders = meter.create_counter("shop.orders")
    queue = meter.create_up_down_counter("shop.queue")
    latency = meter.create_histogram("shop.latency", unit="ms")
    for count in (3, 4):
        orders.add(count, {"region": "north"})
        queue.add(count)
        for value in (7, 70, 700):
            latency.record(value)
        provider.force_flush()
        # Two points of one second would overwrite each other.
        time.sleep(1.1)
    provider.shutdown()


def logs():
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.error("cart %s is gone", 17, extra={"cart": 17})
    provider.shutdown()


trace_id = traces()
metrics()
logs()
json.dump({"trace_id": trace_id}, sys.stdout)
