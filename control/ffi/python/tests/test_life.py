"""Start, stop, misuse: nothing is left behind, and errors are exceptions."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
from typing import Callable, Dict, List, Tuple
from urllib.parse import urlsplit

import datadog_agent_native
from datadog_agent_native import (
    DatadogAgentConfig,
    DatadogAgentException,
    DatadogError,
    Endpoint,
    LogLevel,
    NativeAgent,
    OperationalMode,
    OtlpSignal,
    ShutdownReason,
    TraceFormat,
)
from intake import INGEST_PORTS, LOGS_ON, AgentTest, settings_for

#: Starts and stops in which a leak must not show.
CYCLES = int(os.environ.get("CORELANE_TEST_CYCLES", "100"))
WAIT_S_MAX = 60


class LifeTest(AgentTest):
    def test_what_runs_is_told(self) -> None:
        with NativeAgent(self.config()) as agent:
            self.assertRegex(agent.version, r"^\d+\.\d+\.\d+")
            self.assertEqual(agent.trace_url, f"http://127.0.0.1:{agent.bound_port}")
            self.assertEqual(agent.dogstatsd_url, f"udp://127.0.0.1:{agent.dogstatsd_port}")
            self.assertIsNone(agent.uds_path)
            for url in (agent.logs_url, agent.otlp_http_url, agent.otlp_grpc_url):
                self.assertIsNone(url)
            self.assertIsInstance(agent.counters(), dict)
            self.assertIn("running", repr(agent))

    def test_listeners_of_logs_and_otlp_are_told(self) -> None:
        with NativeAgent(self.config(settings=dict(LOGS_ON, **INGEST_PORTS))) as agent:
            urls = [agent.logs_url, agent.otlp_http_url, agent.otlp_grpc_url]
            kinds = (Endpoint.LOGS, Endpoint.OTLP_HTTP, Endpoint.OTLP_GRPC)
            self.assertEqual(urls, [agent.endpoint(kind) for kind in kinds])
            for url in urls:
                assert url is not None
                self.assertRegex(url, r"^http://127\.0\.0\.1:\d+$")
                address = urlsplit(url)
                socket.create_connection((address.hostname, address.port), 60).close()
            self.assertEqual(len(set(urls)), 3)

    def test_without_dogstatsd_there_is_no_port(self) -> None:
        with NativeAgent(self.config(dogstatsd_enabled=False)) as agent:
            self.assertIsNone(agent.dogstatsd_port)

    def test_a_port_of_ones_own_is_taken_and_then_busy(self) -> None:
        with NativeAgent(self.config()) as first:
            port = first.bound_port
            with self.assertRaises(DatadogAgentException) as raised:
                mode = OperationalMode.HTTP_FIXED_PORT
                NativeAgent(self.config(operational_mode=mode, trace_agent_port=port))
            self.assertEqual(raised.exception.code, DatadogError.STARTUP_ERROR)
            self.assertIn(str(port), str(raised.exception))

    def test_what_cannot_start_says_why(self) -> None:
        with self.assertRaises(ValueError):
            NativeAgent(None)  # type: ignore[arg-type]
        with self.assertRaises(DatadogAgentException) as raised:
            NativeAgent(self.config(api_key=None))
        self.assertEqual(raised.exception.code, DatadogError.CONFIG_ERROR)
        with self.assertRaises(DatadogAgentException) as raised:
            NativeAgent(self.config(settings={"no.such.key": "1"}))
        self.assertEqual(raised.exception.code, DatadogError.CONFIG_ERROR)
        self.assertIn("no.such.key", str(raised.exception))
        with self.assertRaises(DatadogAgentException) as raised:
            NativeAgent(self.config(service="a\0b"))
        self.assertEqual(raised.exception.code, DatadogError.INVALID_STRING)
        with self.assertRaises(DatadogAgentException) as raised:
            NativeAgent(self.config(config_file=os.path.join(self.directory, "absent.yaml")))
        self.assertEqual(raised.exception.code, DatadogError.CONFIG_ERROR)

    def test_after_a_stop_calls_are_refused(self) -> None:
        agent = NativeAgent(self.config())
        agent.stop()
        agent.stop()
        agent.request_stop()
        for call in (
            lambda: agent.submit_dogstatsd("a:1|c"),
            lambda: agent.submit_traces(b"\x90"),
            lambda: agent.submit_logs("[]"),
            lambda: agent.submit_otlp(OtlpSignal.METRICS, b"\n\0"),
            agent.flush,
            agent.counters,
            agent.wait_for_shutdown,
            lambda: agent.trace_url,
            lambda: agent.logs_url,
            agent.__enter__,
        ):
            with self.assertRaises(DatadogAgentException) as raised:
                call()
            self.assertEqual(raised.exception.code, DatadogError.NOT_AVAILABLE)

    def test_what_the_library_does_not_take_is_refused(self) -> None:
        with NativeAgent(self.config()) as agent:
            with self.assertRaises(DatadogAgentException) as raised:
                agent.submit_dogstatsd("")
            self.assertEqual(raised.exception.code, DatadogError.INVALID_DATA_FORMAT)
            with self.assertRaises(DatadogAgentException) as raised:
                agent.submit_traces(b"\x90", TraceFormat.V1)
            self.assertEqual(raised.exception.code, DatadogError.INVALID_DATA_FORMAT)
        with NativeAgent(self.config(settings=LOGS_ON)) as agent:
            with self.assertRaises(DatadogAgentException) as raised:
                agent.submit_logs("plain text")
            self.assertEqual(raised.exception.code, DatadogError.INVALID_DATA_FORMAT)
            for signal in OtlpSignal:
                with self.assertRaises(DatadogAgentException) as raised:
                    agent.submit_otlp(signal, b"no protobuf")
                self.assertEqual(raised.exception.code, DatadogError.INVALID_DATA_FORMAT)
            with self.assertRaises(ValueError):
                agent.submit_otlp(1, b"\n\0")  # type: ignore[arg-type]

    def test_what_is_off_is_not_available(self) -> None:
        settings = {"otlp_config.traces.enabled": False, "otlp_config.metrics.enabled": False}
        with NativeAgent(self.config(settings=settings)) as agent:
            calls: Dict[str, Callable[[], None]] = {
                "logs_enabled": lambda: agent.submit_logs("[]"),
                "traces.enabled": lambda: agent.submit_otlp(OtlpSignal.TRACES, b"\n\0"),
                "metrics.enabled": lambda: agent.submit_otlp(OtlpSignal.METRICS, b"\n\0"),
                "logs.enabled": lambda: agent.submit_otlp(OtlpSignal.LOGS, b"\n\0"),
            }
            for key, call in calls.items():
                with self.assertRaises(DatadogAgentException) as raised:
                    call()
                self.assertEqual(raised.exception.code, DatadogError.NOT_AVAILABLE)
                self.assertIn(key, str(raised.exception))

    def test_a_wait_ends_by_request_and_by_timeout(self) -> None:
        with NativeAgent(self.config()) as agent:
            with self.assertRaises(TimeoutError):
                agent.wait_for_shutdown(0.01)
            reasons: List[ShutdownReason] = []
            waiting = threading.Thread(target=lambda: reasons.append(agent.wait_for_shutdown()))
            waiting.start()
            agent.request_stop()
            waiting.join(60)
            self.assertEqual(reasons, [ShutdownReason.GRACEFUL_SHUTDOWN])

    def test_signals_end_a_wait(self) -> None:
        for number, reason in (("SIGINT", "USER_INTERRUPT"), ("SIGTERM", "GRACEFUL_SHUTDOWN")):
            program = (
                "import faulthandler, os, signal, threading, time\n"
                "from datadog_agent_native import *\n"
                # A shell may have left it ignored.
                "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                # A program that hangs tells where.
                f"faulthandler.dump_traceback_later({WAIT_S_MAX}, exit=True)\n"
                f"config = DatadogAgentConfig(api_key='{'0' * 32}', remote_config_enabled=False,\n"
                f"    settings={settings_for(self.directory)!r})\n"
                "def interrupt():\n"
                "    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:\n"
                "        time.sleep(0.005)\n"
                f"    os.kill(os.getpid(), signal.{number})\n"
                "threading.Thread(target=interrupt, daemon=True).start()\n"
                "with NativeAgent(config) as agent:\n"
                "    print(agent.wait_for_shutdown().name)\n"
                "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
            )
            ended = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
            )
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual(ended.stdout, f"{reason}\n")

    def test_many_starts_and_stops_leave_nothing(self) -> None:
        for _ in range(3):
            NativeAgent(self.config()).stop()
        before = held()
        for _ in range(CYCLES):
            with NativeAgent(self.config()) as agent:
                agent.submit_dogstatsd("bindings.python.cycles:1|c")
        gc.collect()
        self.assert_becomes_at_most(before)

    def test_a_forgotten_agent_is_stopped_when_collected(self) -> None:
        NativeAgent(self.config()).stop()
        before = held()
        agent = NativeAgent(self.config())
        self.assertNotEqual(held(), before)
        del agent
        gc.collect()
        self.assert_becomes_at_most(before)

    def test_logs_reach_a_callback(self) -> None:
        lines: List[Tuple[LogLevel, str]] = []
        datadog_agent_native.set_log_callback(lambda level, text: lines.append((level, text)))
        try:
            NativeAgent(self.config(log_level=LogLevel.DEBUG)).stop()
        finally:
            datadog_agent_native.set_log_callback(None)
        self.assertTrue(lines)
        self.assertTrue(all(text for _, text in lines))
        count = len(lines)
        NativeAgent(self.config()).stop()
        self.assertEqual(len(lines), count)

    def test_the_instance_of_the_process(self) -> None:
        self.assertIsNone(datadog_agent_native.create_instance(DatadogAgentConfig()))
        with self.assertRaises(DatadogAgentException):
            datadog_agent_native.get_instance()
        agent = datadog_agent_native.create_instance(self.config())
        assert agent is not None
        self.addCleanup(agent.stop)
        self.assertIs(datadog_agent_native.get_instance(), agent)
        self.assertIs(datadog_agent_native.create_instance(self.config()), agent)

    def test_a_library_that_is_not_there_is_named(self) -> None:
        program = "from datadog_agent_native import *\nNativeAgent(DatadogAgentConfig())\n"
        variable = datadog_agent_native.LIBRARY_PATH_VARIABLE
        environment = dict(os.environ, **{variable: self.directory})
        ended = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
        self.assertEqual(ended.returncode, 1)
        self.assertIn("DatadogAgentException: cannot load", ended.stderr)
        self.assertIn(self.directory, ended.stderr)

    def assert_becomes_at_most(self, before: Tuple[int, int]) -> None:
        """Waits for what is held to go: the kernel lists a thread that was joined a little longer."""
        end = time.monotonic() + WAIT_S_MAX
        while any(now > then for now, then in zip(held(), before)) and time.monotonic() < end:
            time.sleep(0.005)
        for now, then in zip(held(), before):
            self.assertLessEqual(now, then)


def held() -> Tuple[int, int]:
    """Threads and file descriptors of this process."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


if __name__ == "__main__":
    unittest.main()
