"""Kinds that the agent's methods take and return, with the numbers of the C header."""

from enum import IntEnum


class Endpoint(IntEnum):
    """An address the agent listens on.

    Those of OTLP and logs are there where their settings are:
    ``otlp_config.receiver.protocols.grpc.endpoint``, ``.http.endpoint``, and ``logs_agent_port`` or
    ``corelane.logs.listen``.
    """

    TRACE = 0
    DOGSTATSD = 1
    OTLP_GRPC = 2
    OTLP_HTTP = 3
    LOGS = 4


class ShutdownReason(IntEnum):
    """Why an agent ended."""

    GRACEFUL_SHUTDOWN = 0
    USER_INTERRUPT = 1
    FATAL_ERROR = 2
    TIMEOUT = 3


class TraceFormat(IntEnum):
    """The encoding of a trace payload, as in the paths of the trace API."""

    V04 = 1
    V05 = 2
    V1 = 3


class OtlpSignal(IntEnum):
    """What an OTLP export request holds."""

    TRACES = 5
    METRICS = 6
    LOGS = 7


class Submission(IntEnum):
    """What is handed over in-process."""

    DOGSTATSD = 0
    TRACES_V04 = 1
    TRACES_V05 = 2
    TRACES_V1 = 3
    LOGS_JSON = 4
    OTLP_TRACES = 5
    OTLP_METRICS = 6
    OTLP_LOGS = 7
