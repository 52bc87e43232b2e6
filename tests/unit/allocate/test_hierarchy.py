"""The hierarchy against the monolithic optimum: each bound on its side, few rounds, whatever is lost or permuted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from reference.cuts import ConeLeafSolver, permuted, random_leaf, random_tree, with_demand
from tiertwin.allocate.driver import Hierarchy
from tiertwin.allocate.hierarchy import AllocatorSolver, LeafSide, NodeSide, Query, run
from tiertwin.allocate.kernel import KernelAllocator
from tiertwin.allocate.leaf import LOAD_LIMIT
from tiertwin.allocate.master import Masters
from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.allocate.solvetree import finish, solve_tree
from tiertwin.errors import InputError, SolveError

SLACK = 1e-6  # of S: what the reference itself is uncertain by


def assert_brackets(bounds, reference):
    assert reference.ok, reference.status
    slack = SLACK * reference.scale
    assert bounds.ub >= reference.value - slack
    assert bounds.lb <= reference.bound + slack


def rounds_to(result, gap):
    return next((n for n, r in enumerate(result.rounds, 1) if r.gap <= gap), 99)


# ---------------------------------------------------------------------------------------------- bounds and convergence


@pytest.mark.parametrize(("fan", "seed"), [((6,), 0), ((1,), 1), ((3, 3), 2), ((4, 1), 3), ((2, 2, 2), 4)])
def test_every_bound_is_on_its_side_and_the_committed_plan_is_worth_the_lower_one(fan, seed, masters, solver):
    tree = random_tree(seed, fan, groups=6)
    reference = solve_monolithic(tree)
    result = solve_tree(tree, solver=solver, masters=masters, target_gap=1e-4, max_rounds=9)
    for r in result.rounds:
        assert_brackets(r, reference)
    assert result.bounds.gap <= 1e-3
    assert result.evaluation.violation <= 1e-9
    assert result.evaluation.value >= result.bounds.lb - 1e-9 * result.bounds.scale
    assert result.evaluation.value <= reference.bound + SLACK * reference.scale
    assert result.bounds.certified
    assert result.bounds.standing == "certified"


def test_another_leaf_solver_gives_the_same_bounds(masters):
    tree = random_tree(5, (2, 2), groups=5)
    kernel = solve_tree(tree, solver=AllocatorSolver(KernelAllocator()), masters=masters, max_rounds=4, target_gap=0)
    cones = solve_tree(tree, solver=ConeLeafSolver(), masters=masters, max_rounds=4, target_gap=0)
    for one, other in zip(kernel.rounds, cones.rounds, strict=True):
        assert one.ub == pytest.approx(other.ub, abs=2e-3 * one.scale)
        assert one.lb == pytest.approx(other.lb, abs=2e-3 * one.scale)


@pytest.mark.parametrize("seed", [0, 1])
def test_depth_three_reaches_one_percent_in_four_rounds_and_a_tenth_in_six(seed, masters, solver):
    tree = random_tree(seed, (10, 5))
    reference = solve_monolithic(tree)
    hierarchy = Hierarchy(tree, solver, masters)
    hierarchy.cold()
    cold = finish(hierarchy, target_gap=1e-3)
    for r in cold.rounds:
        assert_brackets(r, reference)
    assert rounds_to(cold, 0.01) <= 4
    assert rounds_to(cold, 0.001) <= 6

    rng = np.random.default_rng(seed)
    moved = with_demand(tree, lambda name, groups: rng.uniform(0.95, 1.05, groups))
    warm = hierarchy.warm(moved)
    assert_brackets(warm, solve_monolithic(moved))
    assert warm.gap <= 0.01


def test_depth_four_reaches_one_percent_in_five_rounds_and_a_tenth_in_eight(masters, solver):
    result = solve_tree(random_tree(0, (3, 3, 4)), solver=solver, masters=masters, target_gap=1e-3, max_rounds=9)
    assert rounds_to(result, 0.01) <= 5
    assert rounds_to(result, 0.001) <= 8


def test_few_slots_cost_rounds_but_not_truth(masters, solver):
    tree = random_tree(6, (3, 3), groups=6)
    reference = solve_monolithic(tree)
    hierarchy = Hierarchy(tree, solver, masters, slots=4)
    hierarchy.cold()
    for _ in range(4):
        assert_brackets(hierarchy.round(), reference)


def test_bounds_within_a_version_only_tighten(masters, solver):
    hierarchy = Hierarchy(random_tree(7, (3, 2), groups=6), solver, masters, slots=5)
    seen = [hierarchy.cold()] + [hierarchy.round() for _ in range(4)]
    assert all(b.ub <= a.ub and b.lb >= a.lb for a, b in pairwise(seen))


# ---------------------------------------------------------------------------------------------- order


def test_the_order_of_children_does_not_matter(masters, solver):
    tree = random_tree(8, (3, 3), groups=6)
    other = permuted(tree, np.random.default_rng(0))
    a, b = (solve_tree(t, solver=solver, masters=masters, target_gap=1e-4, max_rounds=6) for t in (tree, other))
    assert a.bounds.ub == pytest.approx(b.bounds.ub, abs=2e-4 * a.bounds.scale)
    assert a.bounds.lb == pytest.approx(b.bounds.lb, abs=2e-4 * a.bounds.scale)


def test_the_order_of_arrival_changes_nothing_at_all(masters, solver):
    rng = np.random.default_rng(9)
    problems = [random_leaf(rng, 1, 6)[0] for _ in range(4)]
    answers = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        root = NodeSide([f"edge-{i}" for i in range(4)], (3.0, 0.3), None, 1)
        sides = [LeafSide(p, 0, solver) for p in problems]
        said = [side.hello() for side in sides]
        for child in order:
            root.learn(child, said[child])
        root.begin(0)
        bounds = run(root.bounds(), masters)
        queries = run(root.descend(), masters)
        answers.append((bounds.ub, bounds.lb, *[tuple(q.quota) + tuple(q.price) for q in queries]))
    assert answers[0] == answers[1]


def test_two_runs_are_bit_equal_whatever_was_solved_before(solver):
    tree = random_tree(10, (3, 2), groups=5)
    used = Masters()
    solve_tree(random_tree(11, (3, 2), groups=5), solver=solver, masters=used)
    a = solve_tree(tree, solver=solver, masters=used, max_rounds=4)
    b = solve_tree(tree, solver=solver, masters=Masters(), max_rounds=4)
    assert [(r.ub, r.lb) for r in a.rounds] == [(r.ub, r.lb) for r in b.rounds]


# ---------------------------------------------------------------------------------------------- loss and change of data


def test_lost_answers_only_cost_rounds(masters, solver):
    tree = random_tree(12, (3, 3), groups=6)
    reference = solve_monolithic(tree)
    names = [node.name for node in tree.nodes()][1:] + [leaf.name for leaf in tree.leaves()]
    rng = np.random.default_rng(12)
    hierarchy = Hierarchy(tree, solver, masters)
    hierarchy.cold()
    for _ in range(6):
        bounds = hierarchy.round(lost=frozenset(n for n in names if rng.random() < 0.3))
        assert_brackets(bounds, reference)
        assert bounds.certified
    assert bounds.gap <= 0.01


@pytest.mark.parametrize("exact", [True, False])
def test_a_refresh_is_true_for_the_new_data(exact, masters, solver):
    tree = random_tree(13, (3, 3), groups=8)
    hierarchy = Hierarchy(tree, solver, masters)
    hierarchy.cold()
    for _ in range(3):
        hierarchy.round()
    rng = np.random.default_rng(13)
    for growth in (1.0, 1.2, 0.8):
        tree = with_demand(tree, lambda name, groups, g=growth: g * rng.uniform(0.95, 1.05, groups))
        shrunk = replace(tree, compute=(tree.compute[0] * 0.9, tree.compute[1] * 0.9))
        assert_brackets(hierarchy.warm(shrunk, exact=exact), solve_monolithic(shrunk))
        tree = shrunk
    bounds = hierarchy.round()
    assert_brackets(bounds, solve_monolithic(tree))
    result = finish(hierarchy, target_gap=1e-3)
    assert result.evaluation.violation <= 1e-9
    assert result.evaluation.value >= result.bounds.lb - 1e-9 * result.bounds.scale


def test_lost_refreshes_are_stale_and_said_to_be(masters, solver):
    tree = random_tree(14, (3, 3), groups=5)
    hierarchy = Hierarchy(tree, solver, masters)
    assert hierarchy.cold().certified
    moved = with_demand(tree, lambda name, groups: np.full(groups, 1.1))
    one_leaf = hierarchy.warm(moved, lost=frozenset(["cloud.0.1"]))
    assert (one_leaf.stale, one_leaf.certified, one_leaf.standing) == (1, False, "stale(1)")
    one_fog = hierarchy.warm(moved, lost=frozenset(["cloud.1"]))
    assert one_fog.stale == 3
    assert list(one_fog.versions) == [2, 1, 2]
    healed = hierarchy.warm(moved)
    assert healed.certified
    assert_brackets(healed, solve_monolithic(moved))


@pytest.mark.parametrize("growth", [1.03, 0.97])
def test_declared_drift_keeps_bounds_true_when_refreshes_are_lost(growth, masters, solver):
    tree = random_tree(15, (3, 4), groups=6)
    hierarchy = Hierarchy(tree, solver, masters, drift=0.03)
    hierarchy.cold()
    for _ in range(3):
        hierarchy.round()
    rng = np.random.default_rng(15)
    lost = frozenset(leaf.name for leaf in tree.leaves() if rng.random() < 0.5)
    moved = with_demand(tree, lambda name, groups: np.full(groups, growth))
    bounds = hierarchy.warm(moved, lost=lost)
    assert bounds.certified
    assert_brackets(bounds, solve_monolithic(moved))


def test_a_leaf_of_another_shape_starts_over(masters, solver):
    rng = np.random.default_rng(16)
    side = LeafSide(random_leaf(rng, 2, 6)[0], 0, solver)
    side.hello()
    said = side.refresh(random_leaf(rng, 2, 4)[0], 1)
    assert said.version == 1
    assert len(said.phi) == 4
    assert not said.kept


# ---------------------------------------------------------------------------------------------- words at the border


def test_a_query_is_answered_and_never_obeyed(masters, solver):
    tree = random_tree(17, (2, 2), groups=5)
    hierarchy = Hierarchy(tree, solver, masters)
    hierarchy.cold()
    hierarchy.round()
    before = hierarchy.commit()
    side = hierarchy.leaf_sides["cloud.0.0"]
    rng = np.random.default_rng(17)
    for _ in range(20):
        side.answer(Query(quota=rng.uniform(0, 5, 3), price=rng.uniform(0, 5, 3)))
    after = hierarchy.commit()
    assert all(np.array_equal(before[name].x, after[name].x) for name in before)


def test_a_hello_has_the_zero_point_first_and_every_message_at_least_one_cut_and_point(solver):
    problem = random_leaf(np.random.default_rng(18), 2, 6)[0]
    side = LeafSide(problem, 0, solver)
    hello = side.hello()
    assert hello.point_slots[0] == 0
    assert not hello.u[0].any()
    assert hello.v[0] == hello.v0
    assert (hello.rmax == problem.quota_max).all()
    for _ in range(3):  # the same question three times: equal slopes share a slot, and it is said again
        said = side.answer(Query(quota=problem.quota_max, price=np.zeros(3)))
        assert said.cut_slots.size >= 1
        assert said.point_slots.size >= 1


def test_nothing_is_bounded_before_every_child_said_hello(solver):
    root = NodeSide(["edge-a", "edge-b"], (3.0, 0.3), None, 1)
    root.learn(0, LeafSide(random_leaf(np.random.default_rng(19), 1, 4)[0], 0, solver).hello())
    assert root.missing == ["edge-b"]
    with pytest.raises(SolveError, match="hello of edge-b"):
        root.begin(0)


@pytest.mark.parametrize("change", [{"phi": np.nan}, {"g": -1.0}, {"u": np.inf}, {"cut_slots": 99}])
def test_what_cannot_be_true_is_refused_as_a_whole(change, solver):
    root = NodeSide(["edge-a"], (3.0, 0.3), None, 1)
    said = LeafSide(random_leaf(np.random.default_rng(20), 1, 4)[0], 0, solver).hello()
    ((name, value),) = change.items()
    array = getattr(said, name).copy()
    array.flat[0] = value
    with pytest.raises(InputError, match="edge-a"):
        root.learn(0, replace(said, **{name: array}))
    assert root.missing == ["edge-a"]


def test_levels_must_cover_the_own_resources():
    with pytest.raises(InputError, match="levels"):
        NodeSide(["edge-a"], (3.0, 0.3), (10.0, 1.0), 1)


def test_grants_add_up_within_every_capacity(masters, solver):
    tree = random_tree(21, (3, 3), groups=6)
    hierarchy = Hierarchy(tree, solver, masters)
    hierarchy.cold()
    hierarchy.round()
    plan = run(hierarchy.root.commit(), masters)
    assert plan.sum() <= LOAD_LIMIT * tree.compute[0] * (1 + 1e-9)
    for fog, granted in zip(tree.children, plan, strict=True):
        share = run(hierarchy.node_sides[fog.name].commit(granted), masters).sum(axis=0)
        limits = np.array([LOAD_LIMIT * fog.compute[0], LOAD_LIMIT * fog.uplink[0], granted[0]])
        assert (share <= limits * (1 + 1e-9) + 1e-12).all()


def test_a_new_version_replaces_all_that_was_known_and_opens_with_a_hello_or_refresh(masters, solver):
    old = random_leaf(np.random.default_rng(22), 1, 6)[0]
    new = replace(old, demand=old.demand * 0.5)
    root = NodeSide(["edge-a"], (3.0, 0.3), None, 1)
    side = LeafSide(old, 0, solver)
    assert root.learn(0, side.hello())
    for k in range(4):
        assert root.learn(0, side.answer(Query(quota=np.array([0.3 * k + 0.1]), price=np.array([0.5 * k + 0.2]))))
    restarted = LeafSide(new, 3, solver)
    hello = restarted.hello()  # four slots: nothing said for the old data may survive in the others
    answer = restarted.answer(Query(quota=np.array([0.2]), price=np.array([0.3])))
    assert not root.learn(0, answer)
    assert root.learn(0, hello)
    assert root.learn(0, answer)
    assert not root.learn(0, side.answer(Query(quota=np.array([9.0]), price=np.array([0.0]))))
    root.begin(3)
    bounds = run(root.bounds(), masters)
    assert bounds.certified
    tree = random_tree(0, (1,), groups=6)
    same = replace(tree, compute=(3.0, 0.3), children=(replace(tree.children[0], problem=new),))
    assert_brackets(bounds, solve_monolithic(same))
