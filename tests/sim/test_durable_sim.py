"""The log under a model of the disk: power cuts, kills in any call, failing syncs, flipped bits, over many seeds.

A seed that fails is its own repetition: ``history(seed)`` in `support.durablesim`. Seeds that once found something are
in `seeds.txt` and stay there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.durablesim import PLANTED, history

KEPT = [
    int(line.split()[0])
    for line in (Path(__file__).parent / "seeds.txt").read_text().splitlines()
    if line[:1].isdigit()
]
SEEDS = 2000


def test_what_was_acknowledged_is_recovered() -> None:
    failed = {seed: wrong for seed in [*KEPT, *range(SEEDS)] if (wrong := history(seed)) is not None}
    assert failed == {}


def test_damage_is_never_taken_for_a_healthy_log() -> None:
    failed = {seed: wrong for seed in range(500) if (wrong := history(seed, flips=True)) is not None}
    assert failed == {}


def test_a_seed_gives_the_same_history_again() -> None:
    assert [history(seed, "ack_before_sync") for seed in range(20)] == [
        history(seed, "ack_before_sync") for seed in range(20)
    ]


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_seen_within_a_thousand_seeds(planted: str) -> None:
    assert any(history(seed, planted) is not None for seed in range(1000)), f"{planted} shows in no seed"
