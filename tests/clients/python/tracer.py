"""Makes the traces of the plan on standard input with `ddtrace`, then says their ids.

`sqlite3` and `redis` are traced by their integrations; the Redis server is in this process.
"""

import json
import logging
import socketserver
import sqlite3
import sys
import threading
import time

import redis
from ddtrace import patch
from ddtrace.trace import TraceFilter, tracer

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


class Collect(TraceFilter):
    """Remembers the spans of every trace in the order they were started."""

    def __init__(self):
        self.traces = {}

    def process_trace(self, trace):
        self.traces.setdefault(trace[0].trace_id, []).extend(trace)
        return trace


class RedisServer(socketserver.StreamRequestHandler):
    """Says OK to every command."""

    def handle(self):
        while head := self.rfile.readline():
            for _ in range(int(head[1:])):
                self.rfile.readline()
                self.rfile.readline()
            self.wfile.write(b"+OK\r\n")


class Libraries:
    def __init__(self):
        patch(sqlite3=True, redis=True)
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), RedisServer)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.redis = redis.Redis(port=server.server_address[1], protocol=2)
        self.sqlite = sqlite3.connect(":memory:")

    def call(self, library, statement):
        if library == "sql":
            self.sqlite.execute(statement).fetchall()
        else:
            self.redis.execute_command(*statement.split(" "))


def make_span(planned, parent, made):
    span = tracer.start_span(
        planned["name"],
        child_of=parent,
        service=planned["service"],
        resource=planned["resource"],
        span_type=planned["type"] or None,
        activate=True,
    )
    for key, value in planned["meta"].items():
        span.set_tag(key, value)
    for key, value in planned["metrics"].items():
        span.set_metric(key, value)
    for link in planned["links"]:
        target = made[link["trace"]][link["span"]]
        span.set_link(target.trace_id, target.span_id, attributes=link["attributes"])
    for event in planned["events"]:
        span._add_event(event["name"], event["attributes"])
    if error := planned["error"]:
        span.error = 1
        span.set_tag("error.type", error["type"])
        span.set_tag("error.message", error["message"])
    return span


def make_trace(planned, made, libraries):
    spans = []
    for index, span in enumerate(planned["spans"]):
        parent = None if span["parent"] is None else spans[span["parent"]]
        if span["library"]:
            libraries.call(span["library"], span["resource"])
            continue
        spans.append(make_span(span, parent, made))
        if index == 0 and planned["decision"] != "auto":
            spans[0].set_tag("manual." + planned["decision"])
    for span in reversed(spans):
        span.finish()
    return spans


def main():
    plan = json.load(sys.stdin)
    collect = Collect()
    tracer.configure(trace_processors=[collect])
    libraries = Libraries()
    made = []
    for planned in plan["traces"]:
        made.append(make_trace(planned, made, libraries))
    time.sleep(plan["linger_ms"] / 1000)
    tracer.shutdown()
    report = []
    for trace in made:
        ids = [str(span.span_id) for span in collect.traces[trace[0].trace_id]]
        report.append({"trace_id": "%032x" % trace[0].trace_id, "span_ids": ids})
    json.dump({"traces": report}, sys.stdout)


main()
