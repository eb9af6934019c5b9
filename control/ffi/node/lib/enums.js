'use strict';

// Numbers of the C header.

const LogLevel = Object.freeze({ ERROR: 0, WARN: 2, INFO: 3, DEBUG: 4, TRACE: 5 });

const OperationalMode = Object.freeze({ HTTP_FIXED_PORT: 0, HTTP_EPHEMERAL_PORT: 1, HTTP_UDS: 2 });

const ShutdownReason = Object.freeze({
  GRACEFUL_SHUTDOWN: 0,
  USER_INTERRUPT: 1,
  FATAL_ERROR: 2,
  TIMEOUT: 3,
});

const DatadogError = Object.freeze({
  OK: 0,
  NULL_POINTER: 1,
  INVALID_STRING: 2,
  CONFIG_ERROR: 3,
  INIT_ERROR: 4,
  STARTUP_ERROR: 5,
  SHUTDOWN_ERROR: 6,
  RUNTIME_ERROR: 7,
  INVALID_DATA_FORMAT: 8,
  SUBMISSION_ERROR: 9,
  NOT_AVAILABLE: 10,
  UNKNOWN_ERROR: 99,
});

const Endpoint = Object.freeze({ TRACE: 0, DOGSTATSD: 1, OTLP_GRPC: 2, OTLP_HTTP: 3, LOGS: 4 });

const TraceFormat = Object.freeze({ V04: 1, V05: 2, V1: 3 });

const OtlpSignal = Object.freeze({ TRACES: 5, METRICS: 6, LOGS: 7 });

/** What `submit` of the addon takes; formats of traces and signals of OTLP are their own kinds. */
const DOGSTATSD = 0;
const LOGS_JSON = 4;

/** `wait` of the addon: the agent still runs. */
const STILL_RUNNING = 4;

module.exports = {
  DOGSTATSD,
  DatadogError,
  Endpoint,
  LOGS_JSON,
  LogLevel,
  OperationalMode,
  OtlpSignal,
  STILL_RUNNING,
  ShutdownReason,
  TraceFormat,
};
