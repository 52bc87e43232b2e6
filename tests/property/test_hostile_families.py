"""Hostile slices, reservations and clusters: no wrong certificate, no violation, a reason for every refusal.

Some hundred of what tests/long/hostile_families.py does by the thousand.
"""

from __future__ import annotations

from collections import Counter

import pytest

from support.hostile_families import try_one


@pytest.mark.parametrize(("family", "count"), [("slices", 200), ("reservation", 40), ("spectrum", 60)])
def test_hostile_instances_are_answered_truly(family: str, count: int) -> None:
    found: Counter[str] = Counter()
    wrong = [(seed, line) for seed in range(count) for line in try_one(family, seed, found)]
    assert wrong == []
    assert found["gap <= 1e-3"] > count / 3
    if family == "slices":
        assert found["refused"] > count / 4
        assert found["admitted"] > 0
