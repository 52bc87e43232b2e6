"""The master problems: equal to a plain statement of them, duals by finite differences, and the ladder step by step."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from support.masters import concave_request
from tiertwin.allocate import master, masterladder
from tiertwin.allocate.bounds import delay
from tiertwin.allocate.conemap import ConeMap, NotSimpleError
from tiertwin.allocate.leaf import LOAD_LIMIT
from tiertwin.allocate.master import Masters
from tiertwin.allocate.masterladder import MasterLadder
from tiertwin.allocate.messages import LOWER, UPPER, MasterAnswer
from tiertwin.allocate.nodemath import dual_value, faults, greedy, primal_value, settle, zero_answer


def plainly(request):
    """The same problem with inv_pos and constants, unscaled, unpadded."""
    children, slots, levels = request.slope.shape
    own = request.capacity.size
    links = []
    if request.kind == UPPER:
        r, theta = cp.Variable((children, levels), nonneg=True), cp.Variable(children)
        links.append(r <= request.rmax)
        links += [theta[e] <= request.level[e] + request.slope[e] @ r[e] for e in range(children)]
        worth, load = cp.sum(theta), cp.sum(r, axis=0)
    else:
        lam = cp.Variable((children, slots), nonneg=True)
        links.append(cp.sum(lam, axis=1) == 1)
        worth = cp.sum(cp.multiply(lam, request.level))
        load = sum(request.slope[e].T @ lam[e] for e in range(children))
    y = cp.Variable(own)
    links += [load[:own] <= y, y <= LOAD_LIMIT * request.capacity]
    for j in range(levels - own):
        worth -= request.price[j] * load[own + j]
        if np.isfinite(request.quota[j]):
            links.append(load[own + j] <= request.quota[j])
    late = request.kappa @ (cp.inv_pos(1 - cp.multiply(y, 1 / request.capacity)) - 1)
    problem = cp.Problem(cp.Maximize(worth - late), links)
    problem.solve(solver=cp.CLARABEL)
    return problem.value


@pytest.mark.parametrize("kind", [UPPER, LOWER])
@pytest.mark.parametrize("priced", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_equal_to_the_problem_stated_plainly(kind, priced, seed, masters):
    request = concave_request(seed, kind, priced=priced)
    answer = masters.solve(request)
    assert answer.step == 2
    assert answer.value == pytest.approx(plainly(request), abs=1e-5 * request.unit)
    assert answer.value <= dual_value(request, answer.price, answer.weight) + 1e-9
    load = answer.r.sum(axis=0)
    limits = np.concatenate([LOAD_LIMIT * request.capacity, request.quota])
    assert (load <= limits * (1 + 1e-12)).all()


@pytest.mark.parametrize(("children", "levels", "own"), [(1, 1, 1), (3, 5, 2), (7, 2, 1), (1, 3, 0), (50, 3, 2)])
@pytest.mark.parametrize("kind", [UPPER, LOWER])
def test_every_shape_and_padding(children, levels, own, kind, masters):
    request = concave_request(3, kind, children=children, levels=levels, own=own, slots=12)
    answer = masters.solve(request)
    assert answer.step == 2
    assert answer.r.shape == request.rmax.shape
    assert answer.weight.shape == request.level.shape
    assert dual_value(request, answer.price, answer.weight) - answer.value <= 1e-4 * request.unit


@pytest.mark.parametrize("kind", [UPPER, LOWER])
def test_prices_are_the_derivatives_of_the_value(kind, masters):
    request = concave_request(1, kind)
    answer = masters.solve(request)
    h = 1e-3
    step = h * request.quota[0]
    up, down = (masters.solve(replace(request, quota=request.quota + s)).value for s in (step, -step))
    assert answer.price[2] == pytest.approx((up - down) / (2 * step), rel=2e-2)
    for o in range(2):  # a gift of own load is worth its price: shift D by a child that brings capacity and κ
        load = answer.r.sum(axis=0)[o]
        room = request.capacity[o] - load
        marginal = request.kappa[o] * request.capacity[o] / room**2
        assert answer.price[o] == pytest.approx(marginal, rel=2e-2)


def test_prices_of_passed_components_are_given_where_there_is_no_quota(masters):
    request = concave_request(2, UPPER, priced=True)
    assert masters.solve(request).price[2:] == pytest.approx(request.price, rel=1e-12)


@pytest.mark.parametrize("kind", [UPPER, LOWER])
@pytest.mark.parametrize("seed", range(3))
def test_the_linear_form_is_within_two_percent(kind, seed, masters):
    request = concave_request(seed, kind)
    conic = masters.solve(request)
    scaled = master._scale(request)
    raw = masters._problem(request, True).solve(scaled)
    answer = settle(request, master._unscale(request, scaled, raw, linear=True), slack=1e-4, optimal=np.inf)
    assert answer.step == 3
    assert conic.value - 0.02 * request.unit <= answer.value <= conic.value + 1e-6 * request.unit


@pytest.mark.parametrize("kind", [UPPER, LOWER])
@pytest.mark.parametrize(("levels", "own"), [(1, 1), (3, 2), (3, 0)])
def test_the_short_way_to_the_solver_gives_what_cvxpy_gives(kind, levels, own, masters):
    request = concave_request(11, kind, levels=levels, own=own)
    compiled, scaled = masters._problem(request, False), master._scale(request)
    assert compiled._map is not None
    short, long = compiled.solve(scaled), compiled.solve_by_cvxpy(scaled)
    assert short.price == pytest.approx(long.price, abs=1e-6)
    assert short.weight == pytest.approx(long.weight, abs=1e-5)
    a, b = (
        settle(request, master._unscale(request, scaled, raw, linear=False), slack=1e-5, optimal=1e-4)
        for raw in (short, long)
    )
    assert a.value == pytest.approx(b.value, abs=1e-7 * request.unit)


def test_where_the_short_way_is_not_understood_cvxpy_solves(monkeypatch):
    def refuse(_):
        raise NotSimpleError("another cvxpy")

    request = concave_request(12, UPPER)
    expected = Masters().solve(request)
    monkeypatch.setattr(master, "ConeMap", refuse)
    assert Masters().solve(request).value == pytest.approx(expected.value, abs=1e-7 * request.unit)


def test_a_problem_that_is_not_simple_is_refused():
    x, p = cp.Variable(2), cp.Parameter(2, pos=True)
    for objective in (2 * p @ x, (p[0] + p[1]) * x[0]):
        with pytest.raises(NotSimpleError):
            ConeMap(cp.Problem(cp.Minimize(objective), [x >= 1]))
    with pytest.raises(NotSimpleError, match="cones"):
        ConeMap(cp.Problem(cp.Minimize(p @ x), [cp.exp(x) <= 3]))


def test_an_answer_does_not_depend_on_what_was_solved_before():
    request = concave_request(5, LOWER)
    fresh, used = Masters(), Masters()
    for seed in range(3):
        used.solve(concave_request(seed, LOWER))
    a, b = fresh.solve(request), used.solve(request)
    assert np.array_equal(a.r, b.r)
    assert np.array_equal(a.price, b.price)
    assert np.array_equal(a.weight, b.weight)


def test_badly_scaled_units_do_not_matter(masters):
    request = concave_request(6, UPPER)
    unit = np.array([1e6, 1e-5, 1e3])
    other = replace(
        request,
        slope=request.slope / unit,
        rmax=request.rmax * unit,
        capacity=request.capacity * unit[:2],
        quota=request.quota * unit[2:],
    )
    assert masters.solve(other).value == pytest.approx(masters.solve(request).value, abs=1e-6 * request.unit)


def test_a_dead_resource_carries_nothing(masters):
    request = concave_request(7, UPPER)
    dead = replace(request, capacity=np.array([0.0, request.capacity[1]]))
    answer = masters.solve(dead)
    assert answer.r[:, 0].sum() == 0
    assert np.isfinite(answer.price).all()


# ---------------------------------------------------------------------------------------------- the ladder


def test_s1_faults_are_named_and_not_tried(masters):
    request = concave_request(0, UPPER)
    nan = request.level.copy()
    nan[0, 0] = np.nan
    assert "level" in faults(replace(request, level=nan))[0]
    assert "kappa" in faults(replace(request, kappa=-request.kappa))[0]
    assert masters.solve(replace(request, level=nan)) is None
    assert faults(request) == []


class _Lying:
    """A compiled problem whose solver returns nonsense."""

    def __init__(self, raw):
        self._raw = raw

    def solve(self, scaled):
        return self._raw


@pytest.mark.parametrize("what", ["nothing", "nan", "infeasible"])
def test_s3_takes_over_when_the_conic_solver_fails(what, masters, monkeypatch):
    request = concave_request(0, UPPER, children=4)
    good = masters._problem(request, False).solve(master._scale(request))
    share = {"nan": good.share * np.nan, "infeasible": good.share * 0 + 1.0}.get(what)
    raw = None if share is None else master._Raw(share, good.weight, good.price, "optimal")
    own = Masters()
    own._compiled[(master._bucket(request.shape), False)] = _Lying(raw)
    assert own.solve(request).step == 3
    own._compiled[(master._bucket(request.shape), True)] = _Lying(raw)
    assert own.solve(request) is None


@pytest.mark.parametrize("kind", [UPPER, LOWER])
def test_s6_s7_s8_when_no_solver_answers(kind, masters, monkeypatch):
    request = concave_request(4, kind)
    ladder = MasterLadder()
    good = ladder.admit(request, masters.solve(request))
    assert good.step == 2
    fallback = ladder.admit(request, None)
    assert (fallback.step, fallback.status) == (6, "greedy")
    assert fallback.value <= good.value + 1e-9
    monkeypatch.setattr(masterladder, "greedy", lambda _: None)
    smaller = replace(request, quota=request.quota / 2, capacity=request.capacity / 2)
    last = ladder.admit(smaller, None)
    assert last.step == 7
    load = last.r.sum(axis=0)
    assert (load <= np.concatenate([LOAD_LIMIT * smaller.capacity, smaller.quota]) * (1 + 1e-9)).all()
    safe = MasterLadder().admit(request, None)
    assert safe.step == 8
    assert not safe.r.any()
    assert ladder.taken == {2, 6, 7}


@pytest.mark.parametrize("kind", [UPPER, LOWER])
@pytest.mark.parametrize("seed", range(5))
def test_greedy_is_feasible_and_better_than_nothing(kind, seed):
    request = concave_request(seed, kind)
    answer = settle(request, greedy(request), slack=1e-9, optimal=np.inf)
    assert answer is not None
    assert answer.value >= zero_answer(request).value - 1e-12
    assert answer.value <= dual_value(request, answer.price, answer.weight) + 1e-9


def test_the_checker_believes_no_status(masters):
    request = concave_request(8, UPPER)
    answer = masters.solve(request)
    for bad in (
        replace(answer, r=answer.r * np.nan),
        replace(answer, r=answer.r * 0 + request.rmax, status="optimal"),
        replace(answer, weight=-answer.weight),
        replace(answer, r=answer.r * 0, status="optimal"),
        replace(answer, price=answer.price * 0),
    ):
        assert settle(request, bad, slack=1e-5, optimal=1e-4) is None
    assert settle(request, answer, slack=1e-5, optimal=1e-4).value == pytest.approx(answer.value)


def test_the_value_is_recomputed_and_not_the_solvers(masters):
    request = concave_request(9, LOWER)
    answer = settle(request, replace(masters.solve(request), value=1e9), slack=1e-5, optimal=1e-4)
    load = answer.r.sum(axis=0)
    by_hand = (answer.weight * request.level).sum() - delay(load[:2], request.capacity, request.kappa).sum()
    assert answer.value == pytest.approx(by_hand)
    assert answer.value == primal_value(request, answer.r, answer.weight)


def test_warm_up_compiles_so_that_no_solve_does():
    masters = Masters()
    request = concave_request(0, UPPER)
    masters.warm_up(request.shape)
    before = dict(masters._compiled)
    assert isinstance(masters.solve(request), MasterAnswer)
    assert masters._compiled == before
