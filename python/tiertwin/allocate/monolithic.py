"""The whole tree as one convex problem: the reference the hierarchy is measured against. Nobody in operation holds it.

One vectorised cvxpy problem over every leaf's rows, with constants instead of Parameters (thousands of Parameters in
one problem take tens of GB to compile). Variables are shares of demand, loads are shares of capacity, values a share of
Σ w:

    max Σ w U(q) − cost·z − κ·(t − 1),   q = Σ_t z ≤ 1,  load = B z ≤ 0.98,  t (1 − load) ≥ 1

It counts as a reference only if it proves itself: the repaired plan valued by the independent formula
(`trees.evaluate`) and the dual bound at its own prices, recomputed in closed form, must be ≤ 1e-5 S apart. Nothing is
taken from the solver on trust.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.bounds import conjugate, leaf_cut
from tiertwin.allocate.leaf import LOAD_LIMIT, Array
from tiertwin.allocate.leafside import carry_over
from tiertwin.allocate.trees import Leaf, Tree, evaluate

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow

PROOF = 1e-5  # largest distance between value and bound, share of S, at which a solution counts as a reference
TIGHT: dict[str, Any] = {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9}


@dataclass(frozen=True, eq=False)
class Reference:
    """The optimum of a tree between a plan's value and a proven bound.

    Parameters
    ----------
    value, bound
        Value of the feasible plan, and the dual bound at the solver's prices; −inf and +inf when there is neither.
    scale
        S at the plan.
    ok
        Whether bound − value ≤ 1e-5 S, so that it may be called a reference.
    seconds
        Wall time of compile and solve.
    allocation
        ``x[G, T]`` of each leaf; empty when the solver gave nothing.
    status
        What the solver called it, or why there is no answer.
    """

    value: float
    bound: float
    scale: float
    ok: bool
    seconds: float
    allocation: dict[str, Array]
    status: str


@dataclass(frozen=True, eq=False)
class _Flat:
    """The tree as flat arrays: one column a (leaf, group, tier), one row a group or a resource."""

    demand: Array  # [rows of groups]
    weight: Array
    alpha: Array
    cost: Array  # [columns] utils/s at share 1
    sums: Any  # sparse [groups, columns]
    loads: Any  # sparse [resources, columns], shares of capacity
    capacity: Array  # [resources]
    kappa: Array
    quota_rows: list[Array]  # resource row of each quota component of each leaf


class Monolith:
    """A tree built as one cvxpy problem, to be solved once or several times. One owner.

    Parameters
    ----------
    tree
        Any depth ≥ 2.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree, self._leaves = tree, list(tree.leaves())
        self._flat = _flatten(tree, self._leaves)
        self._unit = max(float(self._flat.weight.sum()), 1e-12)
        self._state()

    def _state(self) -> None:
        flat, unit = self._flat, self._unit
        resources = flat.capacity.size
        self._z, load, late = (cp.Variable(n) for n in (flat.cost.size, resources, resources))
        q = cp.Variable(flat.demand.size)
        self._rows = flat.loads @ self._z <= load
        cone = cp.SOC(late + 2 - load, cp.vstack([np.full(resources, 2.0), late + load]), axis=0)
        links = [q == flat.sums @ self._z, q <= 1, self._z >= 0, self._rows, load <= _limits(flat), cone]
        worth = _utilities(q, flat.weight / unit, flat.alpha)
        self._problem = cp.Problem(
            cp.Maximize(worth - (flat.cost / unit) @ self._z - (flat.kappa / unit) @ late), links
        )

    def solve(self, solver: str = "CLARABEL", **settings: Any) -> Reference:
        """Solve by any solver of cvxpy, repair the plan and prove it; what is proven does not depend on the solver."""
        started = time.perf_counter()
        share, price, status = self._solve(solver, settings)
        if share is None or price is None:
            return Reference(-np.inf, np.inf, 0.0, False, time.perf_counter() - started, {}, status)
        allocation = _repaired(self._tree, self._leaves, self._flat, share)
        worth = evaluate(self._tree, allocation)
        bound = _bound(self._leaves, self._flat, price)
        ok = bound - worth.value <= PROOF * worth.scale and worth.violation <= 1e-9
        return Reference(worth.value, bound, worth.scale, ok, time.perf_counter() - started, allocation, status)

    def _solve(self, solver: str, settings: dict[str, Any]) -> tuple[Array | None, Array | None, str]:
        flat = self._flat
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the proof decides, not the status
                self._problem.solve(solver=solver, warm_start=False, **settings)
        except (cp.error.SolverError, ValueError, MemoryError) as error:
            return None, None, f"{type(error).__name__}: {error}"
        if self._z.value is None or self._rows.dual_value is None:
            return None, None, str(self._problem.status)
        capacity = np.where(flat.capacity > 0, flat.capacity, 1.0)
        price = np.maximum(self._rows.dual_value, 0.0) * self._unit / capacity
        return np.asarray(self._z.value), price, str(self._problem.status)


def solve_monolithic(tree: Tree) -> Reference:
    """Solve the tree as one problem and prove the answer; about 1 s for 50 leaves × 20 groups × 4 tiers."""
    started = time.perf_counter()
    found = Monolith(tree).solve(**TIGHT)
    return replace(found, seconds=time.perf_counter() - started)


