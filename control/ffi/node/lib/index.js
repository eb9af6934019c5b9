'use strict';

const { NativeAgent, createInstance, getInstance, setLogCallback } = require('./agent');
const { DatadogAgentConfig } = require('./config');
const {
  DatadogError,
  Endpoint,
  LogLevel,
  OperationalMode,
  OtlpSignal,
  ShutdownReason,
  TraceFormat,
} = require('./enums');
const { DatadogAgentException } = require('./exception');
const { DebuggerType, LiveDebuggerSender } = require('./live_debugger');

module.exports = {
  DatadogAgentConfig,
  DatadogAgentException,
  DatadogError,
  DebuggerType,
  Endpoint,
  LiveDebuggerSender,
  LogLevel,
  NativeAgent,
  OperationalMode,
  OtlpSignal,
  ShutdownReason,
  TraceFormat,
  createInstance,
  getInstance,
  setLogCallback,
};
