"""What the tests ask the local intake, and what they send."""

import itertools
import json
import os
import struct
import tempfile
import time
import unittest
import urllib.request
from typing import Any, Dict, List, Union

from datadog_agent_native import DatadogAgentConfig

_NUMBERS = itertools.count()
INTAKE_URL = os.environ["CORELANE_TEST_INTAKE"]
#: What logs need, of both kinds.
LOGS_ON: Dict[str, Any] = {"logs_enabled": True, "otlp_config.logs.enabled": True}
#: Listeners of logs and OTLP, on ports that the system chooses.
INGEST_PORTS: Dict[str, Any] = {
    "logs_agent_port": 0,
    "otlp_config.receiver.protocols.http.endpoint": "127.0.0.1:0",
    "otlp_config.receiver.protocols.grpc.endpoint": "127.0.0.1:0",
}


class AgentTest(unittest.TestCase):
    """A test with a directory for its agents, which deliver to the intake."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def config(self, **options: Any) -> DatadogAgentConfig:
        """An agent on ports that the system chooses."""
        options.setdefault("api_key", "0123456789abcdef0123456789abcdef")
        options.setdefault("dogstatsd_enabled", True)
        options.setdefault("remote_config_enabled", False)
        settings = dict(settings_for(self.directory), **options.pop("settings", {}))
        return DatadogAgentConfig(settings=settings, **options)


def settings_for(directory: str) -> Dict[str, str]:
    """Where to deliver, under which name, and where files go.

    Each agent has a name of its own: two of one name that send a metric of one bucket overwrite each
    other's point at the intake.
    """
    name = f"bed-{os.getpid()}-{next(_NUMBERS)}"
    return {"dd_url": INTAKE_URL, "hostname": name, "run_path": directory}


def ask(question: str) -> Any:
    """The intake's answer to a question about what it received."""
    with urllib.request.urlopen(f"{INTAKE_URL}/_corelane/{question}", timeout=60) as answer:
        return json.load(answer)


def total_of(metric: str) -> float:
    """Sum over all points of a count."""
    return sum(series["total"] for series in ask(f"metrics?name={metric}"))


def spans_of(service: str) -> List[Dict[str, Any]]:
    """The spans of a service."""
    return list(ask(f"spans?service={service}"))


def logs_of(service: str) -> List[Dict[str, Any]]:
    """The logs of a service."""
    return list(ask(f"logs?service={service}"))


def log_entries(service: str, message: str) -> str:
    """A list of one log of now."""
    entry = {"message": message, "timestamp": time.time_ns() // 1_000_000, "service": service}
    return json.dumps([dict(entry, status="warn", ddtags="t:é")])


def trace_payload(service: str, name: str) -> bytes:
    """One trace of one span, as a tracer posts it to /v0.4/traces."""
    span = {
        "service": service,
        "name": name,
        "resource": "GET /",
        "type": "web",
        "trace_id": 7,
        "span_id": 9,
        "parent_id": 0,
        "start": 1_700_000_000_000_000_000,
        "duration": 1_000_000,
        "error": 0,
        "meta": {},
        "metrics": {"_sampling_priority_v1": 2},
    }
    return b"\x91\x91" + packed(span)


def packed(value: Any) -> bytes:
    """A small value as MessagePack."""
    if isinstance(value, str):
        octets = value.encode()
        return b"\xd9" + bytes([len(octets)]) + octets
    if isinstance(value, int):
        return b"\xcf" + value.to_bytes(8, "big")
    items = b"".join(packed(key) + packed(item) for key, item in value.items())
    return bytes([0x80 | len(value)]) + items


def otlp_span(service: str, name: str) -> bytes:
    """An OTLP request of one span of now."""
    now = time.time_ns()
    span = field(1, bytes(range(1, 17))) + field(2, bytes(range(1, 9))) + field(5, name)
    return otlp_request(service, span + field(6, 2) + fixed(7, now - 1_000_000) + fixed(8, now))


def otlp_count(service: str, name: str, value: float) -> bytes:
    """An OTLP request of a sum, counted up in the last second."""
    now = time.time_ns()
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    point = fixed(2, now - 1_000_000_000) + fixed(3, now) + fixed(4, bits)
    # Delta, monotonic.
    return otlp_request(
        service, field(1, name) + field(7, field(1, point) + field(2, 1) + field(3, 1))
    )


def otlp_log(service: str, message: str) -> bytes:
    """An OTLP request of one log of now, an error."""
    body = field(5, field(1, message))
    return otlp_request(service, fixed(1, time.time_ns()) + field(2, 17) + body)


def otlp_request(service: str, item: bytes) -> bytes:
    """Requests of all signals have the same fields down to the item."""
    attribute = field(1, "service.name") + field(2, field(1, service))
    resource = field(1, field(1, attribute))
    return field(1, resource + field(2, field(2, item)))


def field(number: int, value: Union[int, str, bytes]) -> bytes:
    """A protobuf field: a number, a text, or octets such as those of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    octets = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(octets)) + octets


def fixed(number: int, bits: int) -> bytes:
    """A protobuf field of 64 bits."""
    return varint(number << 3 | 1) + bits.to_bytes(8, "little")


def varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(octets) + bytes([value])
