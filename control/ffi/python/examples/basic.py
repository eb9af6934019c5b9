"""Starts an agent, hands over a metric and a log, and waits until SIGINT or SIGTERM."""

import json
import time

from datadog_agent_native import DatadogAgentConfig, LogLevel, NativeAgent

# Create configuration. What is left out comes from the environment.
config = DatadogAgentConfig(
    api_key="your-api-key",
    site="datadoghq.com",
    service="my-python-app",
    environment="production",
    version="1.0.0",
    log_level=LogLevel.INFO,
    dogstatsd_enabled=True,
    settings={"logs_enabled": True},
)

# Start the agent (using context manager)
with NativeAgent(config) as agent:
    print(f"Agent version: {agent.version}")
    print(f"Trace port: {agent.bound_port}")
    print(f"DogStatsD port: {agent.dogstatsd_port}", flush=True)

    # Your application code here...
    agent.submit_dogstatsd("example.python.starts:1|c|#language:python")
    agent.submit_logs(json.dumps({"message": "started", "timestamp": int(time.time() * 1000)}))

    # Wait for shutdown
    agent.wait_for_shutdown()
