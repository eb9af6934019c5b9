"""Uses what `ddtrace` does besides traces, until standard input ends.

Profiles, probes, symbols and telemetry are switched on by the environment. Data streams get a
checkpoint each round, and there is one evaluation of LLM observability.
"""

import ddtrace.auto  # noqa: F401  as `ddtrace-run` does

import logging
import sys
import threading

from ddtrace.data_streams import set_consume_checkpoint, set_produce_checkpoint
from ddtrace.llmobs import LLMObs
from ddtrace.trace import tracer

from basket import Basket

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)

ROUND_SECS = 0.1


def spin():
    return sum(number * number for number in range(100_000))


def work(basket, carrier):
    with tracer.trace("work"):
        basket.add("tea", 3, "hunter2")
        spin()
        set_produce_checkpoint("kafka", "orders", carrier.__setitem__)
        set_consume_checkpoint("kafka", "orders", carrier.get)


def evaluate():
    LLMObs.enable(ml_app="shop-ml", agentless_enabled=False, integrations_enabled=False)
    with LLMObs.workflow(name="ask") as span:
        LLMObs.annotate(input_data="question", output_data="answer")
        exported = LLMObs.export_span(span)
    LLMObs.submit_evaluation(
        span=exported, label="helpful", metric_type="score", value=0.5, ml_app="shop-ml"
    )
    LLMObs.flush()


def main():
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    basket, carrier = Basket(), {}
    evaluate()
    while not ended.wait(ROUND_SECS):
        work(basket, carrier)


main()
