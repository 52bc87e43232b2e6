"""The refresh after data moved: still true, no dearer than an exact one, and asked where the child will work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reference.cuts import random_leaf
from tiertwin.allocate.hierarchy import LeafSide
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.messages import Query
from tiertwin.allocate.nodemath import fitting
from tiertwin.allocate.renewal import LEAF, MOST_GROWTH, Powers, Worked, growth, note_support
from tiertwin.allocate.slots import SlotTable

SOLVER = leaf_solver("kernel")


def at_work(seed: int = 3, *, drift: float = 0.0):
    """A leaf that has said hello, answered a query and been put to work."""
    problem = random_leaf(np.random.default_rng(seed), 2, 8)[0]
    side = LeafSide(problem, 0, SOLVER, drift=drift)
    side.hello()
    side.answer(Query(quota=0.3 * problem.quota_max, price=np.full(problem.quotas, 0.4)))
    side.commit(0.3 * problem.quota_max)
    return side, problem


@pytest.mark.parametrize("drift", [0.0, 0.05])
@pytest.mark.parametrize("factor", [1e-3, 0.45, 0.9, 1.02, 1.6, 50.0])
def test_a_refresh_stays_true_however_far_the_data_moved(factor: float, drift: float) -> None:
    side, problem = at_work(drift=drift)
    uneven = factor * np.linspace(0.8, 1.2, problem.groups)
    now = replace(problem, demand=problem.demand * uneven)
    said = side.refresh(now, 1)
    assert said.point_slots[0] == 0
    assert not said.u[0].any()
    slack = 1e-6 * float((now.weight * now.demand).sum())
    for use, value in zip(said.u, said.v, strict=True):
        assert SOLVER.solve_quota(now, use).value >= value - slack
    draw = np.random.default_rng(5)
    for share in draw.uniform(0, 1, (12, now.quotas)):
        quota = share * now.quota_max
        assert SOLVER.solve_quota(now, quota).value <= (said.phi + said.g @ quota).min() + slack


def test_prices_stay_and_points_become_the_plans_there() -> None:
    side, problem = at_work()
    before = {tuple(row) for row in side._cuts.slope[side._cuts.taken]}
    now = replace(problem, demand=0.4 * problem.demand)
    said = side.refresh(now, 1)
    assert not said.kept
    assert before <= {tuple(row) for row in said.g}
    plans = [SOLVER.solve_price(now, np.array(row)).use for row in before]
    told = said.u
    assert all(np.abs(told - use).max(axis=1).min() <= 1e-9 * (1 + use.max()) for use in plans)


def test_calm_data_keep_their_slopes() -> None:
    side, problem = at_work()
    slots = side._points.slope.copy()
    said = side.refresh(replace(problem, demand=1.03 * problem.demand), 1)
    assert said.kept
    assert np.array_equal(said.u, slots[said.point_slots])


def test_data_that_are_no_problem_prove_nothing() -> None:
    side, problem = at_work()
    broken = problem.demand.copy()
    broken[0] = np.nan
    said = side.refresh(replace(problem, demand=broken), 1, exact=False)
    assert said.cut_slots.size == 0


def test_questions_move_with_the_data_component_by_component() -> None:
    worked = Worked(np.array([2.0, 3.0]), np.array([1.0, 4.0]), np.array([10.0, 20.0]), Powers((0.5,), (0.0, 2.0)))
    quotas, prices = worked.questions(np.array([40.0, 20.0]))
    assert quotas.tolist() == [[4.0, 3.0]]
    assert prices.tolist() == [[1.0, 4.0], [16.0, 4.0]]
    calm = worked.questions(np.array([10.2, 19.8]))
    assert [rows.shape for rows in calm] == [(0, 2), (0, 2)]


def test_growth_of_nothing_is_none_and_jumps_are_bounded() -> None:
    by = growth(np.array([0.0, 1.0, 1.0, 3.0]), np.array([1.0, 0.0, 1e6, 1.0]))
    assert by.tolist() == [1.0, 1.0, MOST_GROWTH, 1.0 / 3.0]
    assert len(LEAF.quota) + len(LEAF.price) <= 12 // 2  # a refresh must not flush all that is known


def test_slots_that_hold_up_nothing_go_first() -> None:
    cuts = SlotTable(3, 1, smaller_is_better=True)
    points = SlotTable(3, 1, smaller_is_better=False, pinned=0)
    for level, slope in ((0.0, 2.0), (9.0, 1.0), (1.0, 0.5)):  # the second is least nowhere
        cuts.place(level, np.array([slope]))
    for value, use in ((0.0, 0.0), (0.1, 1.0), (2.0, 2.0)):  # the second is best at no price
        points.place(value, np.array([use]))
    note_support(cuts, points)
    assert cuts.place(3.0, np.array([7.0])) == (1, True)
    assert points.place(3.0, np.array([7.0])) == (1, True)
    note_support(SlotTable(3, 1, smaller_is_better=True), points)  # nothing is held up by nothing


def test_mixtures_fit_into_their_limits_and_old_ones_that_fit_stay() -> None:
    draw = np.random.default_rng(2)
    mixtures = draw.dirichlet(np.ones(5), (4, 3))
    points = draw.uniform(0, 2, (3, 5, 2))
    points[:, 0] = 0.0
    there = np.ones((3, 5), dtype=bool)
    there[1, 4] = False
    limits = np.array([[100.0, 100.0], [2.0, 100.0], [100.0, 0.0], [0.5, 0.5]])
    fitted = fitting(mixtures, points, there, limits, np.array([-1.0, 1e-9]))
    load = np.einsum("pnk,nkj->pj", fitted, points)
    assert (load <= limits * (1 + 1e-12)).all()
    assert np.allclose(fitted.sum(axis=2), 1.0)
    assert (fitted >= 0).all()
    assert not fitted[:, 1, 4].any()
    assert np.array_equal(fitted[0, [0, 2]], mixtures[0, [0, 2]])
    assert load[2, 1] == 0.0
