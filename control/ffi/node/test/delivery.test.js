'use strict';

// What is handed over arrives: over sockets, in-process, at exit.

const assert = require('assert');
const { spawnSync } = require('child_process');
const dgram = require('dgram');
const fs = require('fs');
const http = require('http');
const { test } = require('node:test');

const { LogLevel, NativeAgent, OperationalMode } = require('@datadog/agent-native');
const { ask, configOf, optionsOf, totalOf, tracePayload } = require('./intake');

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
