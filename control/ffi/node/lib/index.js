'use strict';

const { NativeAgent, createInstance, getInstance, setLogCallback } = require('./agent');
const { DatadogAgentConfig } = require('./config');
const {
  DatadogError,
  Endpoint,
  LogLevel,
  OperationalMode,
  ShutdownReason,
  TraceFormat,
} = require('./enums');
const { DatadogAgentException } = require('./exception');

module.exports = {
  DatadogAgentConfig,
  DatadogAgentException,
  DatadogError,
  Endpoint,
  LogLevel,
  NativeAgent,
  OperationalMode,
  ShutdownReason,
  TraceFormat,
  createInstance,
  getInstance,
  setLogCallback,
};
