"""Sends the plan on standard input with the `datadog` package, then says how many calls it made.

Aggregation, buffering and telemetry are on, origin detection is left at its default.
"""

import json
import sys

from datadog.dogstatsd.base import DogStatsd

SCHEMES = {"uds": "unixgram://", "uds-stream": "unixstream://"}


def connect(target):
    options = {
        "disable_aggregation": False,
        "disable_buffering": False,
        "disable_telemetry": False,
        # Telemetry leaves with the next packet instead of after ten seconds.
        "telemetry_min_flush_interval": 0,
    }
    if target["transport"] == "udp":
        host, port = target["address"].rsplit(":", 1)
        return DogStatsd(host=host, port=int(port), **options)
    return DogStatsd(socket_path=SCHEMES[target["transport"]] + target["address"], **options)


def make(statsd, call):
    kind, tags = call["kind"], call["tags"]
    if kind == "count":
        statsd.increment(call["name"], call["value"], tags=tags)
    elif kind == "gauge":
        statsd.gauge(call["name"], call["value"], tags=tags)
    elif kind == "histogram":
        statsd.histogram(call["name"], call["value"], tags=tags)
    elif kind == "distribution":
        statsd.distribution(call["name"], call["value"], tags=tags)
    elif kind == "timing":
        statsd.timing(call["name"], call["value"], tags=tags)
    elif kind == "set":
        statsd.set(call["name"], call["member"], tags=tags)
    elif kind == "event":
        statsd.event(
            call["title"],
            call["text"],
            alert_type=call["alert_type"],
            aggregation_key=call["aggregation_key"],
            source_type_name=call["source_type_name"],
            priority=call["priority"],
            tags=tags,
        )
    elif kind == "check":
        statsd.service_check(call["name"], call["status"], tags=tags, message=call["message"])
    else:
        raise ValueError("no such call: " + kind)


def main():
    plan = json.load(sys.stdin)
    statsd = connect(plan["target"])
    for call in plan["calls"]:
        make(statsd, call)
    statsd.flush()
    statsd.stop()
    json.dump({"calls": len(plan["calls"]), "tags": []}, sys.stdout)


main()
