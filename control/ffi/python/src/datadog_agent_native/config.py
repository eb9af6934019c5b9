"""What an agent is started with."""

import os
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Iterator, Mapping, Optional, Tuple, Union

SettingValue = Union[str, int, float, bool]


class LogLevel(IntEnum):
    """What the agent logs. 1 is the same as ``ERROR``."""

    ERROR = 0
    WARN = 2
    INFO = 3
    DEBUG = 4
    TRACE = 5

    @classmethod
    def _missing_(cls, value: object) -> Optional["LogLevel"]:
        return cls.ERROR if value == 1 else None


class OperationalMode(IntEnum):
    """How clients reach the agent."""

    #: TCP ports that clients know: 8126 for traces, 8125 for DogStatsD.
    HTTP_FIXED_PORT = 0
    #: TCP ports that the system chooses; ask the agent for them.
    HTTP_EPHEMERAL_PORT = 1
    #: Unix sockets; ask the agent for their paths.
    HTTP_UDS = 2


#: Values of ``DD_AGENT_MODE``.
_MODES = {
    OperationalMode.HTTP_FIXED_PORT: "http_fixed_port",
    OperationalMode.HTTP_EPHEMERAL_PORT: "http_ephemeral_port",
    OperationalMode.HTTP_UDS: "http_uds",
}


@dataclass
class DatadogAgentConfig:
    """Options of an agent. ``None`` leaves an option to the environment, then to its default.

    ``settings`` takes every other setting by its dotted key or its ``DD_*`` name, with the value
    written as in an environment variable; it wins over everything else. ``config_file`` names a
    ``datadog.yaml`` that is read first, below the environment.
    """

    api_key: Optional[str] = None
    site: Optional[str] = None
    service: Optional[str] = None
    environment: Optional[str] = None
    version: Optional[str] = None
    appsec_enabled: bool = False
    remote_config_enabled: bool = True
    log_level: LogLevel = LogLevel.INFO
    operational_mode: OperationalMode = OperationalMode.HTTP_EPHEMERAL_PORT
    #: ``None``: the default, 8126. 0: the system chooses. Does not count in the other two modes.
    trace_agent_port: Optional[int] = 0
    dogstatsd_enabled: bool = False
    #: ``None``: the default, 8125. 0: the system chooses.
    dogstatsd_port: Optional[int] = 0
    #: Mode bits of the socket, 0o600 by default.
    trace_agent_uds_permissions: Optional[int] = None
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    config_file: Optional[Union[str, "os.PathLike[str]"]] = None

    def _features(self) -> Iterator[Tuple[str, str]]:
        """Setting and text of what a library may be built without. It is off there."""
        yield "DD_REMOTE_CONFIGURATION_ENABLED", _text_of(self.remote_config_enabled)
        if self.appsec_enabled:
            yield "DD_APPSEC_ENABLED", "true"

    def _assignments(self) -> Iterator[Tuple[str, str]]:
        """Setting and text of each option that is given, in the order they are set."""
        options = (
            ("DD_API_KEY", self.api_key),
            ("DD_SITE", self.site),
            ("DD_SERVICE", self.service),
            ("DD_ENV", self.environment),
            ("DD_VERSION", self.version),
        )
        # Empty means not given, as in the C options.
        for name, text in options:
            if text:
                yield name, text
        yield "DD_LOG_LEVEL", LogLevel(self.log_level).name.lower()
        yield "DD_AGENT_MODE", _MODES[OperationalMode(self.operational_mode)]
        # Only the first mode has a port to choose; in the last one naming a port is an error.
        if (
            self.operational_mode == OperationalMode.HTTP_FIXED_PORT
            and self.trace_agent_port is not None
        ):
            yield "DD_TRACE_AGENT_PORT", str(int(self.trace_agent_port))
        yield "DD_DOGSTATSD_ENABLED", _text_of(self.dogstatsd_enabled)
        if self.dogstatsd_port is not None:
            yield "DD_DOGSTATSD_PORT", str(int(self.dogstatsd_port))
        if self.trace_agent_uds_permissions is not None:
            yield "DD_TRACE_AGENT_UDS_PERMISSIONS", f"{self.trace_agent_uds_permissions:04o}"
        for name, value in self.settings.items():
            yield name, _text_of(value)


def _text_of(value: SettingValue) -> str:
    """A value as it would stand in an environment variable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
