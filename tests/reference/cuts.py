"""Slow, independent leaf solver on cones: what the hierarchy is tested with where the C++ kernel is not wanted.

It states the leaf problem row by row for Clarabel (no cvxpy, no closed form of the package), so it shares nothing with
the code under test but the data classes.
"""

from __future__ import annotations

from dataclasses import replace

import clarabel
import numpy as np
from scipy import sparse

from tiertwin.allocate.bounds import leaf_cut, leaf_worth
from tiertwin.allocate.leaf import LOAD_LIMIT, LeafAnswer, LeafProblem
from tiertwin.allocate.trees import Leaf, Tree


class ConeLeafSolver:
    """solve_quota and solve_price over cones; about 5 ms for 20 groups × 4 tiers."""

    def solve_quota(self, problem, quota):
        return _solve(problem, np.maximum(np.asarray(quota, float), 0.0), np.zeros(problem.quotas))

    def solve_price(self, problem, price):
        return _solve(problem, None, np.maximum(np.asarray(price, float), 0.0))


class _Rows:
    """Rows A x + s = b in cone order."""

    def __init__(self, columns):
        self.columns, self.row, self.col, self.val, self.b, self.cones = columns, [], [], [], [], []

    def add(self, entries, rhs):
        for column, value in entries:
            self.row.append(len(self.b)), self.col.append(column), self.val.append(value)
        self.b.append(rhs)
        return len(self.b) - 1

    def matrix(self):
        return sparse.csc_matrix((self.val, (self.row, self.col)), shape=(len(self.b), self.columns))


def _solve(problem: LeafProblem, quota, price) -> LeafAnswer:
    groups, tiers, own, quotas = problem.shape
    d = problem.demand
    unit = max(float((problem.weight * d).sum()), 1e-9)
    z = np.arange(groups * tiers).reshape(groups, tiers)  # shares of demand
    h = groups * tiers + np.arange(groups)  # utility of a group
    y = h[-1] + 1 + np.arange(own)  # loads over capacity
    t = y[-1] + 1 + np.arange(own) if own else y
    columns = groups * tiers + groups + 2 * own
    cost = np.zeros(columns)
    priced = problem.cost + np.tensordot(price, problem.use_quota, axes=1)
    cost[z] = priced * d[:, None] / unit
    cost[h] = -problem.weight * d / unit
    rows = _Rows(columns)
    for i in z.ravel():
        rows.add([(i, -1.0)], 0.0)
    for g in range(groups):
        rows.add([(i, 1.0) for i in z[g]], 1.0)
    own_rows = []
    for k in range(own):
        cap = problem.capacity[k] or 1e-12
        terms = [(z[g, m], problem.use_own[k, g, m] * d[g] / cap) for g in range(groups) for m in range(tiers)]
        own_rows.append(rows.add([(c, v) for c, v in terms if v] + [(y[k], -1.0)], 0.0))
        rows.add([(y[k], 1.0)], LOAD_LIMIT)
        cost[t[k]] = problem.kappa[k] / unit
    quota_rows, quota_unit = [], np.ones(quotas)
    if quota is not None:
        for j in range(quotas):
            use = problem.use_quota[j] * d[:, None]
            quota_unit[j] = max(use.max(), 1e-12)
            terms = [(z[g, m], use[g, m] / quota_unit[j]) for g in range(groups) for m in range(tiers) if use[g, m]]
            quota_rows.append(rows.add(terms, quota[j] / quota_unit[j]))
    for g in range(groups):
        if problem.alpha[g] == 0:
            rows.add([(h[g], 1.0)] + [(i, -1.0) for i in z[g]], -1.0)
    cones = [clarabel.NonnegativeConeT(len(rows.b))]
    for k in range(own):  # t (1 − y) ≥ 1
        rows.add([(t[k], -1.0), (y[k], 1.0)], 1.0)
        rows.add([(t[k], -1.0), (y[k], -1.0)], -1.0)
        rows.add([], 2.0)
        cones.append(clarabel.SecondOrderConeT(3))
    for g in range(groups):
        cones += _utility(rows, float(problem.alpha[g]), h[g], z[g])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    a = rows.matrix()
    answer = clarabel.DefaultSolver(
        sparse.csc_matrix((columns, columns)), cost, a, np.array(rows.b), cones, settings
    ).solve()
    x = np.clip(np.array(answer.x)[z], 0, 1) * d[:, None]
    dual = np.maximum(np.array(answer.z), 0) * unit
    own_price = np.array([dual[r] / (problem.capacity[k] or 1e-12) for k, r in enumerate(own_rows)])
    g = price if quota is None else np.array([dual[r] / quota_unit[j] for j, r in enumerate(quota_rows)])
    x = _repair(problem, x, quota)
    worth = leaf_worth(problem, x)
    phi = leaf_cut(problem, g, own_price).phi
    return LeafAnswer(x, worth.value, worth.scale, worth.use, worth.own_load, own_price, g, phi)


