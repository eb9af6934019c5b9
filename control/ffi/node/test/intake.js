'use strict';

// What the tests ask the local intake, and what they send.

const fs = require('fs');
const os = require('os');
const path = require('path');

const { DatadogAgentConfig } = require('@datadog/agent-native');

const INTAKE_URL = process.env.CORELANE_TEST_INTAKE;

/** What logs need, of both kinds. */
const LOGS_ON = { logs_enabled: true, 'otlp_config.logs.enabled': true };
/** Listeners of logs and OTLP, on ports that the system chooses. */
const INGEST_PORTS = {
  logs_agent_port: 0,
  'otlp_config.receiver.protocols.http.endpoint': '127.0.0.1:0',
  'otlp_config.receiver.protocols.grpc.endpoint': '127.0.0.1:0',
};

/** A directory that is gone after the test. */
function directoryOf(test) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'agent-native-'));
  test.after(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

/** Options of an agent on ports that the system chooses. */
function optionsOf(test, options = {}) {
  const { settings, ...others } = options;
  return {
    apiKey: '0123456789abcdef0123456789abcdef',
    dogstatsdEnabled: true,
    remoteConfigEnabled: false,
    settings: { ...settingsFor(directoryOf(test)), ...settings },
    ...others,
  };
}

function configOf(test, options) {
  return new DatadogAgentConfig(optionsOf(test, options));
}

/**
 * Where to deliver, under which name, and where files go. Each agent has a name of its own: two of one
 * name that send a metric of one bucket overwrite each other's point at the intake.
 */
function settingsFor(directory) {
  return { dd_url: INTAKE_URL, hostname: path.basename(directory), run_path: directory };
}

async function ask(question) {
  return (await fetch(`${INTAKE_URL}/_corelane/${question}`)).json();
}

/** Sum over all points of a count. */
async function totalOf(metric) {
  const series = await ask(`metrics?name=${metric}`);
  return series.reduce((sum, { total }) => sum + total, 0);
}

/** One trace of one span, as a tracer posts it to /v0.4/traces. */
function tracePayload(service, name) {
  const span = {
    service,
    name,
    resource: 'GET /',
    type: 'web',
    trace_id: 7,
    span_id: 9,
    parent_id: 0,
    start: 1_700_000_000_000_000_000,
    duration: 1_000_000,
    error: 0,
    meta: {},
    metrics: { _sampling_priority_v1: 2 },
  };
  return Buffer.concat([Buffer.from([0x91, 0x91]), packed(span)]);
}

/** A small value as MessagePack. */
function packed(value) {
  if (typeof value === 'string') {
    const octets = Buffer.from(value);
    return Buffer.concat([Buffer.from([0xd9, octets.length]), octets]);
  }
  if (typeof value === 'number') {
    const octets = Buffer.alloc(9, 0xcf);
    octets.writeBigUInt64BE(BigInt(value), 1);
    return octets;
  }
  const items = Object.entries(value).flatMap(([key, item]) => [packed(key), packed(item)]);
  return Buffer.concat([Buffer.from([0x80 | (items.length / 2)]), ...items]);
}

/** A list of one log of now. */
function logEntries(service, message) {
  const entry = { message, timestamp: Date.now(), service, status: 'warn', ddtags: 't:é' };
  return JSON.stringify([entry]);
}

/** An OTLP request of one span of now. */
function otlpSpan(service, name) {
  const now = nowNs();
  const identifiers = [field(1, Buffer.alloc(16, 7)), field(2, Buffer.alloc(8, 9)), field(5, name)];
  const times = [fixed(7, now - 1_000_000n), fixed(8, now)];
  return otlpRequest(service, [...identifiers, field(6, 2), ...times]);
}

/** An OTLP request of a sum, counted up in the last second. */
function otlpCount(service, name, value) {
  const now = nowNs();
  const bits = Buffer.alloc(8);
  bits.writeDoubleLE(value);
  const times = [fixed(2, now - 1_000_000_000n), fixed(3, now)];
  const point = Buffer.concat([...times, fixed(4, bits.readBigUInt64LE())]);
  // Delta, monotonic.
  const sum = Buffer.concat([field(1, point), field(2, 1), field(3, 1)]);
  return otlpRequest(service, [field(1, name), field(7, sum)]);
}

/** An OTLP request of one log of now, an error. */
function otlpLog(service, message) {
  return otlpRequest(service, [fixed(1, nowNs()), field(2, 17), field(5, field(1, message))]);
}

function nowNs() {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Requests of all signals have the same fields down to the item. */
function otlpRequest(service, item) {
  const attribute = Buffer.concat([field(1, 'service.name'), field(2, field(1, service))]);
  const resource = field(1, field(1, attribute));
  const scope = field(2, field(2, Buffer.concat(item)));
  return field(1, Buffer.concat([resource, scope]));
}

/** A protobuf field: a number, a text, or octets such as those of a message. */
function field(number, value) {
  if (typeof value === 'number') {
    return Buffer.from([...varint(number * 8), ...varint(value)]);
  }
  const octets = Buffer.from(value);
  return Buffer.from([...varint(number * 8 + 2), ...varint(octets.length), ...octets]);
}

/** A protobuf field of 64 bits. */
function fixed(number, bits) {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64LE(bits);
  return Buffer.from([...varint(number * 8 + 1), ...octets]);
}

function varint(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}

module.exports = {
  INGEST_PORTS,
  LOGS_ON,
  ask,
  configOf,
  directoryOf,
  logEntries,
  optionsOf,
  otlpCount,
  otlpLog,
  otlpSpan,
  settingsFor,
  totalOf,
  tracePayload,
};
