"""Sending payloads of the Live Debugger and symbol databases, without an agent or through one.

    from datadog_agent_native.live_debugger import (
        DebuggerEndpoint, DebuggerType, LiveDebuggerSender,
    )

    intake = DebuggerEndpoint.for_site("datadoghq.com", "...")
    with LiveDebuggerSender(intake, service_version="1.2") as sender:
        sender.send(DebuggerType.SNAPSHOTS, b'[{"service": "shop", ...}]')

The sender has a thread of its own, in native code. A call copies its payload into a bounded queue
and never waits; what became of payloads is counted (:attr:`LiveDebuggerSender.counts`).
"""

import ctypes
import threading
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Iterable, Mapping, Optional, Type, Union

from ._library import library
from .errors import DatadogAgentException, DatadogError

Bytes = Union[bytes, bytearray, memoryview]


class DebuggerType(IntEnum):
    """What a payload holds. The numbers are those of ``ddog_DebuggerType`` in the C header."""

    #: State of a probe.
    DIAGNOSTICS = 0
    #: With captured values.
    SNAPSHOTS = 1
    #: Without.
    LOGS = 2


@dataclass(frozen=True)
class DebuggerEndpoint:
    """One place to send to: an agent's URL, or an intake's with a key, or a file of tests."""

    url: Optional[str] = None
    #: Site of an intake, in place of a URL.
    site: Optional[str] = None
    #: Makes it an intake.
    api_key: Optional[str] = None
    #: Seconds of each wait.
    timeout: float = 3.0
    #: Session of a test agent.
    test_token: Optional[str] = None

    @classmethod
    def for_site(cls, site: str, api_key: str, timeout: float = 3.0) -> "DebuggerEndpoint":
        """The intake of a site, such as ``datadoghq.com``."""
        return cls(site=site, api_key=api_key, timeout=timeout)

    @classmethod
    def for_file(cls, path: str) -> "DebuggerEndpoint":
        """A file that everything is appended to, by its absolute path."""
        return cls(url=f"file://{path}")

    def __repr__(self) -> str:
        # The key stays out of logs.
        return f"DebuggerEndpoint({self.url or self.site!r})"


@dataclass(frozen=True)
class SenderCounts:
    """queued = sent + failed + those that wait or are under way."""

    #: Taken into the queue.
    queued: int
    #: Accepted by the primary endpoint.
    sent: int
    #: Refused by it, or not answered in time.
    failed: int
    #: Not taken into the queue.
    refused: int


