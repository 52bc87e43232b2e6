"""The leaf problem written in cvxpy: the same problem as the kernel's, for any solver and for a user's own terms.

Conic form (Clarabel): utilities as logarithms and powers, each delay as κ · inv_pos(1 − load/C). Linear form (HiGHS,
step S3 of the ladder): every utility and delay term as 16 tangents, within 2 % of S of the conic form (seen: 0.1 %).

Scaled: variables are shares of demand, values are in units of the mean weight, loads in units of capacity, quotas in
units of the most the leaf could use. Small problems are compiled once a shape, with Parameters (DPP); large ones and
those with an extension are built with constants, because cvxpy's compilation grows with the number of parameters.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import cvxpy
import numpy as np

from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import LOAD_LIMIT, Array, LeafAnswer, LeafProblem
from tiertwin.errors import SolveError

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow

PIECES = 16
LEAST_QUOTA = 1e-7  # of the use at full demand: the prices at a quota of exactly 0 are degenerate
PARAMETER_LIMIT = 2000  # entries in one compiled problem: 0.07 s to compile (4 000: 0.3 s), then 2 × faster a solve
EXTENSION_SLACK = 1e-6  # of S: an extended problem has no closed-form cut, its bound is as good as the solver
TIGHT = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}


class Extension(Protocol):
    """A user's own concave utility and convex constraints over the rates."""

    def __call__(self, x: cvxpy.Expression, problem: LeafProblem) -> tuple[Any, list[Any]]:
        """Return (extra utility in utils/s, constraints) for the expression ``x[G, T]`` in tasks/s."""


@dataclass(frozen=True, eq=False)
class _Scaled:
    """The numbers of one request in the solver's units; field names are the names of the parameters."""

    weight: Array  # [G] w over the mean weight
    cost: Array  # [G, T]
    open: Array  # [G, T] 1, or 0 where a tier needs a resource without capacity
    own: Array  # [K, G·T] use at full demand over capacity
    delay: Array  # [K] κ
    quota: Array  # [J, G·T] use at full demand over the most this leaf could use
    limit: Array  # [J]
    slope: Array  # [16, G] tangents of the utility, linear form only
    level: Array  # [16, G]
    least: Array  # [G] share that a group takes at the device alone, linear form only


class CvxpyAllocator:
    """The leaf in cvxpy, solved by Clarabel.

    Parameters
    ----------
    extension
        A user's own terms. Its value counts in `value`; `phi` then bounds the extended problem within the accuracy of
        the solver instead of by a proof.
    """

    name = "cvxpy"
    _linear = False

    def __init__(self, extension: Extension | None = None) -> None:
        self._extension = extension
        self._compiled: dict[tuple[Any, ...], _Form] = {}

    def warm_up(self, shape: tuple[int, int, int, int]) -> None:
        """Compile both queries for log utilities of this shape; other exponents are compiled when they first come."""
        groups, tiers, own, quotas = shape
        zeros = np.zeros((groups, tiers))
        ones = np.ones(groups)
        problem = LeafProblem(
            ones, ones, ones, zeros + 0.5, np.zeros((own, groups, tiers)), np.ones(own), np.ones(own),
            np.zeros((quotas, groups, tiers)),
        )  # fmt: skip
        for with_quota in (True, False):
            self._form(problem, _scale(problem, np.ones(quotas), None, linear=self._linear), with_quota)

    def allocate(
        self,
        problem: LeafProblem,
        *,
        quota: Array | None = None,
        price: Array | None = None,
        iteration_limit: int = 200,
    ) -> LeafAnswer:
        """Solve a quota query or a price query; SolveError when the solver gave no numbers."""
        kernel.one_query(quota, price)
        scaled = _scale(problem, quota, price, linear=self._linear)
        form = self._form(problem, scaled, quota is not None)
        share, own_price, quota_price = form.solve(scaled, iteration_limit)
        unit = _unit(problem)
        x = kernel.repair(problem, problem.demand[:, None] * share, quota)
        own_price = own_price * unit / _own_unit(problem)
        paid = quota_price * unit / _quota_unit(problem) if price is None else np.array(price, dtype=np.float64)
        judged = kernel.worth(problem, x, quota)
        value, phi = judged.value, kernel.cut(problem, paid, own_price)[0]
        if self._extension is not None:
            value += form.extra_value(_shares(problem, x))
            granted = judged.use if quota is None else np.minimum(quota, problem.quota_max)
            phi = value - float(paid @ granted) + EXTENSION_SLACK * max(judged.scale, unit)
        step = 3 if self._linear else 2
        return LeafAnswer(x, value, judged.scale, judged.use, judged.own_load, own_price, paid, phi, step)

    def _form(self, problem: LeafProblem, scaled: _Scaled, with_quota: bool) -> _Form:
        entries = sum(getattr(scaled, name).size for name in scaled.__dataclass_fields__)
        if self._extension is not None or entries > PARAMETER_LIMIT:
            return _Form(problem, with_quota, self._linear, constants=scaled, extension=self._extension)
        key = (problem.shape, with_quota, tuple(problem.alpha.tolist()))
        if key not in self._compiled:
            self._compiled[key] = _Form(problem, with_quota, self._linear)
        return self._compiled[key]


