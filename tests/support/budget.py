"""How much a random test may try: all of it before a change lands, a tenth while one works."""

import pytest
from hypothesis import settings

random_runs = pytest.mark.timeout(0)
"""Marks a test that drives a random machine itself: no time-out, as for every property."""


def budget(full: int) -> int:
    """How many examples, runs or rounds to try.

    Args:
        full: As many as in the profile `full` (see tests/conftest.py).
    """
    return full if settings().max_examples >= 100 else max(10, full // 10)
