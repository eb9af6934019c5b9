'use strict';

// Start, stop, misuse: nothing is left behind, and errors are exceptions.

const assert = require('assert');
const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const net = require('net');
const { test } = require('node:test');
const { setTimeout: pause } = require('timers/promises');
const v8 = require('v8');
const vm = require('vm');

const native = require('@datadog/agent-native');
const { INGEST_PORTS, LOGS_ON, configOf, directoryOf, optionsOf } = require('./intake');

const { DatadogAgentConfig, DatadogAgentException, DatadogError, NativeAgent, OtlpSignal } = native;

/** Starts and stops in which a leak must not show. */
const CYCLES = Number(process.env.CORELANE_TEST_CYCLES ?? 100);
const WAIT_MS_MAX = 60_000;

/** Whether it is a failure with this code. */
const failsWith = (code) => (error) => {
  assert.ok(error instanceof DatadogAgentException, String(error));
  assert.strictEqual(error.code, code, error.message);
  return true;
};

test('what runs is told', async (t) => {
  const agent = new NativeAgent(configOf(t));
  assert.match(agent.version, /^\d+\.\d+\.\d+/);
  assert.strictEqual(agent.traceUrl, `http://127.0.0.1:${agent.boundPort}`);
  assert.strictEqual(agent.dogstatsdUrl, `udp://127.0.0.1:${agent.dogstatsdPort}`);
  assert.strictEqual(agent.udsPath, null);
  for (const url of [agent.logsUrl, agent.otlpHttpUrl, agent.otlpGrpcUrl]) {
    assert.strictEqual(url, null);
  }
  assert.strictEqual(typeof agent.counters(), 'object');
  await agent.close();
});

test('listeners of logs and OTLP are told', async (t) => {
  const agent = new NativeAgent(configOf(t, { settings: { ...LOGS_ON, ...INGEST_PORTS } }));
  const urls = [agent.logsUrl, agent.otlpHttpUrl, agent.otlpGrpcUrl];
  const { LOGS, OTLP_HTTP, OTLP_GRPC } = native.Endpoint;
  assert.deepStrictEqual(urls, [LOGS, OTLP_HTTP, OTLP_GRPC].map((kind) => agent.endpoint(kind)));
  assert.strictEqual(new Set(urls).size, 3);
  for (const url of urls) {
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    const { hostname, port } = new URL(url);
    await new Promise((resolve, reject) => {
      const connection = net.connect(Number(port), hostname, () => connection.end(resolve));
      connection.on('error', reject);
    });
  }
  await agent.close();
});

test('a port of ones own is taken and then busy', async (t) => {
  const first = new NativeAgent(configOf(t));
  const options = {
    operationalMode: native.OperationalMode.HTTP_FIXED_PORT,
    traceAgentPort: first.boundPort,
  };
  assert.throws(
    () => new NativeAgent(configOf(t, options)),
    (error) =>
      failsWith(DatadogError.STARTUP_ERROR)(error) &&
      error.message.includes(String(first.boundPort)),
  );
  await first.close();
});

test('what cannot start says why', (t) => {
  assert.throws(() => new NativeAgent(null), TypeError);
  assert.throws(() => new DatadogAgentConfig({ apikey: 'x' }), TypeError);
  const start = (options) => () => new NativeAgent(configOf(t, options));
  assert.throws(start({ apiKey: null }), failsWith(DatadogError.CONFIG_ERROR));
  assert.throws(
    start({ settings: { 'no.such.key': 1 } }),
    (error) =>
      failsWith(DatadogError.CONFIG_ERROR)(error) && error.message.includes('no.such.key'),
  );
  assert.throws(start({ service: 'a\0b' }), failsWith(DatadogError.INVALID_STRING));
  assert.throws(start({ configFile: '/absent.yaml' }), failsWith(DatadogError.CONFIG_ERROR));
  assert.throws(start({ logLevel: 9 }), TypeError);
});

test('after a stop calls are refused', async (t) => {
  const agent = new NativeAgent(configOf(t));
  await Promise.all([agent.close(), agent.close()]);
  agent.stop();
  agent.requestStop();
  const refused = failsWith(DatadogError.NOT_AVAILABLE);
  assert.throws(() => agent.submitDogstatsd('a:1|c'), refused);
  assert.throws(() => agent.submitTraces(Buffer.from([0x90])), refused);
  assert.throws(() => agent.submitLogs('[]'), refused);
  assert.throws(() => agent.submitOtlp(OtlpSignal.METRICS, Buffer.from([10, 0])), refused);
  assert.throws(() => agent.counters(), refused);
  assert.throws(() => agent.traceUrl, refused);
  assert.throws(() => agent.logsUrl, refused);
  assert.throws(() => agent.waitForShutdown(), refused);
  await assert.rejects(agent.flush(), refused);
});

test('what the library does not take is refused', async (t) => {
  const agent = new NativeAgent(configOf(t));
  assert.throws(() => agent.submitDogstatsd(''), failsWith(DatadogError.INVALID_DATA_FORMAT));
  const payload = Buffer.from([0x90]);
  assert.throws(
    () => agent.submitTraces(payload, native.TraceFormat.V1),
    failsWith(DatadogError.INVALID_DATA_FORMAT),
  );
  assert.throws(() => agent.submitTraces(17), TypeError);
  await agent.close();

  const taker = new NativeAgent(configOf(t, { settings: LOGS_ON }));
  const malformed = failsWith(DatadogError.INVALID_DATA_FORMAT);
  assert.throws(() => taker.submitLogs('plain text'), malformed);
  for (const signal of Object.values(OtlpSignal)) {
    assert.throws(() => taker.submitOtlp(signal, Buffer.from('no protobuf')), malformed);
  }
  assert.throws(() => taker.submitLogs([{ message: 'no JSON' }]), TypeError);
  await taker.close();
});

