"""The corelane agent inside a Python process.

    from datadog_agent_native import DatadogAgentConfig, NativeAgent

    with NativeAgent(DatadogAgentConfig(api_key="...", dogstatsd_enabled=True)) as agent:
        agent.submit_dogstatsd("page.views:1|c")

The agent runs on threads of its own, in native code; nothing here runs per metric or span but the
call that hands it over. Threads do not survive ``fork``: start the agent in the worker, not in the
process that forks workers. An agent of the parent refuses every call in the child.
"""

from ._library import LIBRARY_PATH_VARIABLE
from .agent import NativeAgent, create_instance, get_instance, set_log_callback
from .config import DatadogAgentConfig, LogLevel, OperationalMode
from .enums import Endpoint, OtlpSignal, ShutdownReason, TraceFormat
from .errors import DatadogAgentException, DatadogError

__all__ = [
    "LIBRARY_PATH_VARIABLE",
    "DatadogAgentConfig",
    "DatadogAgentException",
    "DatadogError",
    "Endpoint",
    "LogLevel",
    "NativeAgent",
    "OperationalMode",
    "OtlpSignal",
    "ShutdownReason",
    "TraceFormat",
    "create_instance",
    "get_instance",
    "set_log_callback",
]
