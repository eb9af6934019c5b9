"""An agent that runs in this process."""

import atexit
import ctypes
import json
import logging
import os
import signal
import threading
import time
import weakref
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Type, Union
from urllib.parse import urlsplit

from . import _abi
from ._library import library
from .config import DatadogAgentConfig, LogLevel
from .enums import Endpoint, OtlpSignal, ShutdownReason, Submission, TraceFormat
from .errors import DatadogAgentException, DatadogError

#: Seconds in which an agent that nobody stopped is stopped.
_FORGOTTEN_STOP_SECS = 5.0
#: Seconds of one wait. Python runs signal handlers only between two of them.
_WAIT_SLICE_SECS = 0.25

Bytes = Union[bytes, bytearray, memoryview]


class NativeAgent:
    """An agent, running from construction until :meth:`stop`.

    Usable from several threads. As a context manager it stops at the end of the block; an agent
    that is collected or left behind at exit is stopped too.

    Raises:
        ValueError: ``config`` is ``None``.
        DatadogAgentException: the agent could not start.
    """

    def __init__(self, config: DatadogAgentConfig) -> None:
        if config is None:
            raise ValueError("config must not be None")
        self._library = library()
        self._lock = threading.Lock()
        # Why calls are refused, once they are.
        self._ended: Optional[str] = None
        # Calls under way, in any thread. The last one after a stop frees the agent.
        self._calls = 0
        self._handle = _start(self._library, config)
        self._finalizer = weakref.finalize(self, _release, self._library, self._handle)
        # At exit other threads may be in a call: then agents are stopped, but not freed.
        self._finalizer.atexit = False
        _RUNNING.add(self)

    @property
    def version(self) -> str:
        """Version of the native library."""
        return str(self._library.datadog_agent_version().decode("utf-8"))

    @property
    def trace_url(self) -> Optional[str]:
        """Where tracers send to, as ``DD_TRACE_AGENT_URL`` takes it."""
        return self.endpoint(Endpoint.TRACE)

    @property
    def dogstatsd_url(self) -> Optional[str]:
        """Where DogStatsD clients send to, as ``DD_DOGSTATSD_URL`` takes it."""
        return self.endpoint(Endpoint.DOGSTATSD)

    @property
    def logs_url(self) -> Optional[str]:
        """Where logs are sent over HTTP, to ``/v1/input`` below it; ``None`` without a listener."""
        return self.endpoint(Endpoint.LOGS)

    @property
    def otlp_http_url(self) -> Optional[str]:
        """``OTEL_EXPORTER_OTLP_ENDPOINT`` for ``http/protobuf``; ``None`` without a listener."""
        return self.endpoint(Endpoint.OTLP_HTTP)

    @property
    def otlp_grpc_url(self) -> Optional[str]:
        """``OTEL_EXPORTER_OTLP_ENDPOINT`` for ``grpc``; ``None`` without a listener."""
        return self.endpoint(Endpoint.OTLP_GRPC)

    @property
    def bound_port(self) -> Optional[int]:
        """TCP port of traces, ``None`` without one."""
        return _port_of(self.trace_url)

    @property
    def dogstatsd_port(self) -> Optional[int]:
        """UDP port of DogStatsD, ``None`` without one."""
        return _port_of(self.dogstatsd_url)

    @property
    def uds_path(self) -> Optional[str]:
        """Path of the Unix socket of traces, ``None`` without one."""
        return _path_of(self.trace_url)

    def endpoint(self, kind: Endpoint) -> Optional[str]:
        """Address of a listener as a URL, ``None`` when the agent does not listen there."""
        self._assert_running()
        size = ctypes.c_size_t(0)
        try:
            self._call("corelane_agent_endpoint", int(kind), None, ctypes.byref(size))
            url = ctypes.create_string_buffer(size.value)
            self._call("corelane_agent_endpoint", int(kind), url, ctypes.byref(size))
        except DatadogAgentException as error:
            if error.code == DatadogError.NOT_AVAILABLE:
                return None
            raise
        return url.value.decode("utf-8")

    def submit_dogstatsd(self, lines: Union[str, Bytes]) -> None:
        """Hands over DogStatsD lines, without a socket. They are copied before this returns.

        Raises:
            DatadogAgentException: ``SUBMISSION_ERROR`` when the queue is full and nothing was
                taken, ``INVALID_DATA_FORMAT``, or ``NOT_AVAILABLE`` when metrics are off.
        """
        self._submit(Submission.DOGSTATSD, lines)

    def submit_traces(self, payload: Bytes, form: TraceFormat = TraceFormat.V04) -> None:
        """Hands over a payload of traces as a tracer would post it. Raises like the above."""
        self._submit(Submission[f"TRACES_{TraceFormat(form).name}"], payload)

    def submit_logs(self, entries: Union[str, Bytes]) -> None:
        """Hands over logs: a JSON list of entries, or one entry.

        An entry has a ``message`` and a ``timestamp`` in milliseconds, and ``hostname``, ``service``,
        ``ddsource``, ``ddtags`` and ``status`` where it knows them; further keys stay with it. They
        are copied. An entry that turns out to be broken is counted.

        Raises:
            DatadogAgentException: as above; ``NOT_AVAILABLE`` unless ``logs_enabled`` is on.
        """
        self._submit(Submission.LOGS_JSON, entries)

    def submit_otlp(self, signal: OtlpSignal, request: Bytes) -> None:
        """Hands over an OTLP export request in protobuf, as an exporter would post it.

        Raises:
            DatadogAgentException: as above; ``NOT_AVAILABLE`` when that signal is off. Logs need
                ``logs_enabled`` and ``otlp_config.logs.enabled``.
        """
        self._submit(Submission[f"OTLP_{OtlpSignal(signal).name}"], request)

    def flush(self, timeout: float = 5.0) -> None:
        """Delivers what was handed over until now, for example before a Lambda freezes.

        Raises:
            DatadogAgentException: ``RUNTIME_ERROR`` when not everything was delivered within
                ``timeout`` seconds. What is left is still under way.
        """
        self._call("corelane_agent_flush", _milliseconds(timeout))

    def counters(self) -> Dict[str, Any]:
        """What was received, sent and dropped so far: the snapshot of ``corelane status``."""
        text = ctypes.c_void_p()
        self._call("corelane_agent_counters", ctypes.byref(text))
        try:
            return dict(json.loads(ctypes.string_at(text)))
        finally:
            self._library.corelane_string_free(text)

    def wait_for_shutdown(self, timeout: Optional[float] = None) -> ShutdownReason:
        """Waits until the agent ends, or SIGINT or SIGTERM asks the process to.

        In the main thread SIGINT ends the wait with ``USER_INTERRUPT`` and SIGTERM with
        ``GRACEFUL_SHUTDOWN``, unless the program handles them itself. The agent still has to be
        stopped then.

        Raises:
            TimeoutError: neither happened within ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        termination = _Termination()
        try:
            termination.take()
            while not termination.is_asked_for:
                left = _WAIT_SLICE_SECS
                if deadline is not None:
                    left = min(left, deadline - time.monotonic())
                reason = self._native("corelane_agent_wait", _milliseconds(left))
                if reason in _REASONS:
                    return ShutdownReason(reason)
                if reason != _abi.STILL_RUNNING:
                    raise DatadogAgentException(
                        "the agent belongs to another process", DatadogError.NOT_AVAILABLE
                    )
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutError(f"the agent still runs after {timeout} s")
        except KeyboardInterrupt:
            return ShutdownReason.USER_INTERRUPT
        finally:
            termination.give_back()
        return ShutdownReason.GRACEFUL_SHUTDOWN

    def request_stop(self) -> None:
        """Asks the agent to end, which ends a wait in another thread. Does not wait."""
        try:
            self._native("corelane_agent_request_stop")
        except DatadogAgentException:
            # There is nothing left to stop.
            pass

    def stop(self, timeout: float = 30.0) -> None:
        """Delivers what is left, and ends the agent. A second call does nothing.

        Raises:
            DatadogAgentException: it did not end within ``timeout`` seconds; may be repeated.
        """
        if self._ended is not None:
            return
        try:
            self._native("corelane_agent_stop", _milliseconds(timeout), is_stop=True)
        except DatadogAgentException:
            # Another thread may have been faster.
            if self._ended is None:
                raise

    def __enter__(self) -> "NativeAgent":
        self._assert_running()
        return self

    def __exit__(
        self,
        exception_type: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<NativeAgent: {self._ended or 'running'}>"

    def _submit(self, kind: "Submission", data: Union[str, Bytes]) -> None:
        octets = data.encode("utf-8") if isinstance(data, str) else bytes(data)
        self._call("corelane_agent_submit", int(kind), octets, len(octets), 0)

    def _call(self, name: str, *arguments: Any) -> None:
        _raise_for(self._library, self._native(name, *arguments))

    def _native(self, name: str, *arguments: Any, is_stop: bool = False) -> Any:
        """Calls the library, unless the agent is stopped. A stop that succeeds raises nothing."""
        with self._lock:
            self._assert_running()
            self._calls += 1
        try:
            result = getattr(self._library, name)(self._handle, *arguments)
            if is_stop:
                _raise_for(self._library, result)
                self._ended = "the agent is stopped"
                _RUNNING.discard(self)
            return result
        finally:
            with self._lock:
                self._calls -= 1
                is_last = self._ended is not None and self._calls == 0
            if is_last and self._finalizer.detach() is not None:
                self._library.corelane_agent_free(self._handle)

    def _assert_running(self) -> None:
        if self._ended is not None:
            raise DatadogAgentException(self._ended, DatadogError.NOT_AVAILABLE)


def create_instance(config: Optional[DatadogAgentConfig] = None) -> Optional[NativeAgent]:
    """Starts the agent of this process, or returns the one that is there.

    Without a configuration AppSec and DogStatsD are on and the log level is debug. Returns ``None``
    when the agent does not start; the reason is logged.
    """
    global _INSTANCE
    with _CREATING:
        if _INSTANCE is not None and _INSTANCE._ended is None:
            return _INSTANCE
        if config is None:
            config = DatadogAgentConfig(
                appsec_enabled=True, log_level=LogLevel.DEBUG, dogstatsd_enabled=True
            )
        try:
            _INSTANCE = NativeAgent(config)
        except DatadogAgentException as error:
            _LOG.warning("the agent did not start: %s", error)
            _INSTANCE = None
        return _INSTANCE


def get_instance() -> NativeAgent:
    """The agent of :func:`create_instance`.

    Raises:
        DatadogAgentException: there is none.
    """
    with _CREATING:
        if _INSTANCE is None:
            raise DatadogAgentException(
                "there is no instance: call create_instance first", DatadogError.NOT_AVAILABLE
            )
        return _INSTANCE


def set_log_callback(callback: Optional[Callable[[LogLevel, str], None]]) -> None:
    """Sends what all agents of this process log to ``callback``; ``None`` ends that.

    It is called from threads of the agent, must return soon, and must not call an agent. What it
    raises is reported to ``sys.unraisablehook``.
    """
    global _LOG_CALLBACK
    _LOG_CALLBACK = callback
    library().corelane_set_log_callback(_NO_LOG if callback is None else _LOG_LINE, None)


class _Termination:
    """Takes SIGTERM for a while, if nobody else does and this is the main thread.

    No context manager: an interrupt while one is entered leaves it without its exit.
    """

    def __init__(self) -> None:
        self.is_asked_for = False
        self._is_taken = False

    def take(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._is_taken = True
            signal.signal(signal.SIGTERM, self._ask)

    def give_back(self) -> None:
        if self._is_taken:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _ask(self, *_: object) -> None:
        self.is_asked_for = True


def _start(native: ctypes.CDLL, config: DatadogAgentConfig) -> ctypes.c_void_p:
    settings = ctypes.c_void_p(native.corelane_config_new())
    handle = ctypes.c_void_p()
    try:
        if config.config_file is not None:
            path = os.fsencode(config.config_file)
            _raise_for(native, native.corelane_config_load_yaml(settings, path))
        _raise_for(native, native.corelane_config_load_env(settings))
        for name, text in config._features():
            try:
                _set(native, settings, name, text)
            except DatadogAgentException as error:
                is_asked_for = name == "DD_APPSEC_ENABLED"
                _LOG.log(logging.WARNING if is_asked_for else logging.INFO, "off: %s", error)
        for name, text in config._assignments():
            _set(native, settings, name, text)
        _raise_for(native, native.corelane_agent_start(settings, ctypes.byref(handle)))
    finally:
        native.corelane_config_free(settings)
    return handle


def _set(native: ctypes.CDLL, settings: ctypes.c_void_p, name: str, text: str) -> None:
    _raise_for(native, native.corelane_config_set(settings, _c_text(name), _c_text(text)))


def _release(native: ctypes.CDLL, handle: ctypes.c_void_p) -> None:
    """Ends an agent that nothing refers to any more."""
    error = native.corelane_agent_stop(handle, _milliseconds(_FORGOTTEN_STOP_SECS))
    if error:
        native.corelane_error_free(error)
    native.corelane_agent_free(handle)


def _stop_forgotten() -> None:
    """At exit: a thread that logs would wait for an interpreter that is gone."""
    running = list(_RUNNING)
    if _LOG_CALLBACK is not None:
        set_log_callback(None)
    for agent in running:
        try:
            agent.stop(_FORGOTTEN_STOP_SECS)
        except DatadogAgentException as error:
            _LOG.warning("an agent did not stop: %s", error)


def _leave_to_parent() -> None:
    """In a forked child: the agents' threads are not here, and locks may be held for ever."""
    global _CREATING, _INSTANCE, _RUNNING
    for agent in list(_RUNNING):
        agent._ended = "the agent runs in the process that forked this one"
        agent._lock = threading.Lock()
        agent._finalizer.detach()
    _RUNNING = weakref.WeakSet()
    _CREATING = threading.Lock()
    _INSTANCE = None


