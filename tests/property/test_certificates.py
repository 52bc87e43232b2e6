"""No wrong certificate, whatever the tree, and whatever is lost or moves: a sample of tests/long/certificates.py."""

from __future__ import annotations

import pytest

from support.hostile_trees import KINDS, Tally, trial
from tiertwin.allocate.master import Masters

TRIALS = 48
BATCHES = 4


@pytest.fixture(scope="module")
def masters():
    return Masters()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_bound_is_on_the_wrong_side_and_no_plan_breaks_its_promise(batch, masters):
    tally = Tally()
    size = TRIALS // BATCHES
    for seed in range(batch * size, (batch + 1) * size):
        trial(seed, masters, tally)
    assert tally.failures == []
    assert tally.certificates > 3 * size
    assert tally.stale > 0  # some refreshes were lost: nobody said certified
    assert tally.references >= size * (1 + 2 * len(KINDS) // 4)
