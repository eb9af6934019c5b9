'use strict';

// Sends one trace, some metrics with deltas and a log with the SDK of OpenTelemetry, as JSON, and
// says the id of the trace.

const { SpanKind } = require('@opentelemetry/api');
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http');
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-http');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs');
const {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} = require('@opentelemetry/sdk-metrics');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const resource = resourceFromAttributes({ 'service.name': 'desk', 'deployment.environment.name': 'test' });

async function traces() {
  const processor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const span = provider.getTracer('desk.js').startSpan('send', { kind: SpanKind.PRODUCER });
  span.setAttribute('messaging.system', 'kafka');
  span.setAttribute('messaging.operation', 'publish');
  span.setAttribute('messaging.destination.name', 'orders');
  span.end();
  await provider.shutdown();
  return span.spanContext().traceId;
}

async function metrics() {
  const exporter = new OTLPMetricExporter({ temporalityPreference: AggregationTemporality.DELTA });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600000 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('desk.meter', '2');
  meter.createCounter('desk.letters').add(5, { kind: 'blue' });
  const weights = meter.createHistogram('desk.weights');
  for (const weight of [1, 30, 300, 30000]) weights.record(weight);
  await provider.shutdown();
}

async function logs() {
  const processor = new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() });
  const provider = new LoggerProvider({ resource, processors: [processor] });
  provider.getLogger('desk').emit({ severityNumber: 13, body: 'paper runs low', attributes: { tray: 2 } });
  await provider.shutdown();
}

async function main() {
  const traceId = await traces();
  await metrics();
  await logs();
  process.stdout.write(JSON.stringify({ trace_id: traceId }));
}

main();
