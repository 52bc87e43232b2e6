"""Real twins with real logs over models of disks: deaths, power cuts, full disks, broken links, over many seeds.

A seed that fails is its own repetition: ``history(seed)`` in `support.treesim`. Seeds that once found something are in
`tree_seeds.txt` and stay there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.treesim import FLIPPED, PLANTED, history

KEPT = [
    int(line.split()[0])
    for line in (Path(__file__).parent / "tree_seeds.txt").read_text().splitlines()
    if line[:1].isdigit()
]
SEEDS = 200


def test_what_was_acknowledged_is_recovered_and_all_agree_in_the_end() -> None:
    failed = {seed: wrong for seed in [*KEPT, *range(SEEDS)] if (wrong := history(seed)) is not None}
    assert failed == {}


def test_they_agree_in_the_end_though_disks_turn_bits_over() -> None:
    failed = {seed: wrong for seed in [*KEPT, *range(100)] if (wrong := history(seed, flips=True)) is not None}
    assert failed == {}


def test_a_seed_gives_the_same_history_again() -> None:
    assert [history(seed, "ack_before_sync") for seed in range(10)] == [
        history(seed, "ack_before_sync") for seed in range(10)
    ]


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_seen_within_a_thousand_seeds(planted: str) -> None:
    flips = planted in FLIPPED
    assert any(history(seed, planted, flips) is not None for seed in range(1000)), f"{planted} shows in no seed"
