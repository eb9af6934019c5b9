"""What is handed over arrives: over sockets, in-process, from a forked child, at exit."""

import json
import os
import socket
import subprocess
import sys
import urllib.request

from datadog_agent_native import NativeAgent, OperationalMode, OtlpSignal
from intake import (
    INGEST_PORTS,
    LOGS_ON,
    AgentTest,
    log_entries,
    logs_of,
    otlp_count,
    otlp_log,
    otlp_span,
    settings_for,
    spans_of,
    total_of,
    trace_payload,
)

#: Seconds for a flush on a machine that is busy with other tests.
FLUSH_SECS = 60.0


class DeliveryTest(AgentTest):
    def test_metrics_over_udp_and_in_process_arrive(self) -> None:
        with NativeAgent(self.config()) as agent:
            assert agent.dogstatsd_port is not None
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(
                    b"bindings.python.udp:3|c", ("127.0.0.1", agent.dogstatsd_port)
                )
            agent.submit_dogstatsd("bindings.python.process:4|c\nbindings.python.process:5|c")
            agent.submit_dogstatsd(bytearray("bindings.python.process:1|c|#t:é".encode()))
            agent.flush(FLUSH_SECS)
            self.assertEqual(total_of("bindings.python.process"), 10)
        self.assertEqual(total_of("bindings.python.udp"), 3)

    def test_traces_over_tcp_and_in_process_arrive(self) -> None:
        with NativeAgent(self.config()) as agent:
            payload = trace_payload("bindings-python", "tcp")
            request = urllib.request.Request(
                f"{agent.trace_url}/v0.4/traces",
                data=payload,
                headers={"Content-Type": "application/msgpack", "X-Datadog-Trace-Count": "1"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.assertEqual(answer.status, 200)
            agent.submit_traces(trace_payload("bindings-python", "process"))
            agent.flush(FLUSH_SECS)
            names = [span["name"] for span in spans_of("bindings-python")]
        self.assertEqual(sorted(names), ["process", "tcp"])

    def test_logs_over_http_and_in_process_arrive(self) -> None:
        service = "bindings-python"
        with NativeAgent(self.config(settings=dict(LOGS_ON, **INGEST_PORTS))) as agent:
            body = log_entries(service, "http").encode()
            self.assertEqual(post(f"{agent.logs_url}/v1/input", "application/json", body), b"ok")
            agent.submit_logs(log_entries(service, "text"))
            agent.submit_logs(memoryview(log_entries(service, "octets").encode()))
            agent.flush(FLUSH_SECS)
            logs = sorted(logs_of(service), key=lambda log: str(log["message"]))
        self.assertEqual([log["message"] for log in logs], ["http", "octets", "text"])
        for log in logs:
            self.assertEqual((log["status"], log["tags"]), ("warn", ["t:é"]))

    def test_otlp_over_http_and_in_process_arrives(self) -> None:
        service = "bindings-python-otlp"
        with NativeAgent(self.config(settings=dict(LOGS_ON, **INGEST_PORTS))) as agent:
            body = otlp_count(service, "bindings.python.otlp_http", 2.0)
            post(f"{agent.otlp_http_url}/v1/metrics", "application/x-protobuf", body)
            agent.submit_otlp(OtlpSignal.TRACES, otlp_span(service, "otlp"))
            count = otlp_count(service, "bindings.python.otlp", 4.0)
            agent.submit_otlp(OtlpSignal.METRICS, bytearray(count))
            agent.submit_otlp(OtlpSignal.LOGS, otlp_log(service, "otlp"))
            agent.flush(FLUSH_SECS)
            self.assertEqual([span["resource"] for span in spans_of(service)], ["otlp"])
            self.assertEqual(total_of("bindings.python.otlp_http"), 2)
            self.assertEqual(total_of("bindings.python.otlp"), 4)
            (log,) = logs_of(service)
        self.assertEqual(json.loads(log["message"])["message"], "otlp")
        self.assertEqual((log["status"], log["source"]), ("error", "otlp_log_ingestion"))

    def test_unix_sockets_take_the_place_of_ports(self) -> None:
        mode = OperationalMode.HTTP_UDS
        with NativeAgent(self.config(operational_mode=mode)) as agent:
            self.assertIsNone(agent.bound_port)
            path = agent.uds_path
            assert path is not None
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(path)
                client.sendall(b"GET /info HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                self.assertIn(b" 200 ", client.recv(4096))
        self.assertFalse(os.path.exists(path))

    def test_a_stop_delivers_what_is_left(self) -> None:
        agent = NativeAgent(self.config())
        agent.submit_dogstatsd("bindings.python.stop:7|c")
        agent.stop(FLUSH_SECS)
        self.assertEqual(total_of("bindings.python.stop"), 7)

    def test_two_agents_in_one_process_keep_apart(self) -> None:
        with NativeAgent(self.config()) as first, NativeAgent(self.config()) as second:
            self.assertNotEqual(first.bound_port, second.bound_port)
            first.submit_dogstatsd("bindings.python.two:1|c")
            second.submit_dogstatsd("bindings.python.two:2|c")
        self.assertEqual(total_of("bindings.python.two"), 3)

    def test_a_process_that_ends_without_a_stop_delivers(self) -> None:
        ended = run_program(
            "config.log_level = LogLevel.DEBUG\n"
            "set_log_callback(lambda level, text: None)\n"
            "agent = NativeAgent(config)\n"
            "agent.submit_dogstatsd('bindings.python.exit:5|c')\n",
            self.directory,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(total_of("bindings.python.exit"), 5)

    def test_a_forked_child_starts_its_own_agent(self) -> None:
        ended = run_program(
            "parent = NativeAgent(config)\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    try:\n"
            "        parent.submit_dogstatsd('bindings.python.wrong:1|c')\n"
            "        os._exit(1)\n"
            "    except DatadogAgentException as error:\n"
            "        if error.code != DatadogError.NOT_AVAILABLE:\n"
            "            os._exit(2)\n"
            "    parent.stop()\n"
            "    del parent\n"
            "    config.settings['hostname'] = 'child'\n"
            "    with NativeAgent(config) as own:\n"
            "        own.submit_dogstatsd('bindings.python.child:6|c')\n"
            "    os._exit(0)\n"
            "_, status = os.waitpid(child, 0)\n"
            "parent.submit_dogstatsd('bindings.python.parent:8|c')\n"
            "parent.stop(60)\n"
            "sys.exit(os.waitstatus_to_exitcode(status))\n",
            self.directory,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(total_of("bindings.python.child"), 6)
        self.assertEqual(total_of("bindings.python.parent"), 8)
        self.assertEqual(total_of("bindings.python.wrong"), 0)


def post(url: str, media: str, body: bytes) -> bytes:
    """The answer of a listener; an error is raised."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": media})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def run_program(body: str, directory: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of its own with a configuration for the intake."""
    head = (
        "import os, sys\n"
        "from datadog_agent_native import *\n"
        f"config = DatadogAgentConfig(api_key='{'0' * 32}', dogstatsd_enabled=True,\n"
        f"    remote_config_enabled=False, settings={settings_for(directory)!r})\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + body], capture_output=True, text=True, timeout=300
    )