def _log_line(level: int, message: bytes, _userdata: Optional[int]) -> None:
    callback = _LOG_CALLBACK
    if callback is not None:
        callback(LogLevel(level), message.decode("utf-8", "replace"))


def _raise_for(native: ctypes.CDLL, error: Optional[int]) -> None:
    if not error:
        return
    code = DatadogError(native.corelane_error_code(error))
    message = (native.corelane_error_message(error) or b"").decode("utf-8", "replace")
    native.corelane_error_free(error)
    raise DatadogAgentException(message, code)


def _c_text(text: str) -> bytes:
    octets = text.encode("utf-8")
    if b"\0" in octets:
        raise DatadogAgentException(
            "a setting contains a NUL character", DatadogError.INVALID_STRING
        )
    return octets


def _milliseconds(seconds: float) -> int:
    return max(0, min(int(seconds * 1000), _abi.TIMEOUT_MS_MAX))


def _port_of(url: Optional[str]) -> Optional[int]:
    return None if url is None else urlsplit(url).port


def _path_of(url: Optional[str]) -> Optional[str]:
    return url[len("unix://") :] if url is not None and url.startswith("unix://") else None


_REASONS = frozenset(int(reason) for reason in ShutdownReason)
_RUNNING: "weakref.WeakSet[NativeAgent]" = weakref.WeakSet()
_CREATING = threading.Lock()
_INSTANCE: Optional[NativeAgent] = None
_LOG_CALLBACK: Optional[Callable[[LogLevel, str], None]] = None
#: What the library calls: one for good, since a thread may be in it when it is taken away.
_LOG_LINE = _abi.LogCallback(_log_line)
_NO_LOG = _abi.LogCallback(0)
_LOG = logging.getLogger(__name__)

atexit.register(_stop_forgotten)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
