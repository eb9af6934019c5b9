'use strict';

// The sender of the Live Debugger: into a file, and to a server.

const assert = require('assert');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { test } = require('node:test');

const {
  DatadogAgentException,
  DatadogError,
  DebuggerType,
  LiveDebuggerSender,
} = require('@datadog/agent-native');

const KEY = '0123456789abcdef0123456789abcdef';
/** Nothing takes this long unless the machine is overloaded. */
const timeoutMs = 60_000;

/** A server that takes everything, and keeps it. */
async function intakeOf(t) {
  const received = [];
  const server = http.createServer((request, answer) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const { headers, url } = request;
      received.push({ body: Buffer.concat(pieces).toString(), headers, url });
      answer.writeHead(202).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const of = (part) => {
    const found = received.find(({ body }) => body.includes(part));
    assert.ok(found, `${part} has not arrived`);
    return found;
  };
  return { of, url: `http://127.0.0.1:${server.address().port}` };
}

test('every track reaches its path with tags and key', async (t) => {
  const intake = await intakeOf(t);
  const endpoint = { url: intake.url, apiKey: KEY, timeoutMs };
  const sender = new LiveDebuggerSender({
    endpoint,
    symdbEndpoint: endpoint,
    debuggerVersion: '1.0',
    env: 'bed',
    version: '2',
    runtimeId: 'rid',
    tags: { team: 'a b' },
  });
  assert.ok(sender.send(DebuggerType.SNAPSHOTS, '[{"s":1}]'));
  assert.ok(sender.send(DebuggerType.LOGS, new TextEncoder().encode('{"l":1}')));
  assert.ok(sender.send(DebuggerType.DIAGNOSTICS, Buffer.from('[{"d":1}]')));
  assert.ok(sender.sendSymdb('text/plain', 'symbols'));
  assert.deepStrictEqual(await sender.close(), { queued: 4, sent: 4, failed: 0, refused: 0 });
  const { headers, url } = intake.of('[{"s":1}]');
  assert.match(url, /^\/api\/v2\/debugger\?.*debugger_version:1\.0,env:bed,version:2,runtime_id:rid,/);
  assert.ok(url.endsWith(',team:a%20b'), url);
  assert.strictEqual(headers['dd-api-key'], KEY);
  assert.strictEqual(headers['dd-evp-origin'], 'agent-debugger');
  assert.strictEqual(intake.of('symbols').headers['dd-evp-origin'], 'agent-symdb');
  intake.of('[{"l":1}]');
  intake.of('event.json');
});

test('without a key it is an agent, and a copy goes to a file', async (t) => {
  const intake = await intakeOf(t);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'debugger-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'out');
  const sender = new LiveDebuggerSender({
    endpoint: { url: intake.url, timeoutMs, testToken: 't-1' },
    additionalEndpoints: [{ url: `file://${file}` }],
  });
  assert.ok(sender.send(DebuggerType.LOGS, '[1]'));
  assert.strictEqual(sender.counts.refused, 0);
  await sender.close();
  const { headers, url } = intake.of('[1]');
  assert.match(url, /^\/debugger\/v2\/input\?ddtags=/);
  assert.strictEqual(headers['dd-evp-origin'], undefined);
  assert.strictEqual(headers['x-datadog-test-session-token'], 't-1');
  assert.strictEqual(fs.readFileSync(file, 'utf8'), '[1]\n');
});

test('what is no endpoint or tag is an exception, and a closed sender takes nothing', async () => {
  const isRefused = (code) => (error) =>
    error instanceof DatadogAgentException && error.code === code;
  for (const options of [{ endpoint: { url: 'no url at all' } }, { tags: { '': 'x' } }]) {
    assert.throws(() => new LiveDebuggerSender(options), isRefused(DatadogError.CONFIG_ERROR));
  }
  const sender = new LiveDebuggerSender();
  assert.strictEqual((await sender.close()).queued, 0);
  assert.strictEqual((await sender.close()).queued, 0);
  assert.throws(
    () => sender.send(DebuggerType.LOGS, '[]'),
    isRefused(DatadogError.NOT_AVAILABLE),
  );
});
