'use strict';

const { DatadogError, LogLevel, OperationalMode } = require('./enums');
const { DatadogAgentException } = require('./exception');

const DEFAULTS = Object.freeze({
  apiKey: null,
  site: null,
  service: null,
  environment: null,
  version: null,
  appsecEnabled: false,
  remoteConfigEnabled: true,
  logLevel: LogLevel.INFO,
  operationalMode: OperationalMode.HTTP_EPHEMERAL_PORT,
  traceAgentPort: 0,
  dogstatsdEnabled: false,
  dogstatsdPort: 0,
  traceAgentUdsPermissions: null,
  settings: Object.freeze({}),
  configFile: null,
});

const MODES = new Map([
  [OperationalMode.HTTP_FIXED_PORT, 'http_fixed_port'],
  [OperationalMode.HTTP_EPHEMERAL_PORT, 'http_ephemeral_port'],
  [OperationalMode.HTTP_UDS, 'http_uds'],
]);

const LEVELS = new Map(Object.entries(LogLevel).map(([name, level]) => [level, name.toLowerCase()]));

class DatadogAgentConfig {
  constructor(options = {}) {
    for (const name of Object.keys(options)) {
      if (!(name in DEFAULTS)) {
        throw new TypeError(`unknown option ${name}`);
      }
    }
    Object.assign(this, DEFAULTS);
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) {
        this[name] = value;
      }
    }
  }
}

/** Name and text of each setting that is given, in the order they are set. */
function assignments(config) {
  const pairs = [];
  const set = (name, value) => pairs.push([textOf(name), textOf(value)]);
  // Empty means not given, as in the C options.
  const setText = (name, value) => value && set(name, value);
  setText('DD_API_KEY', config.apiKey);
  setText('DD_SITE', config.site);
  setText('DD_SERVICE', config.service);
  setText('DD_ENV', config.environment);
  setText('DD_VERSION', config.version);
  set('DD_LOG_LEVEL', named(LEVELS, config.logLevel, 'logLevel'));
  set('DD_AGENT_MODE', named(MODES, config.operationalMode, 'operationalMode'));
  // Only this mode has a port to choose; in HTTP_UDS naming a port is an error.
  if (config.operationalMode === OperationalMode.HTTP_FIXED_PORT && config.traceAgentPort !== null) {
    set('DD_TRACE_AGENT_PORT', config.traceAgentPort);
  }
  set('DD_DOGSTATSD_ENABLED', Boolean(config.dogstatsdEnabled));
  if (config.dogstatsdPort !== null) {
    set('DD_DOGSTATSD_PORT', config.dogstatsdPort);
  }
  if (config.traceAgentUdsPermissions !== null) {
    set('DD_TRACE_AGENT_UDS_PERMISSIONS', `0${config.traceAgentUdsPermissions.toString(8)}`);
  }
  for (const [name, value] of Object.entries(config.settings)) {
    set(name, value);
  }
  return pairs;
}

/** The same of what a library may be built without. It is off there. */
function features(config) {
  const pairs = [['DD_REMOTE_CONFIGURATION_ENABLED', String(Boolean(config.remoteConfigEnabled))]];
  if (config.appsecEnabled) {
    pairs.push(['DD_APPSEC_ENABLED', 'true']);
  }
  return pairs;
}

function named(names, value, option) {
  const name = names.get(value);
  if (name === undefined) {
    throw new TypeError(`${option}: ${value} is not one of its values`);
  }
  return name;
}

/** A value as it would stand in an environment variable. */
function textOf(value) {
  const text = String(value);
  if (text.includes('\0')) {
    throw new DatadogAgentException(
      'a setting contains a NUL character',
      DatadogError.INVALID_STRING,
    );
  }
  return text;
}

module.exports = { DatadogAgentConfig, assignments, features };
