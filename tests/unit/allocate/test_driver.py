"""Driving a whole tree in one process: rounds, what travels, when it stops, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reference.cuts import random_tree
from tiertwin.allocate.driver import Hierarchy
from tiertwin.allocate.solvetree import solve_tree
from tiertwin.allocate.trees import evaluate
from tiertwin.errors import InputError


def test_it_stops_at_the_target_or_at_the_last_round(masters, solver):
    tree = random_tree(0, (3, 2), groups=5)
    loose = solve_tree(tree, solver=solver, masters=masters, target_gap=0.05)
    assert loose.rounds[-1].gap <= 0.05
    assert all(r.gap > 0.05 for r in loose.rounds[:-1])
    short = solve_tree(tree, solver=solver, masters=masters, target_gap=0.0, max_rounds=2)
    assert len(short.rounds) == 2


def test_the_result_is_in_roster_order_and_valued_by_the_one_formula(masters, solver):
    tree = random_tree(1, (2, 3), groups=5)
    result = solve_tree(tree, solver=solver, masters=masters)
    assert list(result.allocation) == [leaf.name for leaf in tree.leaves()]
    assert result.evaluation == evaluate(tree, result.allocation)
    assert result.bounds.v0 <= result.bounds.lb <= result.bounds.ub


def test_numbers_on_the_links(masters, solver):
    """Depth 3: hello 4 cuts and 4 points a child, then 2 J + 1 down and 2 cuts, 2 points up."""
    tree = random_tree(2, (2, 3), groups=5)
    result = solve_tree(tree, solver=solver, masters=masters, target_gap=0.0, max_rounds=2)
    hello, first = result.rounds
    leaf, fog = 3 * 2, 2  # links
    assert (hello.floats_down, hello.floats_up) == (0, leaf * 4 * (4 + 5) + fog * 4 * (2 + 3))
    assert first.floats_down == leaf * (2 * 3 + 1) + fog * (2 * 1 + 1)
    assert first.floats_up <= leaf * 2 * (4 + 5) + fog * 2 * (2 + 3)


def test_a_single_leaf_and_a_chain_of_nodes_are_trees_too(masters, solver):
    for fan in ((1,), (1, 1), (1, 1, 1)):
        result = solve_tree(random_tree(3, fan, groups=4), solver=solver, masters=masters, max_rounds=6)
        assert result.bounds.gap <= 0.01
        assert result.evaluation.violation <= 1e-9


def test_nothing_to_gain_is_no_gap(masters, solver):
    """With every node dead the fallback plan is the optimum, and both gaps are 0 instead of 0/0."""
    tree = random_tree(4, (2,), groups=4)
    dead = replace(tree, compute=(0.0, 0.0))
    result = solve_tree(dead, solver=solver, masters=masters)
    assert result.bounds.gap <= 1e-6
    assert result.bounds.gap_of_improvement <= 1.0
    assert result.evaluation.value == pytest.approx(result.bounds.v0, abs=1e-6 * result.bounds.scale)


def test_names_are_distinct(masters, solver):
    tree = random_tree(5, (2,), groups=4)
    twice = replace(tree, children=(tree.children[0], tree.children[0]))
    with pytest.raises(InputError, match="distinct"):
        Hierarchy(twice, solver, masters)


def test_an_overdrawn_allocation_is_seen(masters, solver):
    tree = random_tree(6, (2, 2), groups=4)
    x = {leaf.name: np.zeros((4, 4)) for leaf in tree.leaves()}
    for leaf in tree.leaves():
        x[leaf.name][:, 3] = leaf.problem.demand
    assert evaluate(tree, x).violation > 0.1
