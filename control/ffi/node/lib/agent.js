'use strict';

const process = require('process');

const { DatadogAgentConfig, assignments, features } = require('./config');
const {
  DOGSTATSD,
  DatadogError,
  Endpoint,
  LOGS_JSON,
  LogLevel,
  STILL_RUNNING,
  ShutdownReason,
  TraceFormat,
} = require('./enums');
const { DatadogAgentException } = require('./exception');
const { native } = require('./native');

/** In which an agent that nobody stopped is stopped. */
const FORGOTTEN_STOP_MS = 5_000;
/** Between two looks whether an agent has ended. */
const LOOK_EVERY_MS = 100;
const TIMEOUT_MS_MAX = 0xffff_ffff;

/** Handles of agents that run. They do not keep their agents from being collected. */
const running = new Set();
const forgotten = new FinalizationRegistry((handle) => {
  if (running.delete(handle)) {
    native().addon.stop(handle, FORGOTTEN_STOP_MS).catch(() => {});
  }
});

class NativeAgent {
  #addon;
  #version;
  #handle;
  #stopping = null;

  constructor(config) {
    if (config === null || config === undefined) {
      throw new TypeError('config must not be null');
    }
    const { addon, version } = native();
    const { configFile } = config;
    this.#addon = addon;
    this.#version = version;
    const file = configFile === null ? null : String(configFile);
    this.#handle = addon.start(assignments(config), features(config), file);
    running.add(this.#handle);
    forgotten.register(this, this.#handle, this);
  }

  get version() {
    return this.#version;
  }

  get traceUrl() {
    return this.endpoint(Endpoint.TRACE);
  }

  get dogstatsdUrl() {
    return this.endpoint(Endpoint.DOGSTATSD);
  }

  get logsUrl() {
    return this.endpoint(Endpoint.LOGS);
  }

  get otlpHttpUrl() {
    return this.endpoint(Endpoint.OTLP_HTTP);
  }

  get otlpGrpcUrl() {
    return this.endpoint(Endpoint.OTLP_GRPC);
  }

  get boundPort() {
    return portOf(this.traceUrl);
  }

  get dogstatsdPort() {
    return portOf(this.dogstatsdUrl);
  }

  get udsPath() {
    const url = this.traceUrl;
    return url?.startsWith('unix://') ? url.slice('unix://'.length) : null;
  }

  endpoint(kind) {
    return this.#addon.endpoint(this.#running(), kind);
  }

  submitDogstatsd(lines) {
    this.#addon.submit(this.#running(), DOGSTATSD, octetsOf(lines));
  }

  submitTraces(payload, format = TraceFormat.V04) {
    this.#addon.submit(this.#running(), format, octetsOf(payload));
  }

  submitLogs(entries) {
    this.#addon.submit(this.#running(), LOGS_JSON, octetsOf(entries));
  }

  submitOtlp(signal, request) {
    this.#addon.submit(this.#running(), signal, octetsOf(request));
  }

  async flush(timeoutMs = 5_000) {
    await this.#addon.flush(this.#running(), milliseconds(timeoutMs));
  }

  counters() {
    return JSON.parse(this.#addon.counters(this.#running()));
  }

  waitForShutdown() {
    this.#running();
    return new Promise((resolve) => {
      const taken = [];
      const end = (reason) => {
        clearInterval(looking);
        taken.forEach(([name, listener]) => process.removeListener(name, listener));
        resolve(reason);
      };
      const looking = setInterval(() => {
        const reason = this.#addon.wait(this.#handle);
        if (reason !== STILL_RUNNING) {
          end(reason);
        }
      }, LOOK_EVERY_MS);
      const take = (name, reason) => {
        // A program that listens itself decides itself.
        if (process.listenerCount(name) === 0) {
          const listener = () => end(reason);
          process.once(name, listener);
          taken.push([name, listener]);
        }
      };
      take('SIGINT', ShutdownReason.USER_INTERRUPT);
      take('SIGTERM', ShutdownReason.GRACEFUL_SHUTDOWN);
    });
  }

  requestStop() {
    if (running.has(this.#handle)) {
      this.#addon.requestStop(this.#handle);
    }
  }

  stop(timeoutMs = 30_000) {
    if (running.has(this.#handle)) {
      try {
        this.#addon.stopNow(this.#handle, milliseconds(timeoutMs));
      } catch (error) {
        // `close` may have been faster.
        if (error.code !== DatadogError.NOT_AVAILABLE) {
          throw error;
        }
      }
      this.#forget();
    }
  }

  close(timeoutMs = 30_000) {
    this.#stopping ??= this.#close(timeoutMs).finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #close(timeoutMs) {
    if (running.has(this.#handle)) {
      await this.#addon.stop(this.#handle, milliseconds(timeoutMs));
      this.#forget();
    }
  }

  #running() {
    if (!running.has(this.#handle)) {
      throw new DatadogAgentException('the agent is stopped', DatadogError.NOT_AVAILABLE);
    }
    return this.#handle;
  }

  #forget() {
    running.delete(this.#handle);
    forgotten.unregister(this);
  }
}

let instance = null;

function createInstance(config = null) {
  if (instance !== null && isRunning(instance)) {
    return instance;
  }
  const chosen =
    config ??
    new DatadogAgentConfig({
      appsecEnabled: true,
      logLevel: LogLevel.DEBUG,
      dogstatsdEnabled: true,
    });
  instance = null;
  try {
    instance = new NativeAgent(chosen);
  } catch (error) {
    if (!(error instanceof DatadogAgentException)) {
      throw error;
    }
    process.emitWarning(`the agent did not start: ${error.message}`, 'DatadogAgentWarning');
  }
  return instance;
}

function getInstance() {
  if (instance === null) {
    throw new DatadogAgentException(
      'there is no instance: call createInstance first',
      DatadogError.NOT_AVAILABLE,
    );
  }
  return instance;
}

function setLogCallback(callback) {
  const line = (level, message) => callback(level === 1 ? LogLevel.ERROR : level, message);
  native().addon.setLogCallback(callback && line);
}

function isRunning(agent) {
  try {
    agent.endpoint(Endpoint.TRACE);
    return true;
  } catch {
    return false;
  }
}

function octetsOf(data) {
  if (typeof data === 'string') {
    return Buffer.from(data, 'utf8');
  }
  if (!ArrayBuffer.isView(data)) {
    throw new TypeError('a string or bytes are expected');
  }
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function milliseconds(timeoutMs) {
  return Math.max(0, Math.min(Math.trunc(timeoutMs), TIMEOUT_MS_MAX));
}

function portOf(url) {
  const port = url === null ? '' : new URL(url).port;
  return port === '' ? null : Number(port);
}

process.on('exit', () => {
  for (const handle of running) {
    try {
      native().addon.stopNow(handle, FORGOTTEN_STOP_MS);
    } catch (error) {
      process.emitWarning(`an agent did not stop: ${error.message}`, 'DatadogAgentWarning');
    }
  }
});

module.exports = { NativeAgent, createInstance, getInstance, setLogCallback };
