"""How many policies run side by side."""

from __future__ import annotations

import pytest

from tiertwin.cli.run import with_jobs
from tiertwin.errors import InputError
from tiertwin.runtime.api import Tree

TREE = Tree(solvers=1)


def test_jobs_go_to_the_tree_that_is_there() -> None:
    assert with_jobs(TREE, 3, False, ()) == Tree(solvers=1, jobs=3)
    assert with_jobs(TREE, None, False, ()) == TREE


def test_policies_without_a_tree_have_processes_too() -> None:
    assert with_jobs(None, None, False, ("static", "nearest")) == Tree()
    assert with_jobs(None, 1, False, ("static", "nearest")) == Tree(jobs=1)


def test_alone_or_in_this_process_there_is_nothing_to_share() -> None:
    assert with_jobs(None, None, True, ()) is None
    assert with_jobs(None, 1, True, ()) is None
    assert with_jobs(None, None, False, ("static",)) is None
    assert with_jobs(TREE, None, False, ("hierarchical",)) is TREE


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InputError, match="--jobs: expected at least 1, got 0"):
        with_jobs(TREE, 0, False, ())
    with pytest.raises(InputError, match="--jobs 2: nothing runs side by side here .*--in-process"):
        with_jobs(None, 2, True, ())
    with pytest.raises(InputError, match="only static is to run"):
        with_jobs(None, 2, False, ("static",))
