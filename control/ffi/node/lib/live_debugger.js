'use strict';

const { DatadogError } = require('./enums');
const { DatadogAgentException } = require('./exception');
const { addonOf } = require('./native');

// Numbers of the C header.
const DebuggerType = Object.freeze({ DIAGNOSTICS: 0, SNAPSHOTS: 1, LOGS: 2 });

/** What `spawn` of the addon does with an endpoint. */
const SET = 0;
const SET_SYMDB = 1;
const ADD = 2;
const ADD_SYMDB = 3;

const TIMEOUT_MS_DEFAULT = 3_000;

let opened = null;

function addon() {
  if (opened === null) {
    const found = addonOf('live_debugger.node');
    asException(() => found.addon.open(found.library));
    opened = found.addon;
  }
  return opened;
}

class LiveDebuggerSender {
  #addon;
  #handle;
  #closing = null;

  constructor({
    endpoint = null,
    symdbEndpoint = null,
    additionalEndpoints = [],
    additionalSymdbEndpoints = [],
    debuggerVersion = '',
    env = '',
    version = '',
    runtimeId = '',
    tags = {},
  } = {}) {
    this.#addon = addon();
    const endpoints = [
      ...(endpoint === null ? [] : [partsOf(SET, endpoint)]),
      ...(symdbEndpoint === null ? [] : [partsOf(SET_SYMDB, symdbEndpoint)]),
      ...additionalEndpoints.map((one) => partsOf(ADD, one)),
      ...additionalSymdbEndpoints.map((one) => partsOf(ADD_SYMDB, one)),
    ];
    const texts = [debuggerVersion, env, version, runtimeId].map(String);
    const pairs = Object.entries(tags).map(([key, value]) => [key, String(value)]);
    this.#handle = asException(() => this.#addon.spawn(endpoints, texts, pairs));
  }

  get counts() {
    return this.#addon.counts(this.#open());
  }

  send(kind, payload) {
    return this.#addon.send(this.#open(), kind, octetsOf(payload));
  }

  sendSymdb(contentType, payload) {
    return this.#addon.sendSymdb(this.#open(), String(contentType), octetsOf(payload));
  }

  close() {
    this.#closing ??= this.#addon.close(this.#handle);
    return this.#closing;
  }

  #open() {
    if (this.#closing !== null) {
      throw new DatadogAgentException('the sender is closed', DatadogError.NOT_AVAILABLE);
    }
    return this.#handle;
  }
}

function partsOf(track, { url, site, apiKey, timeoutMs = TIMEOUT_MS_DEFAULT, testToken }) {
  return [track, url ?? null, site ?? null, apiKey ?? null, timeoutMs, testToken ?? null];
}

function octetsOf(data) {
  return typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
}

/** Failures of the addon carry the name of their code. */
function asException(call) {
  try {
    return call();
  } catch (error) {
    if (error.code in DatadogError) {
      throw new DatadogAgentException(error.message, DatadogError[error.code]);
    }
    throw error;
  }
}

module.exports = { DebuggerType, LiveDebuggerSender };
