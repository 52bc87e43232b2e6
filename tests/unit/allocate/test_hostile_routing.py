"""300 hostile routing instances; 10 000 more in tests/long/hostile_routing.py."""

from __future__ import annotations

import pytest

from support.hostile_routing import against_highs, check

BLOCK = 50


@pytest.mark.parametrize("first", range(0, 300, BLOCK))
def test_hostile_instances_are_answered_or_refused_by_name(first: int) -> None:
    came = [check(seed)[0] for seed in range(first, first + BLOCK)]
    assert came.count("answered") >= BLOCK // 2
    assert came.count("refused") >= BLOCK // 5


def test_certificates_hold_against_highs() -> None:
    assert sum(against_highs(seed) for seed in range(150)) >= 25
