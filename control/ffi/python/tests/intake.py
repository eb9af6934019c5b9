"""What the tests ask the local intake, and what they send."""

import itertools
import json
import os
import tempfile
import unittest
import urllib.request
from typing import Any, Dict, List

from datadog_agent_native import DatadogAgentConfig

_NUMBERS = itertools.count()
INTAKE_URL = os.environ["CORELANE_TEST_INTAKE"]


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