def _flatten(tree: Tree, leaves: list[Leaf]) -> _Flat:
    first, capacity, kappa = _node_rows(tree)
    quota_rows = [np.array(rows) for rows in _quota_rows(tree, first)]
    blocks_c, blocks_r, blocks_v = [], [], []
    column = 0
    own_row = len(capacity)
    for leaf, rows in zip(leaves, quota_rows, strict=True):
        p = leaf.problem
        capacity += p.capacity.tolist()
        kappa += p.kappa.tolist()
        use = np.concatenate([p.use_quota, p.use_own]) * p.demand[:, None]
        resource = np.concatenate([rows, own_row + np.arange(p.own_resources)])
        k, g, t = np.nonzero(use)
        blocks_v.append(use[k, g, t])
        blocks_r.append(resource[k])
        blocks_c.append(column + g * p.tiers + t)
        column += p.groups * p.tiers
        own_row += p.own_resources
    problems = [leaf.problem for leaf in leaves]
    tiers = np.concatenate([np.full(p.groups, p.tiers) for p in problems])
    sums = sparse.csr_matrix((np.ones(column), (np.repeat(np.arange(len(tiers)), tiers), np.arange(column))))
    cap = np.array(capacity)
    row = np.concatenate(blocks_r)
    value = np.concatenate(blocks_v) / np.where(cap > 0, cap, 1.0)[row]
    return _Flat(
        demand=np.concatenate([p.demand for p in problems]),
        weight=np.concatenate([p.weight * p.demand for p in problems]),
        alpha=np.concatenate([p.alpha for p in problems]),
        cost=np.concatenate([(p.cost * p.demand[:, None]).ravel() for p in problems]),
        sums=sums,
        loads=sparse.csr_matrix((value, (row, np.concatenate(blocks_c))), shape=(len(cap), column)),
        capacity=cap,
        kappa=np.array(kappa),
        quota_rows=quota_rows,
    )


def _node_rows(tree: Tree) -> tuple[dict[str, int], list[float], list[float]]:
    """Number the resources of all inner nodes: compute, then uplink, of each."""
    first: dict[str, int] = {}
    capacity: list[float] = []
    kappa: list[float] = []
    for node in tree.nodes():
        first[node.name] = len(capacity)
        for pair in (node.compute, node.uplink):
            if pair is not None:
                capacity.append(pair[0])
                kappa.append(pair[1])
    return first, capacity, kappa


def _quota_rows(node: Tree, first: dict[str, int], above: tuple[int, ...] = ()) -> list[list[int]]:
    """Resource rows behind the quota components of every leaf below a node, in roster order."""
    own = (first[node.name],) if node.uplink is None else (first[node.name], first[node.name] + 1)
    rows = []
    for child in node.children:
        rows += [list(own + above)] if isinstance(child, Leaf) else _quota_rows(child, first, own + above)
    return rows


def _limits(flat: _Flat) -> Array:
    """Largest load of each resource as a share of its capacity; 0 where there is none."""
    return np.where(flat.capacity > 0, LOAD_LIMIT, 0.0)


def _utilities(q: Any, weight: Array, alpha: Array) -> Any:
    """Σ w U(q), grouped by α so that each exponent is one vector atom."""
    total: Any = 0.0
    for exponent in np.unique(alpha):
        rows = np.flatnonzero((alpha == exponent) & (weight > 0))
        if not rows.size:
            continue
        if exponent == 1:
            total += weight[rows] @ cp.log(q[rows])
        else:
            total += weight[rows] @ (cp.power(q[rows], 1 - exponent) - 1) / (1 - exponent)
    return total


def _repaired(tree: Tree, leaves: list[Leaf], flat: _Flat, share: Array) -> dict[str, Array]:
    """Clip the solver's plan to feasibility: shares, own capacities, and every node's capacity; the rest goes home."""
    load = flat.loads @ np.clip(share, 0, 1)
    keep = np.minimum(1.0, _limits(flat) / np.maximum(load, 1e-300)) * (1 - 1e-15)
    allocation, at = {}, 0
    for leaf, rows in zip(leaves, flat.quota_rows, strict=True):
        p = leaf.problem
        z = np.clip(share[at : at + p.cost.size].reshape(p.cost.shape), 0, 1)
        at += p.cost.size
        x = z / np.maximum(z.sum(axis=1, keepdims=True), 1.0) * p.demand[:, None]
        use = np.einsum("jgt,gt->j", p.use_quota, x)
        allocation[leaf.name] = carry_over(p, p, x, use * keep[rows])
    return allocation


def _bound(leaves: list[Leaf], flat: _Flat, price: Array) -> float:
    """The dual bound at any prices ≥ 0 of all resources: closed-form leaf cuts plus conjugates of the nodes' delays."""
    total, own = 0.0, len(price) - sum(leaf.problem.own_resources for leaf in leaves)
    nodes = own
    for leaf, rows in zip(leaves, flat.quota_rows, strict=True):
        end = own + leaf.problem.own_resources
        total += leaf_cut(leaf.problem, price[rows], price[own:end]).phi
        own = end
    return total + float(conjugate(price[:nodes], flat.capacity[:nodes], flat.kappa[:nodes]).sum())