def _utility(rows, alpha, h, z):
    share = [(i, -1.0) for i in z]
    if alpha == 0:
        return []
    if alpha == 1:  # h ≤ log q : (h, 1, q)
        rows.add([(h, -1.0)], 0.0), rows.add([], 1.0), rows.add(share, 0.0)
        return [clarabel.ExponentialConeT()]
    if alpha < 1:  # h = (v − 1)/(1−α), v ≤ q^(1−α) : (q, 1, v)
        rows.add(share, 0.0), rows.add([], 1.0), rows.add([(h, -(1 - alpha))], 1.0)
        return [clarabel.PowerConeT(1 - alpha)]
    # v = 1 + (1−α) h ≥ q^(1−α)  ⟺  v^(1/α) q^((α−1)/α) ≥ 1
    rows.add([(h, -(1 - alpha))], 1.0), rows.add(share, 0.0), rows.add([], 1.0)
    return [clarabel.PowerConeT(1 / alpha)]


def _repair(problem, x, quota):
    x = x / np.maximum(1.0, x.sum(axis=1) / np.maximum(problem.demand, 1e-300))[:, None]
    factor = np.ones_like(x)
    uses = list(zip(problem.use_own, LOAD_LIMIT * problem.capacity, strict=True))
    if quota is not None:
        uses += list(zip(problem.use_quota, quota, strict=True))
    for use, limit in uses:
        load = float((use * x).sum())
        if load > limit:
            factor = np.where(use > 0, np.minimum(factor, limit / load), factor)
    moved = x * (1 - factor)
    out = x * factor
    out[:, 0] += moved.sum(axis=1)
    return out


# ------------------------------------------------------------------------------------------------ random instances


def random_leaf(rng, ancestors, groups, *, alphas=(0.5, 1.0, 2.0)):
    """A smooth leaf: radio, edge compute, uplink of its own; quotas of `ancestors` nodes above it, bottom-up."""
    tiers, quotas = 2 + ancestors, 2 * ancestors - 1
    demand = rng.uniform(1, 10, groups)
    gigacycles, megabits = rng.uniform(0.02, 0.2, groups), rng.uniform(0.05, 1, groups)
    far = [rng.uniform(0.04, 0.08, groups) * (1 + m) for m in range(ancestors)]
    seconds = np.stack([rng.uniform(0.3, 1.5, groups), rng.uniform(0.02, 0.05, groups), *far], axis=1)
    own = np.zeros((3, groups, tiers))
    own[0, :, 1:] = (megabits / 80)[:, None]
    own[1, :, 1] = gigacycles
    own[2, :, 2:] = megabits[:, None]
    quota = np.zeros((quotas, groups, tiers))
    for m in range(ancestors):
        quota[2 * m, :, 2 + m] = gigacycles
        if m < ancestors - 1:
            quota[2 * m + 1, :, 3 + m :] = megabits[:, None]
    work, bits = float(demand @ gigacycles), float(demand @ megabits)
    capacity = np.array([bits / 60, work * rng.uniform(0.2, 0.5), bits * rng.uniform(0.4, 0.9)])
    cost = rng.uniform(0.5, 4, groups)[:, None] * seconds
    weight, alpha = rng.uniform(1, 5, groups), rng.choice(alphas, groups)
    return LeafProblem(demand, weight, alpha, cost, own, capacity, 0.1 * capacity, quota), work, bits


def random_tree(seed, fan, groups=20, **options):
    """A tree with `fan[0]` children of the root, `fan[1]` of each of those, …; compute and uplinks are scarce."""
    rng = np.random.default_rng(seed)

    def node(name, level):
        children, work, bits = [], 0.0, 0.0
        for i in range(fan[level]):
            child = f"{name}.{i}"
            if level == len(fan) - 1:
                problem, w, b = random_leaf(rng, len(fan), groups, **options)
                made = Leaf(child, problem)
            else:
                made, w, b = node(child, level + 1)
            children.append(made)
            work, bits = work + w, bits + b
        compute = work * (0.3, 0.25, 0.2)[min(level, 2)] * rng.uniform(0.6, 1.4)
        uplink = bits * 0.3 * rng.uniform(0.6, 1.4)
        pair = None if level == 0 else (uplink, 0.1 * uplink)
        return Tree(name, (compute, 0.1 * compute), pair, tuple(children)), work, bits

    return node("cloud", 0)[0]


def with_demand(tree, factor):
    """The tree with every leaf's demand multiplied by ``factor(leaf name, G)``."""
    if isinstance(tree, Leaf):
        changed = tree.problem.demand * factor(tree.name, tree.problem.groups)
        return Leaf(tree.name, replace(tree.problem, demand=changed))
    return replace(tree, children=tuple(with_demand(child, factor) for child in tree.children))


def permuted(tree, rng):
    """The tree with the children of every node in another order."""
    if isinstance(tree, Leaf):
        return tree
    order = rng.permutation(len(tree.children))
    return replace(tree, children=tuple(permuted(tree.children[i], rng) for i in order))
