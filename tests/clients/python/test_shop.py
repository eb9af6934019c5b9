"""What CI Visibility looks at: run by `pytest --ddtrace -s`, until standard input ends."""

import sys

from basket import Basket


def test_known():
    assert Basket().add("tea", 3, "hunter2") == 6


def test_new():
    assert Basket().add("tea", 0, "hunter2") == 0


def test_waits():
    sys.stdin.read()
