"""What the library refuses, as an exception."""

from enum import IntEnum


class DatadogError(IntEnum):
    """Why a call failed. The numbers are those of ``DatadogError`` in the C header."""

    OK = 0
    NULL_POINTER = 1
    INVALID_STRING = 2
    CONFIG_ERROR = 3
    INIT_ERROR = 4
    STARTUP_ERROR = 5
    SHUTDOWN_ERROR = 6
    RUNTIME_ERROR = 7
    INVALID_DATA_FORMAT = 8
    SUBMISSION_ERROR = 9
    NOT_AVAILABLE = 10
    UNKNOWN_ERROR = 99

    @classmethod
    def _missing_(cls, value: object) -> "DatadogError":
        # A newer library may know more reasons than this package.
        return cls.UNKNOWN_ERROR


class DatadogAgentException(Exception):
    """A call that failed: ``code`` says why, the message says what to do."""

    def __init__(self, message: str, code: DatadogError = DatadogError.UNKNOWN_ERROR) -> None:
        super().__init__(message)
        self.code = code