test('what is off is not available', async (t) => {
  const settings = { 'otlp_config.traces.enabled': false, 'otlp_config.metrics.enabled': false };
  const agent = new NativeAgent(configOf(t, { settings }));
  const request = Buffer.from([10, 0]);
  for (const [key, call] of [
    ['logs_enabled', () => agent.submitLogs('[]')],
    ['traces.enabled', () => agent.submitOtlp(OtlpSignal.TRACES, request)],
    ['metrics.enabled', () => agent.submitOtlp(OtlpSignal.METRICS, request)],
    ['logs.enabled', () => agent.submitOtlp(OtlpSignal.LOGS, request)],
  ]) {
    const isRefused = failsWith(DatadogError.NOT_AVAILABLE);
    assert.throws(call, (error) => isRefused(error) && error.message.includes(key));
  }
  await agent.close();
});

test('a wait ends by request', async (t) => {
  const agent = new NativeAgent(configOf(t));
  const reason = agent.waitForShutdown();
  agent.requestStop();
  assert.strictEqual(await reason, native.ShutdownReason.GRACEFUL_SHUTDOWN);
  await agent.close();
});

test('signals end a wait', async (t) => {
  const options = JSON.stringify(optionsOf(t));
  const program = `
    const { NativeAgent, DatadogAgentConfig } = require('@datadog/agent-native');
    const agent = new NativeAgent(new DatadogAgentConfig(${options}));
    agent.waitForShutdown().then((reason) => {
      console.log(reason);
      return agent.close();
    });
    console.log('up');
  `;
  for (const [signal, reason] of [
    ['SIGINT', native.ShutdownReason.USER_INTERRUPT],
    ['SIGTERM', native.ShutdownReason.GRACEFUL_SHUTDOWN],
  ]) {
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data) => {
      if (output === '') {
        child.kill(signal);
      }
      output += data;
    });
    const status = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    assert.strictEqual(status, 0);
    assert.strictEqual(output, `up\n${reason}\n`);
  }
});

test('many starts and stops leave nothing', async (t) => {
  const config = () => configOf(t);
  for (let cycle = 0; cycle < 3; cycle += 1) {
    const agent = new NativeAgent(config());
    await Promise.all([1, 2, 3, 4, 5].map(() => agent.flush(WAIT_MS_MAX)));
    await agent.close();
  }
  const before = held();
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const agent = new NativeAgent(config());
    agent.submitDogstatsd('bindings.node.cycles:1|c');
    await agent.close();
  }
  await becomesAtMost(before);
});

test('a forgotten agent is stopped when collected', async (t) => {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc');
  new NativeAgent(configOf(t)).stop();
  const before = held();
  (() => new NativeAgent(configOf(t)))();
  assert.ok(!isAtMost(held(), before));
  await becomesAtMost(before, collect);
});

test('logs reach a callback', async (t) => {
  const lines = [];
  native.setLogCallback((level, text) => lines.push([level, text]));
  await new NativeAgent(configOf(t, { logLevel: native.LogLevel.DEBUG })).close();
  const end = Date.now() + WAIT_MS_MAX;
  while (lines.length === 0 && Date.now() < end) {
    await pause(5);
  }
  native.setLogCallback(null);
  assert.ok(lines.length > 0);
  assert.ok(lines.every(([level, text]) => Number.isInteger(level) && text.length > 0));
});

test('the instance of the process', async (t) => {
  assert.strictEqual(native.createInstance(configOf(t, { apiKey: null })), null);
  assert.throws(() => native.getInstance(), failsWith(DatadogError.NOT_AVAILABLE));
  const agent = native.createInstance(configOf(t));
  assert.strictEqual(native.getInstance(), agent);
  assert.strictEqual(native.createInstance(configOf(t)), agent);
  await agent.close();
});

test('a library that is not there is named', (t) => {
  const directory = directoryOf(t);
  const program = `
    const { NativeAgent, DatadogAgentConfig } = require('@datadog/agent-native');
    new NativeAgent(new DatadogAgentConfig());
  `;
  const env = { ...process.env, DATADOG_AGENT_NATIVE_LIBRARY_PATH: directory };
  const ended = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env });
  assert.strictEqual(ended.status, 1);
  assert.ok(ended.stderr.includes('DatadogAgentException'));
  assert.ok(ended.stderr.includes(directory));
});

/** Waits for what is held to go: the kernel lists a thread that was joined a little longer. */
async function becomesAtMost(before, meanwhile = () => {}) {
  const end = Date.now() + WAIT_MS_MAX;
  while (!isAtMost(held(), before) && Date.now() < end) {
    meanwhile();
    await pause(5);
  }
  const after = held();
  assert.ok(isAtMost(after, before), JSON.stringify({ before, after }));
}

function isAtMost(after, before) {
  return after.threads <= before.threads && after.descriptors <= before.descriptors;
}

/** Threads and file descriptors of this process. */
function held() {
  return {
    threads: fs.readdirSync('/proc/self/task').length,
    descriptors: fs.readdirSync('/proc/self/fd').length,
  };
}
