'use strict';

// What is handed over arrives: over sockets, in-process, at exit.

const assert = require('assert');
const { spawnSync } = require('child_process');
const dgram = require('dgram');
const fs = require('fs');
const http = require('http');
const { test } = require('node:test');

const { LogLevel, NativeAgent, OperationalMode, OtlpSignal } = require('@datadog/agent-native');
const {
  INGEST_PORTS,
  LOGS_ON,
  ask,
  configOf,
  logEntries,
  optionsOf,
  otlpCount,
  otlpLog,
  otlpSpan,
  totalOf,
  tracePayload,
} = require('./intake');

/** For a flush on a machine that is busy with other tests. */
const FLUSH_MS = 60_000;

test('metrics over UDP and in-process arrive', async (t) => {
  const agent = new NativeAgent(configOf(t));
  const client = dgram.createSocket('udp4');
  await new Promise((resolve, reject) => {
    client.send('bindings.node.udp:3|c', agent.dogstatsdPort, '127.0.0.1', (error) =>
      error ? reject(error) : resolve(),
    );
  });
  client.close();
  agent.submitDogstatsd('bindings.node.process:4|c\nbindings.node.process:5|c');
  agent.submitDogstatsd(new TextEncoder().encode('bindings.node.process:1|c|#t:é'));
  await agent.flush(FLUSH_MS);
  assert.strictEqual(await totalOf('bindings.node.process'), 10);
  await agent.close(FLUSH_MS);
  assert.strictEqual(await totalOf('bindings.node.udp'), 3);
});

test('traces over TCP and in-process arrive', async (t) => {
  const agent = new NativeAgent(configOf(t));
  const answer = await fetch(`${agent.traceUrl}/v0.4/traces`, {
    method: 'POST',
    body: tracePayload('bindings-node', 'tcp'),
    headers: { 'Content-Type': 'application/msgpack', 'X-Datadog-Trace-Count': '1' },
  });
  assert.strictEqual(answer.status, 200);
  agent.submitTraces(tracePayload('bindings-node', 'process'));
  await agent.flush(FLUSH_MS);
  const spans = await ask('spans?service=bindings-node');
  assert.deepStrictEqual(spans.map(({ name }) => name).sort(), ['process', 'tcp']);
  await agent.close();
});

test('logs over HTTP and in-process arrive', async (t) => {
  const service = 'bindings-node';
  const agent = new NativeAgent(configOf(t, { settings: { ...LOGS_ON, ...INGEST_PORTS } }));
  const answer = await fetch(`${agent.logsUrl}/v1/input`, {
    method: 'POST',
    body: logEntries(service, 'http'),
    headers: { 'Content-Type': 'application/json' },
  });
  assert.strictEqual(answer.status, 200);
  agent.submitLogs(logEntries(service, 'text'));
  agent.submitLogs(new TextEncoder().encode(logEntries(service, 'octets')));
  await agent.flush(FLUSH_MS);
  const logs = await ask(`logs?service=${service}`);
  assert.deepStrictEqual(logs.map(({ message }) => message).sort(), ['http', 'octets', 'text']);
  for (const { status, tags } of logs) {
    assert.deepStrictEqual([status, tags], ['warn', ['t:é']]);
  }
  await agent.close();
});

test('OTLP over HTTP and in-process arrives', async (t) => {
  const service = 'bindings-node-otlp';
  const agent = new NativeAgent(configOf(t, { settings: { ...LOGS_ON, ...INGEST_PORTS } }));
  const answer = await fetch(`${agent.otlpHttpUrl}/v1/metrics`, {
    method: 'POST',
    body: otlpCount(service, 'bindings.node.otlp_http', 2),
    headers: { 'Content-Type': 'application/x-protobuf' },
  });
  assert.strictEqual(answer.status, 200);
  agent.submitOtlp(OtlpSignal.TRACES, otlpSpan(service, 'otlp'));
  agent.submitOtlp(OtlpSignal.METRICS, new Uint8Array(otlpCount(service, 'bindings.node.otlp', 4)));
  agent.submitOtlp(OtlpSignal.LOGS, otlpLog(service, 'otlp'));
  await agent.flush(FLUSH_MS);
  const spans = await ask(`spans?service=${service}`);
  assert.deepStrictEqual(spans.map(({ resource }) => resource), ['otlp']);
  assert.strictEqual(await totalOf('bindings.node.otlp_http'), 2);
  assert.strictEqual(await totalOf('bindings.node.otlp'), 4);
  const logs = await ask(`logs?service=${service}`);
  assert.deepStrictEqual(logs.map(({ message }) => JSON.parse(message).message), ['otlp']);
  assert.strictEqual(logs[0].status, 'error');
  assert.strictEqual(logs[0].source, 'otlp_log_ingestion');
  await agent.close();
});

test('Unix sockets take the place of ports', async (t) => {
  const agent = new NativeAgent(configOf(t, { operationalMode: OperationalMode.HTTP_UDS }));
  assert.strictEqual(agent.boundPort, null);
  const { udsPath } = agent;
  assert.strictEqual(fs.statSync(udsPath).mode & 0o777, 0o600);
  const status = await new Promise((resolve, reject) => {
    http
      .get({ socketPath: udsPath, path: '/info', agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
      .on('error', reject);
  });
  assert.strictEqual(status, 200);
  await agent.close();
  assert.ok(!fs.existsSync(udsPath));
});

test('a flush does not block the loop, and a stop delivers what is left', async (t) => {
  const agent = new NativeAgent(configOf(t));
  agent.submitDogstatsd('bindings.node.stop:7|c');
  let hasTurned = false;
  setImmediate(() => {
    hasTurned = true;
  });
  const flushed = agent.flush(FLUSH_MS);
  assert.ok(!hasTurned);
  await flushed;
  assert.ok(hasTurned);
  agent.submitDogstatsd('bindings.node.stop:1|c');
  agent.stop(FLUSH_MS);
  assert.strictEqual(await totalOf('bindings.node.stop'), 8);
});

test('a process that ends without a stop delivers', async (t) => {
  const options = JSON.stringify(optionsOf(t, { logLevel: LogLevel.DEBUG }));
  const program = `
    const native = require('@datadog/agent-native');
    const { NativeAgent, DatadogAgentConfig } = native;
    native.setLogCallback(() => {});
    const agent = new NativeAgent(new DatadogAgentConfig(${options}));
    agent.submitDogstatsd('bindings.node.exit:5|c');
  `;
  const ended = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.strictEqual(ended.status, 0, ended.stderr);
  assert.strictEqual(await totalOf('bindings.node.exit'), 5);
});
