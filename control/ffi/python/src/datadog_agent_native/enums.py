"""Kinds that the agent's methods take and return, with the numbers of the C header."""

from enum import IntEnum


class Endpoint(IntEnum):
    """An address the agent listens on. This version has none for OTLP and logs: ``None``."""

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


class Submission(IntEnum):
    """What is handed over in-process. This version takes no logs and no OTLP."""

    DOGSTATSD = 0
    TRACES_V04 = 1
    TRACES_V05 = 2
    TRACES_V1 = 3
