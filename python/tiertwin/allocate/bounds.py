"""Closed forms behind every cut, point and check: delay terms, utilities, and what prices prove about a leaf.

    D(y)  = κ y / (C − y),  y ≤ 0.98 C                      delay term of a resource at load y
    D*(λ) = max_y λ y − D(y),  at y = clip(C − √(κ C / λ), 0, 0.98 C)
    U(q)  = log q  (α = 1),  (q^(1−α) − 1)/(1−α)  (else)    α-fair utility of the served share q

For any prices g, λ ≥ 0 the relaxed leaf separates by group and every group uses its cheapest tier:

    V(r) ≤ φ + g·r,   φ = Σ_i d_i [b_i U(q_i) − p_i q_i] + Σ_k D*_k(λ_k)
    p_i = min_t tier price,  q_i = min(1, (b_i/p_i)^(1/α))

No solver takes part in it, so a bound is true whatever a solver returned. Everything here is numpy, pure, vectorised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin.allocate.leaf import LOAD_LIMIT, Array, LeafProblem


def delay(load: Array, capacity: Array, kappa: Array) -> Array:
    """Return D(y) of each resource; +inf beyond 0.98 C (1e-9 C is forgiven), 0 where nothing flows.

    Parameters
    ----------
    load, capacity
        Same unit, any shape that broadcasts.
    kappa
        Scale of the delay term, utils/s.
    """
    room = np.maximum(capacity - load, (1 - LOAD_LIMIT) * capacity * (1 - 1e-6))
    worth = kappa * load
    value = np.divide(worth, room, out=np.zeros(np.broadcast(worth, room).shape), where=(load > 0) & (room > 0))
    return np.where(load > LOAD_LIMIT * capacity + 1e-9 * capacity, np.inf, value)


def marginal_delay(load: Array, capacity: Array, kappa: Array) -> Array:
    """Return D'(y) = κ C / (C − y)², the price of a resource at load y (clipped to 0.98 C); 0 where C is 0."""
    capacity, kappa = np.asarray(capacity, dtype=np.float64), np.asarray(kappa, dtype=np.float64)
    room = np.maximum(capacity - np.clip(load, 0.0, LOAD_LIMIT * capacity), 0.0)
    price: Array = np.divide(kappa * capacity, room**2, out=np.zeros_like(room), where=room**2 > 0)
    return price


def conjugate(price: Array, capacity: Array, kappa: Array) -> Array:
    """Return D*(λ) ≥ 0 of each resource at price λ ≥ 0 (shape of `price`)."""
    price = np.asarray(price, dtype=np.float64)
    free = np.divide(kappa * capacity, price, out=np.full(price.shape, np.inf), where=price > 0)
    load = np.clip(capacity - np.sqrt(free), 0.0, LOAD_LIMIT * np.asarray(capacity))
    best_worth: Array = np.maximum(price * load - delay(load, capacity, kappa), 0.0)
    return best_worth


def utility(share: Array, alpha: Array) -> Array:
    """Return U(q) of served shares 0 ≤ q ≤ 1; −inf at q = 0 where α ≥ 1."""
    share, alpha = np.broadcast_arrays(np.asarray(share, dtype=np.float64), alpha)
    log = alpha == 1
    power = np.where(log, 0.5, 1 - alpha)  # 0.5 stands in where the logarithm is taken instead
    with np.errstate(divide="ignore"):
        return np.where(log, np.log(share), (share**power - 1) / power)


def best_share(price: Array, weight: Array, alpha: Array) -> Array:
    """Return q = argmax b U(q) − p q over 0 ≤ q ≤ 1, the share a group takes at the price p of its cheapest tier."""
    price, weight, alpha = np.broadcast_arrays(price, weight, alpha)
    linear = alpha == 0
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        root = (weight / price) ** (1 / np.where(linear, 1.0, alpha))
    root = np.where(price > 0, np.minimum(root, 1.0), np.where(weight > 0, 1.0, 0.0))
    return np.where(linear, np.where(weight > price, 1.0, 0.0), root)


def tier_prices(problem: LeafProblem, quota_price: Array, own_price: Array) -> Array:
    """Return ``[G, T]``: what one task of each group costs at each tier when resources have these prices."""
    own = np.tensordot(own_price, problem.use_own, axes=1)
    quota = np.tensordot(quota_price, problem.use_quota, axes=1)
    price: Array = problem.cost + own + quota
    return price


@dataclass(frozen=True, eq=False)
class LeafCut:
    """A cut of a leaf in closed form: V(r) ≤ phi + g·r, with what declared drift needs.

    Parameters
    ----------
    phi
        Intercept, utils/s.
    drift
        Σ_i d_i |ψ_i|: if every demand moves by at most the share η, the intercept moves by at most η × this.
    """

    phi: float
    drift: float


def leaf_cut(problem: LeafProblem, quota_price: Array, own_price: Array) -> LeafCut:
    """Evaluate the cut of a leaf at any prices ≥ 0 (``[J]``, ``[K]``); O(groups × tiers)."""
    price = tier_prices(problem, quota_price, own_price).min(axis=1)
    share = best_share(price, problem.weight, problem.alpha)
    with np.errstate(invalid="ignore"):
        gain = np.where(problem.weight > 0, problem.weight * utility(share, problem.alpha), 0.0)
    terms = problem.demand * np.where(problem.demand > 0, gain - price * share, 0.0)
    own = conjugate(own_price, problem.capacity, problem.kappa)
    return LeafCut(phi=float(terms.sum() + own.sum()), drift=float(np.abs(terms).sum()))


@dataclass(frozen=True, eq=False)
class LeafWorth:
    """What a plan of a leaf is worth and what it uses, recomputed from the rates alone.

    Parameters
    ----------
    value
        Objective, utils/s, with delay terms taken at 0.98 C at most; says nothing where `violation` is not 0.
    scale
        S = Σ w q^(1−α), what gaps are divided by.
    use, own_load
        ``[J]`` and ``[K]``, in the unit of each resource.
    violation
        Largest relative violation of x ≥ 0, Σ x ≤ d and load ≤ 0.98 C.
    """

    value: float
    scale: float
    use: Array
    own_load: Array
    violation: float


def leaf_worth(problem: LeafProblem, x: Array) -> LeafWorth:
    """Value a plan ``x[G, T]`` (tasks/s) of a leaf by the formula of the problem and nothing else."""
    demand = problem.demand
    served = x.sum(axis=1)
    busy = demand > 0
    share = np.where(busy, np.clip(served / np.where(busy, demand, 1.0), 0.0, 1.0), 1.0)
    weight = problem.weight * demand
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.where(weight > 0, weight * utility(share, problem.alpha), 0.0)
        scale = np.where(weight > 0, weight * share ** (1 - problem.alpha), 0.0)
    own_load = np.einsum("kgt,gt->k", problem.use_own, x)
    limit = LOAD_LIMIT * problem.capacity
    over = np.where(own_load > limit, (own_load - limit) / np.maximum(limit, 1e-300), 0.0)
    unit = np.maximum(demand, 1e-9)
    violation = max(
        0.0, float((-x.min(axis=1) / unit).max()), float(((served - demand) / unit).max()), float(over.max(initial=0.0))
    )
    cost = float((problem.cost * x).sum()) + float(
        delay(np.minimum(own_load, limit), problem.capacity, problem.kappa).sum()
    )
    return LeafWorth(
        value=float(gain.sum()) - cost,
        scale=float(scale.sum()),
        use=np.einsum("jgt,gt->j", problem.use_quota, x),
        own_load=own_load,
        violation=violation,
    )
