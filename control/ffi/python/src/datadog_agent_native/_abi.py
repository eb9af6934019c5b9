"""The C functions this package calls, as ``datadog_agent_native.h`` declares them.

ctypes releases the interpreter's lock around each call, so that a thread that waits for a flush
holds up no other.
"""

import ctypes

#: Version of the interface that this package was written for.
MAJOR = 1

#: Highest length in milliseconds that the functions take.
TIMEOUT_MS_MAX = 0xFFFF_FFFF

#: ``corelane_agent_wait``: the agent still runs.
STILL_RUNNING = 4

#: ``void (*)(int level, const char *message, void *userdata)``
LogCallback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)

_PROTOTYPES = {
    "datadog_agent_version": (ctypes.c_char_p, ()),
    "corelane_abi_version": (ctypes.c_uint32, ()),
    "corelane_config_new": (ctypes.c_void_p, ()),
    "corelane_config_free": (None, (ctypes.c_void_p,)),
    "corelane_config_set": (
        ctypes.c_void_p,
        (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p),
    ),
    "corelane_config_load_env": (ctypes.c_void_p, (ctypes.c_void_p,)),
    "corelane_config_load_yaml": (ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p)),
    "corelane_agent_start": (
        ctypes.c_void_p,
        (ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)),
    ),
    "corelane_agent_endpoint": (
        ctypes.c_void_p,
        (ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t)),
    ),
    "corelane_agent_counters": (
        ctypes.c_void_p,
        (ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)),
    ),
    "corelane_string_free": (None, (ctypes.c_void_p,)),
    "corelane_agent_submit": (
        ctypes.c_void_p,
        (ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32),
    ),
    "corelane_agent_flush": (ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_uint32)),
    "corelane_agent_wait": (ctypes.c_int, (ctypes.c_void_p, ctypes.c_uint32)),
    "corelane_agent_request_stop": (None, (ctypes.c_void_p,)),
    "corelane_agent_stop": (ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_uint32)),
    "corelane_agent_free": (None, (ctypes.c_void_p,)),
    "corelane_error_code": (ctypes.c_int, (ctypes.c_void_p,)),
    "corelane_error_message": (ctypes.c_char_p, (ctypes.c_void_p,)),
    "corelane_error_free": (None, (ctypes.c_void_p,)),
    "corelane_set_log_callback": (None, (LogCallback, ctypes.c_void_p)),
}


def declare(library: ctypes.CDLL) -> None:
    """Gives each function its types.

    Raises:
        AttributeError: the library lacks a function.
    """
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
