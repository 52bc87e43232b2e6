"""Real twins with real logs over models of disks: deaths, power cuts, full disks, broken links, over many seeds.

A seed that fails is its own repetition: ``history(seed)`` in `support.treesim`. Seeds that once found something are in
`tree_seeds.txt` and stay there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.treebugs import FLIPPED, PLANTED
from support.treefaults import CLASSES, SHAPES, active
from support.treesim import History, history
from support.treetell import explain

LINES = (Path(__file__).parent / "tree_seeds.txt").read_text().splitlines()
KEPT = [(int(words[0]), words[1] == "plain") for line in LINES if line[:1].isdigit() and (words := line.split())]
SEEDS = 200


def test_what_was_acknowledged_is_recovered_and_all_agree_in_the_end() -> None:
    runs = [*KEPT, *((seed, False) for seed in range(SEEDS))]
    failed = {run: wrong for run in runs if (wrong := history(run[0], plain=run[1])) is not None}
    assert failed == {}


def test_they_agree_in_the_end_though_disks_turn_bits_over() -> None:
    runs = [*KEPT, *((seed, False) for seed in range(100))]
    failed = {run: wrong for run in runs if (wrong := history(run[0], flips=True, plain=run[1])) is not None}
    assert failed == {}


def test_every_shape_of_tree_and_every_fault_class_is_drawn() -> None:
    drawn = [History(seed).drawn for seed in range(SEEDS)]
    assert {options["shape"].name for options in drawn} == {shape.name for _, shape in SHAPES}
    assert {name for options in drawn for name in active(options)} == set(CLASSES) - {"flips"}
    assert any(options["long"] > 1 for options in drawn)


def test_a_failure_is_told_with_its_options_first_and_its_fewest_faults() -> None:
    seed = next(seed for seed in range(50) if history(seed, "forward_unsynced") is not None)
    lines = explain(seed, "forward_unsynced").splitlines()
    assert lines[0].startswith(f"seed {seed} planted=forward_unsynced")
    assert "shape=" in lines[0]
    assert lines[1].startswith("went wrong: ")
    enough = [name for name in lines[2].partition(": ")[2].split(", ") if name in CLASSES]
    without = frozenset(active(History(seed).drawn)) - frozenset(enough)
    for name in enough:
        assert History(seed, "forward_unsynced", without=without | {name}).run() is None, name
    assert 0 < len(lines) - 5 <= 200


def test_a_paused_twin_hears_of_all_that_came_once_it_goes_on() -> None:
    seed = next(seed for seed in range(100) if _paused(History(seed, traced=True)))
    assert history(seed) is None


def _paused(one: History) -> bool:
    """Whether a pause, of which the last 200 events tell, ended with something to be heard late."""
    one.run()
    return any("goes on" in event and " 0 events" not in event for event in one.events or ())


def test_a_seed_gives_the_same_history_again() -> None:
    assert [history(seed, "ack_before_sync") for seed in range(10)] == [
        history(seed, "ack_before_sync") for seed in range(10)
    ]


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_seen_within_a_thousand_seeds(planted: str) -> None:
    flips = planted in FLIPPED
    assert any(history(seed, planted, flips) is not None for seed in range(1000)), f"{planted} shows in no seed"
