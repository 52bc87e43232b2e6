"""The two master problems of a node by the C++ kernels: the same answers as `master.Masters`, in a tenth of the time.

    upper   cpp/alloc/upper_master: an interior point over the children, each a few components wide
    lower   cpp/alloc/leaf: a mixture of points is a leaf that serves each child's unit of demand at one slot or
            another, slot 0 (which uses nothing) being its device tier

Solved in scaled form as in master.py. Every answer passes the independent check of nodemath.py.

Ladder: S1 faults → S2 kernel → S3 the fallback, where the kernel's answer fails the check → None (the node goes on with
S6 to S8, masterladder.py). What has more components than the kernels take is the fallback's from the start: its S2.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tiertwin import _core
from tiertwin.allocate.leaf import LOAD_LIMIT, Array
from tiertwin.allocate.messages import UPPER, MasterAnswer, MasterRequest
from tiertwin.allocate.nodemath import faults, settle
from tiertwin.allocate.nodeside import MasterSolver

OPTIMAL = 1e-4  # largest distance of an answer to its own dual bound, share of the model's spread
SLACK = 1e-5  # largest relative overdraft that is repaired
FALLBACK = 3  # the step at which the fallback serves
LEVELS = 8  # components the kernels take
LEAST_LIMIT = 1e-9  # of a row, in shares: an interior must exist
FREE = 2.0  # a limit no load can reach, in shares
LEAST_COST = 1e-3  # of serving a unit at the best slot, over the spread: above 0, below what serving is worth
WORTH = 4.0  # of serving a unit, over the spread: more than any slot costs


class KernelMasters:
    """Serves master problems in this process without compiling anything. Not thread-safe.

    Parameters
    ----------
    fallback
        What is asked where the kernels give no admissible answer; None ends there (the node goes on with S6 to S8).
    """

    def __init__(self, fallback: MasterSolver | None = None) -> None:
        self._fallback = fallback
        self.refused = 0

    def solve(self, request: MasterRequest) -> MasterAnswer | None:
        """Return a checked answer, the fallback's, or None. About 0.1 ms for 10 children × 12 slots."""
        if faults(request):
            return None
        taken = request.slope.shape[2] <= LEVELS
        if taken:
            found = _upper(request) if request.kind == UPPER else _lower(request)
            answer = settle(request, found, slack=SLACK, optimal=OPTIMAL)
            if answer is not None:
                return answer
        self.refused += 1
        behind = None if self._fallback is None else self._fallback.solve(request)
        return replace(behind, step=FALLBACK) if behind is not None and taken else behind


def _rows(request: MasterRequest) -> tuple[Array, Array]:
    """Unit of each load row, and its limit in that unit: shares of capacity, of the most that can be passed up."""
    own = request.capacity.size
    most = request.box if request.kind == UPPER else request.slope.max(axis=1)
    passed = np.maximum(most[:, own:].sum(axis=0), 1e-12)
    unit = np.concatenate([np.where(request.capacity > 0, request.capacity, 1.0), passed])
    quota = np.minimum(request.quota / passed, FREE)
    limit = np.concatenate([np.full(own, LOAD_LIMIT), np.maximum(quota, LEAST_LIMIT)])
    return unit, limit


def _upper(request: MasterRequest) -> MasterAnswer:
    own, top, unit = request.capacity.size, request.box, request.unit
    row, limit = _rows(request)
    passed = row[own:]
    level = (request.level - request.level.min(axis=1, keepdims=True)) / unit
    price = np.concatenate([np.zeros(own), request.price * passed / unit])
    kappa = np.concatenate([np.where(request.capacity > 0, request.kappa, 0.0) / unit, np.zeros(passed.size)])
    slope = request.slope * top[:, None, :] / unit
    x, weight, found, _, _ = _core.solve_upper(level, slope, top / row, limit, kappa, price)
    return MasterAnswer(r=x * top, price=found * unit / row, weight=weight, value=0.0, status="kernel")


def _lower(request: MasterRequest) -> MasterAnswer:
    """Mixtures as a leaf: demand 1 a child, worth `WORTH` served whole (α = 0), the levels as costs below that."""
    own, unit = request.capacity.size, request.unit
    row, limit = _rows(request)
    children = request.slope.shape[0]
    cost = LEAST_COST + (request.level.max(axis=1, keepdims=True) - request.level) / unit
    use = np.ascontiguousarray((request.slope / row).transpose(2, 0, 1))
    use[:, :, 0] = 0.0
    capacity = np.where(request.capacity > 0, 1.0, 0.0)
    leaf = _core.Leaf(
        np.ones(children),
        np.full(children, WORTH * max(1.0, float(cost.max()))),
        np.zeros(children),
        np.ascontiguousarray(cost),
        np.ascontiguousarray(use[:own]),
        capacity,
        request.kappa / unit,
        np.ascontiguousarray(use[own:]),
    )
    free = bool(np.isinf(request.quota).all())
    found = leaf.solve_price(request.price * row[own:] / unit, 80) if free else leaf.solve_quota(limit[own:], 80)
    x, own_price, quota_price = found[0], found[5], found[6]
    weight = np.maximum(x, 0.0)
    weight[:, 0] += np.maximum(1.0 - weight.sum(axis=1), 0.0)
    price = np.concatenate([own_price, quota_price]) * unit / row
    return MasterAnswer(r=np.zeros_like(request.rmax), price=price, weight=weight, value=0.0, status="kernel")
