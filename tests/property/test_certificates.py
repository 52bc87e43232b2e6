"""No wrong certificate, whatever the tree, and whatever is lost or moves: a sample of tests/long/certificates.py."""

from __future__ import annotations

import pytest

from support.hostile_trees import Tally, trial
from tiertwin.allocate.masterkernel import KernelMasters
from tiertwin.allocate.mastersolver import master_solver

TRIALS = 80
BATCHES = 4


@pytest.fixture(scope="module")
def masters():
    return [KernelMasters()]  # nobody behind them: what they refuse goes down the ladder, and bounds must hold


@pytest.mark.parametrize("seed", [10, 1410, 4713])
def test_trials_that_once_failed(seed, masters):
    """10: a node healed within a version; 1410: a quota of 1e-12 of what the leaf could use; 4713: values beyond S."""
    tally = Tally()
    trial(seed, [*masters, master_solver("cvxpy")], tally)
    assert tally.failures == []


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_bound_is_on_the_wrong_side_and_no_plan_breaks_its_promise(batch, masters):
    tally = Tally()
    size = TRIALS // BATCHES
    for seed in range(batch * size, (batch + 1) * size):
        trial(seed, masters, tally)
    assert tally.failures == []
    assert tally.certificates > 3 * size
    assert tally.stale > 0  # some refreshes were lost: nobody said certified
    assert tally.references == 2 * size  # two kinds of four change the data twice
