'use strict';

// Starts an agent, hands over a metric and a log, and waits until SIGINT.

const { NativeAgent, DatadogAgentConfig, LogLevel } = require('@datadog/agent-native');

// Create configuration. What is left out comes from the environment.
const config = new DatadogAgentConfig({
  apiKey: 'your-api-key',
  site: 'datadoghq.com',
  service: 'my-node-app',
  environment: 'production',
  version: '1.0.0',
  logLevel: LogLevel.INFO,
  dogstatsdEnabled: true,
  settings: { logs_enabled: true },
});

// Start the agent
const agent = new NativeAgent(config);

// Graceful shutdown
process.on('SIGINT', () => {
  agent.stop();
  process.exit(0);
});

console.log(`Agent version: ${agent.version}`);
console.log(`Trace port: ${agent.boundPort}`);
console.log(`DogStatsD port: ${agent.dogstatsdPort}`);

// Your application code here...
agent.submitDogstatsd('example.node.starts:1|c|#language:node');
agent.submitLogs(JSON.stringify({ message: 'started', timestamp: Date.now() }));
setInterval(() => {}, 1_000);
