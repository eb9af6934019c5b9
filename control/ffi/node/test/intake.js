'use strict';

// What the tests ask the local intake, and what they send.

const fs = require('fs');
const os = require('os');
const path = require('path');

const { DatadogAgentConfig } = require('@datadog/agent-native');

const INTAKE_URL = process.env.CORELANE_TEST_INTAKE;

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

module.exports = { ask, configOf, directoryOf, optionsOf, settingsFor, totalOf, tracePayload };
