'use strict';

const { DatadogError } = require('./enums');

class DatadogAgentException extends Error {
  constructor(message, code = DatadogError.UNKNOWN_ERROR) {
    super(message);
    this.name = 'DatadogAgentException';
    this.code = code;
  }
}

module.exports = { DatadogAgentException };
