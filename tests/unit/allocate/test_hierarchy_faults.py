"""What a tree may ask, lose, hear late; who may join and leave; when silence is covered: the bounds hold throughout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reference.cuts import random_leaf, random_tree, with_demand
from tiertwin.allocate.driver import Faults, Hierarchy
from tiertwin.allocate.hierarchy import SCHEMES, AllocatorSolver, LeafSide, NodeSide, Query
from tiertwin.allocate.kernel import KernelAllocator
from tiertwin.allocate.membership import register_leaf, register_node
from tiertwin.allocate.messages import ANY_VERSION
from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.allocate.nodemath import OFFERED, offers
from tiertwin.allocate.solvetree import finish, solve_tree
from tiertwin.allocate.trees import Leaf, evaluate
from tiertwin.errors import InputError

SLACK = 1e-6
SOLVER = AllocatorSolver(KernelAllocator())


def assert_brackets(bounds, tree):
    reference = solve_monolithic(tree)
    assert reference.ok, reference.status
    slack = SLACK * reference.scale
    assert bounds.ub >= reference.value - slack
    assert bounds.lb <= reference.bound + slack


def names_below(tree):
    return [node.name for node in tree.nodes()][1:] + [leaf.name for leaf in tree.leaves()]


def some(rng, names, share):
    return frozenset(name for name in names if rng.random() < share)


# ---------------------------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("offered", [False, True])
@pytest.mark.parametrize("fan", [(6,), (3, 3), (2, 2, 2)])
def test_every_scheme_brackets_the_optimum_and_closes(scheme, offered, fan, masters):
    tree = random_tree(31, fan, groups=6)
    done = solve_tree(tree, solver=SOLVER, masters=masters, max_rounds=9, scheme=scheme, offers=offered)
    reference = solve_monolithic(tree)
    for r in done.rounds:
        assert r.ub >= reference.value - SLACK * reference.scale
        assert r.lb <= reference.bound + SLACK * reference.scale
    assert done.bounds.gap <= 1e-3
    report = done.report(reference.value)
    assert -1e-6 <= report["regret"] <= report["true_gap"] + 1e-6 <= report["certified_gap"] + 2e-6
    assert report["bytes_up"] == [8 * r.floats_up for r in done.rounds]
    assert report["rounds"] == len(done.rounds)


def test_what_each_scheme_puts_on_the_links(masters):
    """Down from the parent of leaves: 2 J + 1, J + 1 and 3 J + 1 numbers; up 2, 1 and 3 cuts and points at most."""
    tree = random_tree(32, (2, 3), groups=5)
    leaves, levels, fogs = 6, 3, 2
    for scheme, down, most in (("two-sided", 2 * levels, 2), ("lean", levels, 1), ("bracket", 3 * levels, 3)):
        done = solve_tree(tree, solver=SOLVER, masters=masters, target_gap=0.0, max_rounds=2, scheme=scheme)
        first = done.rounds[1]
        assert first.floats_down == leaves * (down + 1) + fogs * (2 + 1)
        assert first.floats_up <= leaves * most * (2 * levels + 3) + fogs * 2 * (2 + 3)


def test_a_leaf_asked_at_prices_alone_answers_those(masters):
    problem = random_leaf(np.random.default_rng(33), 2, 6)[0]
    side = LeafSide(problem, 0, SOLVER)
    side.hello()
    price = np.array([0.3, 0.1, 0.2])
    more = np.stack([2 * price, 3 * price])
    said = side.answer(Query(quota=np.zeros(0), price=price, more=more))
    for wanted in (price, 2 * price, 3 * price):
        assert np.abs(said.g - wanted).max(axis=1).min() <= 1e-9


def test_an_unknown_scheme_is_refused(masters):
    with pytest.raises(InputError, match="two-sided"):
        Hierarchy(random_tree(0, (2,), groups=3), SOLVER, masters, scheme="loud")


def test_offers_share_every_capacity_in_proportion_to_what_could_be_used():
    most = np.array([[4.0, 1.0, 0.0], [12.0, 3.0, 0.0]])
    offered = offers(most, np.array([8.0, 2.0]), np.array([5.0]))
    assert offered == pytest.approx(np.array([[0.25, 0.25, 0.0], [0.75, 0.75, 0.0]]) * [8 * OFFERED, 2 * OFFERED, 5.0])


def test_an_offer_saves_rounds(masters):
    tree = random_tree(0, (10, 5))
    plain, offered = (
        solve_tree(tree, solver=SOLVER, masters=masters, target_gap=1e-3, offers=o) for o in (False, True)
    )
    assert offered.rounds[0].gap < plain.rounds[0].gap
    assert len(offered.rounds) <= len(plain.rounds)


# ---------------------------------------------------------------------------------------------- lost, late, unasked


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("seed", [0, 1])
def test_whatever_is_lost_late_or_unasked_costs_rounds_and_never_truth(scheme, seed, masters):
    tree = random_tree(40 + seed, (3, 3), groups=6)
    reference = solve_monolithic(tree)
    names, rng = names_below(tree), np.random.default_rng(seed)
    hierarchy = Hierarchy(tree, SOLVER, masters, scheme=scheme, offers=True)
    hierarchy.cold()
    for _ in range(9):
        faults = Faults(some(rng, names, 0.2), some(rng, names, 0.2), some(rng, names, 0.2))
        bounds = hierarchy.round(faults=faults)
        assert bounds.certified
        assert bounds.ub >= reference.value - SLACK * reference.scale
        assert bounds.lb <= reference.bound + SLACK * reference.scale
    assert bounds.gap <= 0.01


def test_a_late_answer_counts_a_round_later(masters):
    tree = random_tree(42, (4,), groups=6)
    names = frozenset(names_below(tree))
    hierarchy = Hierarchy(tree, SOLVER, masters)
    before = hierarchy.cold()
    waiting = hierarchy.round(faults=Faults(late=names))
    assert waiting.gap == before.gap
    after = hierarchy.round(lost=names)
    assert after.gap < before.gap


def test_a_late_refresh_makes_the_certificate_current_and_an_older_one_is_not_taken(masters):
    tree = random_tree(43, (2, 3), groups=5)
    leaf = next(tree.leaves()).name
    hierarchy = Hierarchy(tree, SOLVER, masters)
    hierarchy.cold()
    moved = with_demand(tree, lambda name, groups: np.full(groups, 1.2))
    assert hierarchy.warm(moved, faults=Faults(late=frozenset([leaf]))).standing == "stale(1)"
    bounds = hierarchy.round()
    assert bounds.certified
    assert_brackets(bounds, moved)
    hierarchy.warm(tree, faults=Faults(late=frozenset([leaf])))
    assert hierarchy.warm(moved, lost=frozenset([leaf])).standing == "stale(1)"  # came one version too late


def test_with_nothing_heard_after_a_hello_the_bounds_stand(masters):
    tree = random_tree(44, (3, 2), groups=5)
    hierarchy = Hierarchy(tree, SOLVER, masters)
    cold = hierarchy.cold()
    silent = hierarchy.round(faults=Faults(unasked=frozenset(names_below(tree))))
    assert (silent.ub, silent.lb) == (cold.ub, cold.lb)


# ---------------------------------------------------------------------------------------------- declared drift


@pytest.mark.parametrize("seed", range(4))
def test_declared_drift_covers_one_version_of_silence_anywhere_and_more_is_stale(seed, masters):
    rng = np.random.default_rng(50 + seed)
    fan = [(3, 3), (5,), (2, 2, 2), (2, 3)][seed]
    tree = random_tree(50 + seed, fan, groups=5)
    eta = 0.04
    hierarchy = Hierarchy(tree, SOLVER, masters, drift=eta)
    hierarchy.cold()
    names, covered = names_below(tree), 0
    for _ in range(6):
        hierarchy.round()
        tree = with_demand(tree, lambda name, groups: rng.uniform(1 - eta, 1 + eta, groups))
        bounds = hierarchy.warm(tree, lost=some(rng, names, 0.25))
        if bounds.certified:
            covered += 1
            assert_brackets(bounds, tree)
    assert covered >= 2


def test_a_child_at_its_worst_has_used_up_what_it_declared(masters):
    tree = random_tree(55, (2, 3), groups=5)
    leaf = tree.children[0].children[0].name
    hierarchy = Hierarchy(tree, SOLVER, masters, drift=0.05)
    hierarchy.cold()
    moved = with_demand(tree, lambda name, groups: np.full(groups, 1.04))
    assert hierarchy.warm(moved, lost=frozenset([leaf])).certified
    again = with_demand(moved, lambda name, groups: np.full(groups, 1.04))
    assert not hierarchy.warm(again, lost=frozenset([leaf])).certified
    fog = tree.children[0].name
    hierarchy.warm(again, lost=frozenset([leaf]))
    assert not hierarchy.warm(again, lost=frozenset([fog])).certified  # its word rested on a silent child


# ---------------------------------------------------------------------------------------------- joining and leaving


def without(tree, name):
    return replace(tree, children=tuple(
        replace(c, children=tuple(d for d in c.children if d.name != name)) if hasattr(c, "children") else c
        for c in tree.children
        if c.name != name
    ))  # fmt: skip


def test_what_a_child_registered_with_holds_for_all_its_data():
    rng = np.random.default_rng(60)
    most = random_leaf(rng, 2, 6, alphas=(0.0, 0.5, 1.0, 2.0))[0]
    said = register_leaf(most)
    assert said.version == ANY_VERSION
    for share in (1.0, 0.7, 0.2, 0.0):
        now = replace(most, demand=most.demand * share * rng.uniform(0.5, 1, 6), capacity=most.capacity * share)
        assert SOLVER.solve_quota(now, np.zeros(3)).value >= said.v[0] - 1e-9 * abs(said.v[0])
        assert SOLVER.solve_quota(now, most.quota_max).value <= said.phi[0] + 1e-9
        assert (now.quota_max <= said.rmax).all()
    both = register_node([said, said], 2)
    assert both.rmax == pytest.approx(2 * said.rmax[2:])
    assert both.v[0] == pytest.approx(2 * said.v[0])
    assert both.leaves == 2


@pytest.mark.parametrize("lost", [False, True])
def test_a_child_that_joins_counts_as_registered_until_it_is_heard(lost, masters):
    whole = random_tree(61, (3, 3), groups=5)
    joins = whole.children[1].children[2].name
    hierarchy = Hierarchy(without(whole, joins), SOLVER, masters)
    hierarchy.cold()
    hierarchy.round()
    bounds = hierarchy.warm(whole, lost=frozenset([joins] if lost else []))
    assert bounds.certified
    assert_brackets(bounds, whole)
    done = finish(hierarchy, target_gap=1e-3)
    assert done.evaluation.violation <= 1e-9
    assert done.evaluation.value >= done.bounds.lb - 1e-9 * done.bounds.scale
    assert done.bounds.gap <= 0.01


def test_a_fog_with_sites_joins_and_its_hello_is_lost(masters):
    whole = random_tree(62, (3, 2), groups=5)
    fog = whole.children[2].name
    hierarchy = Hierarchy(without(whole, fog), SOLVER, masters)
    hierarchy.cold()
    bounds = hierarchy.warm(whole, lost=frozenset([fog]))
    assert bounds.certified
    assert_brackets(bounds, whole)
    assert_brackets(hierarchy.round(), whole)


def test_registration_bounds_a_child_whose_data_move_before_it_is_heard(masters):
    whole = random_tree(63, (4,), groups=5)
    leaf = whole.children[3]
    joins = Leaf(leaf.name, leaf.problem, replace(leaf.problem, demand=3 * leaf.problem.demand))
    whole = replace(whole, children=(*whole.children[:3], joins))
    hierarchy = Hierarchy(without(whole, leaf.name), SOLVER, masters)
    hierarchy.cold()
    hierarchy.warm(whole, lost=frozenset([leaf.name]))
    grown = with_demand(whole, lambda name, groups: np.full(groups, 2.0))
    bounds = hierarchy.warm(grown, lost=frozenset([leaf.name]))
    assert bounds.certified
    assert_brackets(bounds, grown)


def test_what_a_child_that_left_was_granted_is_withheld_until_its_lease_has_lapsed(masters):
    whole = random_tree(64, (3, 3), groups=5)
    leaves = whole.children[0].children[1].name
    rest = without(whole, leaves)
    hierarchy = Hierarchy(whole, SOLVER, masters, lease=2)
    hierarchy.cold()
    finish(hierarchy)
    granted = hierarchy._granted[leaves]
    for _ in range(2):
        bounds = hierarchy.warm(rest)
        assert_brackets(bounds, hierarchy.tree)
        fog, root = hierarchy.tree.children[0], hierarchy.tree
        assert fog.compute[0] == pytest.approx(whole.children[0].compute[0] - granted[0])
        assert fog.uplink[0] == pytest.approx(whole.children[0].uplink[0] - granted[1])
        assert root.compute[0] == pytest.approx(whole.compute[0] - granted[2])
        plan = {name: answer.x for name, answer in hierarchy.commit().items()}
        used = evaluate(rest, plan).loads
        assert used[root.name][0] + granted[2] <= 0.98 * whole.compute[0] + granted[2] * 0.02 + 1e-9
    bounds = hierarchy.warm(rest)
    assert hierarchy.tree is rest
    assert_brackets(bounds, rest)


def test_a_child_may_move_from_one_node_to_another(masters):
    whole = random_tree(65, (2, 3), groups=5)
    first, second = whole.children
    moved = replace(
        whole,
        children=(
            replace(first, children=first.children[:2]),
            replace(second, children=(*second.children, first.children[2])),
        ),
    )
    hierarchy = Hierarchy(whole, SOLVER, masters)
    hierarchy.cold()
    hierarchy.round()
    assert_brackets(hierarchy.warm(moved), hierarchy.tree)
    assert hierarchy.node_sides[second.name].children[-1] == first.children[2].name


def test_another_root_is_another_tree(masters):
    hierarchy = Hierarchy(random_tree(66, (2,), groups=3), SOLVER, masters)
    hierarchy.cold()
    with pytest.raises(InputError, match="root"):
        hierarchy.warm(replace(hierarchy.tree, name="elsewhere"))


def test_a_node_without_children_is_refused():
    node = NodeSide(["edge-a"], (3.0, 0.3), None, 1)
    with pytest.raises(InputError, match="at least one"):
        node.rearrange([])


# ---------------------------------------------------------------------------------------------- what commits rest on


@pytest.mark.parametrize("share", [0.0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_a_leaf_solve_that_ends_just_above_its_tolerance_keeps_its_best_point(share):
    """A bound that ties with a price: the kernel used to walk on along noise, to a plan that serves nobody."""
    problem = random_tree(31, (3, 3), groups=6).children[1].children[2].problem
    answer = SOLVER.solve_quota(problem, np.array([0.81128441, 0.84449946, 0.27409067]) * (1 + share))
    bound = answer.phi + answer.quota_price @ np.array([0.81128441, 0.84449946, 0.27409067]) * (1 + share)
    assert bound - answer.value <= 1e-7 * answer.scale