class LinearAllocator(CvxpyAllocator):
    """The linear form of the leaf (16 tangents a term), solved by HiGHS: step S3 of the ladder."""

    name = "cvxpy-linear"
    _linear = True


class _Form:
    """One cvxpy problem: with Parameters when `constants` is None, else built around those numbers."""

    def __init__(
        self,
        problem: LeafProblem,
        with_quota: bool,
        linear: bool,
        *,
        constants: _Scaled | None = None,
        extension: Extension | None = None,
    ) -> None:
        groups, tiers, own, quotas = problem.shape
        self._linear, self._constants, self._with_quota = linear, constants, with_quota
        self._own, self._quotas = own, quotas
        self.share = cp.Variable((groups, tiers), nonneg=True)
        flat = cp.vec(self.share, order="C")
        served = cp.sum(self.share, axis=1)
        gain, constraints = self._utility(problem.alpha, served)
        constraints += [served <= 1, self.share <= self._data("open", (groups, tiers))]
        spent = cp.sum(cp.multiply(self._data("cost", (groups, tiers)), self.share))
        self._own_rows = self._quota_rows = None
        if own:
            delay, rows = self._delays(own, flat)
            spent += delay
            constraints += rows
        if with_quota and quotas:
            self._quota_rows = self._data("quota", (quotas, groups * tiers)) @ flat <= self._data("limit", (quotas,))
            constraints.append(self._quota_rows)
        self._extra: Any = 0.0
        if extension is not None:
            demand = np.repeat(problem.demand[:, None], tiers, axis=1)
            extra, own_terms = extension(cp.multiply(demand, self.share), problem)
            self._extra, constraints = extra, constraints + own_terms
            spent -= extra / _unit(problem)
        self._problem = cp.Problem(cp.Maximize(gain - spent), constraints)

    def solve(self, scaled: _Scaled, iteration_limit: int) -> tuple[Array, Array, Array]:
        """Return (share[G, T], own price[K], quota price[J]) in the solver's units; SolveError without numbers."""
        if self._constants is None:
            for parameter in self._problem.parameters():
                parameter.value = getattr(scaled, parameter.name())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "may be inaccurate": the checker decides, not a status
            try:
                if self._linear:
                    self._problem.solve(solver=cp.HIGHS, warm_start=False, enforce_dpp=self._constants is None)
                else:
                    self._problem.solve(
                        solver=cp.CLARABEL, warm_start=False, enforce_dpp=self._constants is None,
                        max_iter=iteration_limit, **TIGHT,
                    )  # fmt: skip
            except (cp.error.SolverError, ValueError) as error:
                raise SolveError(f"leaf in cvxpy: the solver gave up: {error}") from error
        if self.share.value is None or not np.all(np.isfinite(self.share.value)):
            raise SolveError(f"leaf in cvxpy: no numbers, status {self._problem.status!r}")
        return np.array(self.share.value), _dual(self._own_rows, self._own), _dual(self._quota_rows, self._quotas)

    def extra_value(self, share: Array) -> float:
        """Value of the extension's utility at these shares, utils/s."""
        self.share.value = share
        extra = self._extra.value if isinstance(self._extra, cvxpy.Expression) else self._extra
        return float(np.asarray(extra))

    def _data(self, name: str, shape: tuple[int, ...]) -> Any:
        if self._constants is not None:
            return getattr(self._constants, name)
        return cp.Parameter(shape, nonneg=name != "level", name=name)

    def _utility(self, alpha: Array, served: Any) -> tuple[Any, list[Any]]:
        weight = self._data("weight", alpha.shape)
        if self._linear:
            bound = cp.Variable(alpha.shape)
            slope, level = self._data("slope", (PIECES, alpha.size)), self._data("level", (PIECES, alpha.size))
            pieces = [bound <= cp.multiply(slope[m], served) + level[m] for m in range(PIECES)]
            # Tangents know no pole at 0: without this a group may get nothing at a finite price.
            return weight @ bound, [*pieces, served >= self._data("least", alpha.shape)]
        gain: Any = 0.0
        for exponent in np.unique(alpha):
            members = np.flatnonzero(alpha == exponent)
            gain += weight[members] @ _fair(served[members], float(exponent))
        return gain, []

    def _delays(self, own: int, flat: Any) -> tuple[Any, list[Any]]:
        left = cp.Variable(own)  # 1 − load/C: D = κ (1/left − 1); as an inequality its dual is the price λ ≥ 0
        self._own_rows = left + self._data("own", (own, flat.size)) @ flat <= 1
        rows: list[Any] = [self._own_rows, left >= 1 - LOAD_LIMIT]
        delay = self._data("delay", (own,))
        if not self._linear:
            return delay @ cp.inv_pos(left), rows
        late = cp.Variable(own)
        at = np.geomspace(1 - LOAD_LIMIT, 1.0, PIECES)  # tangents of 1/left, dense where it is steep
        return delay @ late, rows + [late >= 2 / a - left / a**2 for a in at]


