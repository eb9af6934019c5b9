"""The sender of the Live Debugger: into a file, and to a server that takes what tracers send."""

import json
import os
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Tuple

from datadog_agent_native import DatadogAgentException
from datadog_agent_native.live_debugger import (
    DebuggerEndpoint,
    DebuggerType,
    LiveDebuggerSender,
)

KEY = "0123456789abcdef0123456789abcdef"


class _Intake:
    """Takes everything, and keeps path, headers and body."""

    def __init__(self) -> None:
        received: List[Tuple[str, Dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = b""
                if "content-length" in headers:
                    body = self.rfile.read(int(headers["content-length"]))
                while "transfer-encoding" in headers:
                    size = int(self.rfile.readline(), 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        break
                received.append((self.path, headers, body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.received = received
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class LiveDebuggerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.intake = _Intake()
        self.addCleanup(self.intake.close)

    def test_every_track_reaches_its_path_with_tags_and_key(self) -> None:
        endpoint = DebuggerEndpoint(self.intake.url, api_key=KEY, timeout=60.0)
        with LiveDebuggerSender(
            endpoint,
            symdb_endpoint=endpoint,
            debugger_version="1.0",
            env="bed",
            service_version="2",
            runtime_id="rid",
            tags={"team": "a b"},
        ) as sender:
            self.assertTrue(sender.send(DebuggerType.SNAPSHOTS, '[{"s":1}]'))
            self.assertTrue(sender.send(DebuggerType.LOGS, b'{"l":1}'))
            self.assertTrue(sender.send(DebuggerType.DIAGNOSTICS, memoryview(b'[{"d":1}]')))
            self.assertTrue(sender.send_symdb("text/plain", b"symbols"))
            counts = sender.close()
        assert counts is not None
        self.assertEqual((counts.queued, counts.sent, counts.failed), (4, 4, 0))
        bodies = {}
        for path, headers, body in self.intake.received:
            self.assertTrue(path.startswith("/api/v2/debugger"), path)
            self.assertEqual(headers["dd-api-key"], KEY)
            bodies[body] = (path, headers)
        path, headers = bodies[b'[{"s":1}]']
        self.assertIn("debugger_version:1.0,env:bed,version:2,runtime_id:rid,", path)
        self.assertTrue(path.endswith(",team:a%20b"), path)
        self.assertEqual(headers["dd-evp-origin"], "agent-debugger")
        self.assertIn(b'[{"l":1}]', bodies)
        self.assertEqual(bodies[b"symbols"][1]["dd-evp-origin"], "agent-symdb")
        self.assertTrue(any(b'[{"d":1}]' in body and b"event.json" in body for body in bodies))

    def test_without_a_key_it_is_an_agent_and_a_copy_goes_to_a_file(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "out")
            sender = LiveDebuggerSender(
                DebuggerEndpoint(self.intake.url, timeout=60.0, test_token="t-1"),
                additional_endpoints=[DebuggerEndpoint.for_file(path)],
            )
            self.assertTrue(sender.send(DebuggerType.LOGS, "[1]"))
            # Read before the end, as an application would.
            self.assertEqual(sender.counts.refused, 0)
            sender.close()
            with open(path, encoding="utf-8") as file:
                self.assertEqual(json.load(file), [1])
        (target, headers, _) = self.intake.received[0]
        self.assertTrue(target.startswith("/debugger/v2/input?ddtags="), target)
        self.assertNotIn("dd-evp-origin", headers)
        self.assertEqual(headers["x-datadog-test-session-token"], "t-1")

    def test_refusals_are_exceptions_and_a_closed_sender_takes_nothing(self) -> None:
        with self.assertRaises(DatadogAgentException):
            LiveDebuggerSender(DebuggerEndpoint("no url at all"))
        with self.assertRaisesRegex(DatadogAgentException, "key is empty"):
            LiveDebuggerSender(DebuggerEndpoint(self.intake.url), tags={"": "x"})
        self.assertNotIn(KEY, repr(DebuggerEndpoint.for_site("datadoghq.com", KEY)))
        sender = LiveDebuggerSender(DebuggerEndpoint(self.intake.url))
        self.assertIsNotNone(sender.close())
        self.assertIsNone(sender.close())
        with self.assertRaises(DatadogAgentException):
            sender.send(DebuggerType.LOGS, "[1]")


if __name__ == "__main__":
    unittest.main()