class LiveDebuggerSender:
    """A sender, running from construction until :meth:`close`. Usable from several threads.

    Args:
        endpoint: Where snapshots, logs and diagnostics go.
        symdb_endpoint: Where symbol databases go; without one they are refused.
        additional_endpoints: Get a copy of everything that ``endpoint`` gets.
        additional_symdb_endpoints: Get a copy of every symbol database.
        debugger_version, env, service_version, runtime_id, tags: Told along with each payload.

    Raises:
        DatadogAgentException: an endpoint is none, or there is no thread.
    """

    def __init__(
        self,
        endpoint: Optional[DebuggerEndpoint] = None,
        *,
        symdb_endpoint: Optional[DebuggerEndpoint] = None,
        additional_endpoints: Iterable[DebuggerEndpoint] = (),
        additional_symdb_endpoints: Iterable[DebuggerEndpoint] = (),
        debugger_version: str = "",
        env: str = "",
        service_version: str = "",
        runtime_id: str = "",
        tags: Optional[Mapping[str, str]] = None,
    ) -> None:
        self._lock = threading.Lock()
        self._handle: Optional[int] = None
        self._calls = _Functions.of(library())
        config = self._calls.config_new()
        try:
            for adding, endpoints in (
                (self._calls.set_endpoint, [endpoint] if endpoint else []),
                (self._calls.set_symdb_endpoint, [symdb_endpoint] if symdb_endpoint else []),
                (self._calls.add_endpoint, additional_endpoints),
                (self._calls.add_symdb_endpoint, additional_symdb_endpoints),
            ):
                for one in endpoints:
                    made = self._endpoint(one)
                    try:
                        self._check(adding(config, made))
                    finally:
                        self._calls.endpoint_drop(made)
            texts = (debugger_version, env, service_version, runtime_id)
            built = self._tags(texts, tags or {})
        except BaseException:
            self._calls.config_drop(config)
            raise
        handle = ctypes.c_void_p()
        # Takes both, whatever comes of it.
        self._check(self._calls.spawn(config, built, ctypes.byref(handle)))
        self._handle = handle.value

    def send(self, kind: DebuggerType, payload: Union[str, Bytes]) -> bool:
        """Queues a JSON array of payloads, or one payload. False if there is no room."""
        data = _slice(payload)
        with self._lock:
            return bool(self._calls.send(self._open(), int(kind), data))

    def send_symdb(self, content_type: str, payload: Bytes) -> bool:
        """Queues an upload of a symbol database. False if there is no room."""
        kind, data = _slice(content_type), _slice(payload)
        with self._lock:
            return bool(self._calls.send_symdb(self._open(), kind, data))

    @property
    def counts(self) -> SenderCounts:
        """What became of payloads so far."""
        with self._lock:
            return self._calls.counts(self._open()).named()

    def close(self) -> Optional[SenderCounts]:
        """Sends what is queued, waits for it, and ends. ``None`` if it is closed already."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is None:
            return None
        counts = _Counts()
        self._calls.close(handle, ctypes.byref(counts))
        return counts.named()

    def __enter__(self) -> "LiveDebuggerSender":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Not waited for: the thread sends what is queued and ends by itself.
        handle, self._handle = getattr(self, "_handle", None), None
        if handle is not None:
            self._calls.drop(handle)

    def _open(self) -> int:
        if self._handle is None:
            raise DatadogAgentException("the sender is closed", DatadogError.NOT_AVAILABLE)
        return self._handle

    def _endpoint(self, endpoint: DebuggerEndpoint) -> int:
        made = ctypes.c_void_p()
        if endpoint.site is not None:
            key = _slice(endpoint.api_key or "")
            site = _slice(endpoint.site)
            self._check(self._calls.endpoint_of_site(site, key, ctypes.byref(made)))
        else:
            made.value = self._calls.endpoint_of_url(_slice(endpoint.url or ""))
        if not made.value:
            raise DatadogAgentException(f"{endpoint!r} is no endpoint", DatadogError.CONFIG_ERROR)
        self._calls.set_timeout(made, max(0, round(endpoint.timeout * 1000)))
        if endpoint.api_key is not None and endpoint.site is None:
            self._calls.set_api_key(made, _slice(endpoint.api_key))
        if endpoint.test_token is not None:
            self._calls.set_test_token(made, _slice(endpoint.test_token))
        return made.value

    def _tags(self, texts: Iterable[str], tags: Mapping[str, str]) -> int:
        collected = self._calls.tags_new()
        for key, value in tags.items():
            pushed = self._calls.tags_push(ctypes.byref(collected), _slice(key), _slice(value))
            if pushed.tag == 1:
                message = pushed.text()
                self._calls.error_drop(ctypes.byref(pushed.message))
                self._calls.tags_drop(collected)
                raise DatadogAgentException(message, DatadogError.CONFIG_ERROR)
        return int(self._calls.build_tags(*map(_slice, texts), collected))

    def _check(self, maybe: "_MaybeError") -> None:
        if maybe.tag == 0:
            message = maybe.text()
            self._calls.maybe_error_drop(maybe)
            raise DatadogAgentException(message, DatadogError.CONFIG_ERROR)


class _Slice(ctypes.Structure):
    _fields_ = (("ptr", ctypes.c_char_p), ("len", ctypes.c_size_t))


class _Vec(ctypes.Structure):
    _fields_ = (("ptr", ctypes.c_void_p), ("len", ctypes.c_size_t), ("room", ctypes.c_size_t))


class _MaybeError(ctypes.Structure):
    """``ddog_MaybeError`` and ``ddog_Vec_Tag_PushResult``: the error is there for one tag only."""

    _fields_ = (("tag", ctypes.c_int), ("message", _Vec))

    def text(self) -> str:
        return ctypes.string_at(self.message.ptr, self.message.len).decode("utf-8", "replace")


class _Counts(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("queued", "sent", "failed", "refused"))

    def named(self) -> SenderCounts:
        return SenderCounts(self.queued, self.sent, self.failed, self.refused)


def _slice(data: Union[str, Bytes]) -> _Slice:
    octets = data.encode("utf-8") if isinstance(data, str) else bytes(data)
    return _Slice(octets, len(octets))


class _Functions:
    """The functions of the library, typed. A library may be built without them."""

    _PROTOTYPES = {
        "config_new": ("ddog_live_debugger_sender_config_new", ctypes.c_void_p, ()),
        "config_drop": ("ddog_live_debugger_sender_config_drop", None, (ctypes.c_void_p,)),
        **{
            name: (
                f"ddog_live_debugger_sender_config_{verb}",
                _MaybeError,
                (ctypes.c_void_p, ctypes.c_void_p),
            )
            for name, verb in (
                ("set_endpoint", "set_endpoint"),
                ("set_symdb_endpoint", "set_symdb_endpoint"),
                ("add_endpoint", "add_additional_endpoint"),
                ("add_symdb_endpoint", "add_additional_symdb_endpoint"),
            )
        },
        "endpoint_of_url": ("ddog_endpoint_from_url", ctypes.c_void_p, (_Slice,)),
        "endpoint_of_site": (
            "ddog_live_debugger_endpoint_from_site_and_api_key",
            _MaybeError,
            (_Slice, _Slice, ctypes.POINTER(ctypes.c_void_p)),
        ),
        "set_api_key": (
            "ddog_live_debugger_endpoint_set_api_key",
            None,
            (ctypes.c_void_p, _Slice),
        ),
        "set_timeout": ("ddog_endpoint_set_timeout", None, (ctypes.c_void_p, ctypes.c_uint64)),
        "set_test_token": ("ddog_endpoint_set_test_token", None, (ctypes.c_void_p, _Slice)),
        "endpoint_drop": ("ddog_endpoint_drop", None, (ctypes.c_void_p,)),
        "tags_new": ("ddog_Vec_Tag_new", _Vec, ()),
        "tags_push": ("ddog_Vec_Tag_push", _MaybeError, (ctypes.POINTER(_Vec), _Slice, _Slice)),
        "tags_drop": ("ddog_Vec_Tag_drop", None, (_Vec,)),
        "build_tags": (
            "ddog_live_debugger_build_tags",
            ctypes.c_void_p,
            (_Slice, _Slice, _Slice, _Slice, _Vec),
        ),
        "spawn": (
            "ddog_live_debugger_spawn_sender_with_config",
            _MaybeError,
            (ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)),
        ),
        "send": (
            "corelane_live_debugger_send_copy",
            ctypes.c_bool,
            (ctypes.c_void_p, ctypes.c_int32, _Slice),
        ),
        "send_symdb": (
            "corelane_live_debugger_send_symdb_copy",
            ctypes.c_bool,
            (ctypes.c_void_p, _Slice, _Slice),
        ),
        "counts": ("corelane_live_debugger_counts", _Counts, (ctypes.c_void_p,)),
        "close": (
            "corelane_live_debugger_close",
            None,
            (ctypes.c_void_p, ctypes.POINTER(_Counts)),
        ),
        "drop": ("ddog_live_debugger_drop_sender", None, (ctypes.c_void_p,)),
        "error_drop": ("ddog_Error_drop", None, (ctypes.POINTER(_Vec),)),
        "maybe_error_drop": ("ddog_MaybeError_drop", None, (_MaybeError,)),
    }
    _known: Optional["_Functions"] = None

    @classmethod
    def of(cls, opened: ctypes.CDLL) -> "_Functions":
        if cls._known is None:
            cls._known = cls(opened)
        return cls._known

    def __init__(self, opened: ctypes.CDLL) -> None:
        for name, (symbol, result, arguments) in self._PROTOTYPES.items():
            try:
                function = opened[symbol]
            except AttributeError as error:
                raise DatadogAgentException(
                    "the native library was built without the Live Debugger",
                    DatadogError.NOT_AVAILABLE,
                ) from error
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)