def _fair(served: Any, exponent: float) -> Any:
    """U(q; α) without its constant −1/(1−α)."""
    if exponent == 1.0:
        return cp.log(served)
    if exponent == 0.0:
        return served
    return cp.power(served, 1.0 - exponent) / (1.0 - exponent)


def _dual(rows: Any, count: int) -> Array:
    if rows is None or rows.dual_value is None:
        return np.zeros(count)
    found = np.nan_to_num(np.asarray(rows.dual_value, dtype=np.float64), posinf=0.0, neginf=0.0)
    return np.maximum(np.atleast_1d(found), 0.0)


def _shares(problem: LeafProblem, x: Array) -> Array:
    demand = problem.demand[:, None]
    return np.divide(x, demand, out=np.zeros_like(x), where=demand > 0)


def _unit(problem: LeafProblem) -> float:
    """Mean weight of the groups that want something: the unit of value."""
    weight = problem.demand * problem.weight
    return float(weight[weight > 0].mean()) if np.any(weight > 0) else 1.0


def _own_unit(problem: LeafProblem) -> Array:
    return np.where(problem.capacity > 0, problem.capacity, 1.0)


def _quota_unit(problem: LeafProblem) -> Array:
    return np.where(problem.quota_max > 0, problem.quota_max, 1.0)


def _scale(problem: LeafProblem, quota: Array | None, price: Array | None, *, linear: bool) -> _Scaled:
    groups, tiers, own, quotas = problem.shape
    cells = groups * tiers
    demand = problem.demand[:, None]
    unit = _unit(problem)
    asked = np.zeros(quotas) if price is None else np.asarray(price, dtype=np.float64)
    cost = problem.cost + np.einsum("j,jgt->gt", asked, problem.use_quota)
    barred = np.any(problem.use_own[problem.capacity <= 0] > 0, axis=0)
    per_capacity = problem.use_own * demand / _own_unit(problem)[:, None, None]
    per_quota = problem.use_quota * demand / _quota_unit(problem)[:, None, None]
    granted = np.full(quotas, np.inf) if quota is None else np.asarray(quota, dtype=np.float64)
    least = _best_share(problem, problem.cost[:, 0])
    slope, level = _tangents(problem, least) if linear else (np.zeros((0, groups)), np.zeros((0, groups)))
    return _Scaled(
        weight=problem.demand * problem.weight / unit,
        cost=demand * cost / unit,
        open=np.where(barred, 0.0, 1.0),
        own=np.where(barred, 0.0, per_capacity).reshape(own, cells),
        delay=np.where(problem.capacity > 0, problem.kappa, 0.0) / unit,
        quota=per_quota.reshape(quotas, cells),
        limit=np.clip(granted / _quota_unit(problem), LEAST_QUOTA, 2.0),
        slope=slope,
        level=level,
        least=least,
    )


def _tangents(problem: LeafProblem, least: Array) -> tuple[Array, Array]:
    """Sixteen tangents of each utility, spread over the shares an optimum can have.

    The device offers service at cost[:, 0], so no group takes less than it would there, nor more than at its cheapest
    tier.
    """
    most = _best_share(problem, problem.cost.min(axis=1))
    at = np.geomspace(np.maximum(least, 1e-6), np.maximum(most, 1e-6), PIECES)
    slope = at**-problem.alpha
    power = np.where(problem.alpha == 1.0, 2.0, 1.0 - problem.alpha)  # 2 stands in where the logarithm is taken
    utility = np.where(problem.alpha == 1.0, np.log(at), (at**power - 1.0) / power)
    return slope, utility - slope * at


def _best_share(problem: LeafProblem, price: Array) -> Array:
    """Share each group takes at `price`: min(1, (b/p)^(1/α))."""
    ratio = np.divide(problem.weight, price, out=np.full_like(price, np.inf), where=price > 0)
    power = 1.0 / np.where(problem.alpha > 0, problem.alpha, 1e-3)
    return np.minimum(ratio, 1.0) ** power
