"""The two master problems of a node in cvxpy, compiled once a shape; Clarabel, or HiGHS in linear form.

    upper   max Σ_e θ_e − Σ_o κ_o (t_o − 1) − price·z
            θ_e ≤ φ_ek + g_ek·r_e,  0 ≤ r_e ≤ rmax_e
    lower   max Σ_ek λ_ek v_ek − Σ_o κ_o (t_o − 1) − price·z,   r_e = Σ_k λ_ek u_ek,  λ_e in the simplex
    both    Σ_e r_eo ≤ C_o y_o,  y_o ≤ 0.98,  t_o (1 − y_o) ≥ 1 (second-order cone),  Σ_e r_e,O: ≤ z ≤ quota

κ (t − 1) at t = 1/(1 − y) is D(load) exactly. Solved in scaled form: grants as shares of rmax, loads as shares of
capacity, values over the spread of the model; without it Clarabel loses digits at the capacity rows. Shapes are padded
to buckets, so a node whose children come and go compiles rarely. Solves are stateless (`warm_start=False`, iteration
limits and never a time limit): the same request gives the same answer.

Ladder: S1 faults → S2 conic → S3 linear form → None (the node goes on with S6–S8, masterladder.py). Every answer passes
the independent check of nodemath.py, whatever its status.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import cvxpy
import numpy as np

from tiertwin.allocate.conemap import ConeMap, NotSimpleError
from tiertwin.allocate.leaf import LOAD_LIMIT, Array
from tiertwin.allocate.messages import LOWER, UPPER, MasterAnswer, MasterRequest
from tiertwin.allocate.nodemath import faults, settle

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow

BUCKETS = (
    1,
    2,
    3,
    4,
    6,
    8,
    10,
    12,
    16,
    20,
    24,
    32,
    40,
    50,
    64,
    80,
    100,
    128,
)  # children a compiled problem has room for
PIECES = 16  # linear pieces a delay term has in the linear form
OPTIMAL = 1e-4  # largest distance of a conic answer to its own dual bound, share of the model's spread
OPTIMAL_LINEAR = 2e-2  # the same of the linear form
SLACK = 1e-5  # largest relative overdraft that is repaired

Shape = tuple[int, int, int, int, int]


class Masters:
    """Serves master problems in this process; compiled problems are kept by shape. Not thread-safe."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[Shape, bool], _Compiled] = {}

    def solve(self, request: MasterRequest) -> MasterAnswer | None:
        """Return a checked answer by steps S2 or S3, or None when neither gives an admissible one.

        About 2 ms for 10 children × 12 slots once compiled; compiling takes 20 to 500 ms.
        """
        if faults(request):
            return None
        scaled = _scale(request)
        for linear, slack, optimal in ((False, SLACK, OPTIMAL), (True, SLACK * 10, OPTIMAL_LINEAR)):
            raw = self._problem(request, linear).solve(scaled)
            if raw is None:
                continue
            answer = settle(request, _unscale(request, scaled, raw, linear=linear), slack=slack, optimal=optimal)
            if answer is not None:
                return answer
        return None

    def warm_up(self, shape: Shape, *, linear: bool = True) -> None:
        """Compile for requests of this shape (kind, N, J, O, K), with or without the linear form few solves need."""
        for form in (False, True)[: 1 + linear]:
            self._compiled_for(_bucket(shape), linear=form)

    def _problem(self, request: MasterRequest, linear: bool) -> _Compiled:
        return self._compiled_for(_bucket(request.shape), linear=linear)

    def _compiled_for(self, shape: Shape, *, linear: bool) -> _Compiled:
        key = (shape, linear)
        if key not in self._compiled:
            self._compiled[key] = _Compiled(shape, linear=linear)
        return self._compiled[key]


def _bucket(shape: Shape) -> Shape:
    kind, children, levels, own, slots = shape
    room = next((b for b in BUCKETS if b >= children), -(-children // 64) * 64)
    return kind, room, levels, own, slots


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A request in the solver's units, padded to its bucket."""

    level: Array  # [N, K] over the spread, first slot's (lower) or least (upper) level taken off
    slope: Array  # [N, K, J] worth of the whole box (upper) or share of capacity (lower)
    share: Array  # [N, J] the whole box as a share of capacity
    quota: Array  # [M] share of the row's unit, at most 1: nobody can use more
    price: Array  # [M]
    kappa: Array  # [O]
    limit: Array  # [O] 0.98, or 0 where there is no capacity
    unit: float
    row: Array  # [J] unit of each load row


@dataclass(frozen=True, eq=False)
class _Raw:
    """What a solver returned, in its units."""

    share: Array | None  # [N, J] upper
    weight: Array  # [N, K] ρ or λ
    price: Array  # [J]
    status: str


def _scale(request: MasterRequest) -> _Scaled:
    kind, children, levels, own, slots = request.shape
    room = _bucket(request.shape)[1]
    unit, top = request.unit, request.box
    most = top if kind == UPPER else request.slope.max(axis=1)
    passed = np.maximum(most[:, own:].sum(axis=0), 1e-12)
    row = np.concatenate([np.where(request.capacity > 0, request.capacity, 1.0), passed])
    base = request.level.min(axis=1) if kind == UPPER else request.level[:, 0]
    slope = request.slope * top[:, None, :] / unit if kind == UPPER else request.slope / row
    padded = _Scaled(
        level=np.zeros((room, slots)),
        slope=np.zeros((room, slots, levels)),
        share=np.zeros((room, levels)),
        quota=np.minimum(request.quota / passed, 1.0),
        price=request.price * passed / unit,
        kappa=request.kappa / unit,
        limit=np.where(request.capacity > 0, LOAD_LIMIT, 0.0),
        unit=unit,
        row=row,
    )
    padded.level[:children] = (request.level - base[:, None]) / unit
    padded.slope[:children] = slope
    padded.share[:children] = top / row
    return padded


def _unscale(request: MasterRequest, scaled: _Scaled, raw: _Raw, *, linear: bool) -> MasterAnswer:
    children = request.level.shape[0]
    r = np.zeros_like(request.rmax) if raw.share is None else raw.share[:children] * request.box
    return MasterAnswer(
        r=r,
        price=raw.price * scaled.unit / scaled.row,
        weight=raw.weight[:children],
        value=0.0,
        step=3 if linear else 2,
        status=raw.status,
    )


class _Compiled:
    """One cvxpy problem of a fixed shape; its parameters are the scaled request."""

    def __init__(self, shape: Shape, *, linear: bool) -> None:
        kind, children, levels, own, slots = shape
        self._kind, self._own, self._linear = kind, own, linear
        self._level = cp.Parameter((children, slots))
        self._slope = [cp.Parameter((children, slots), nonneg=True) for _ in range(levels)]
        self._share = cp.Parameter((children, levels), nonneg=True)
        self._quota = cp.Parameter(max(levels - own, 1), nonneg=True)
        self._price = cp.Parameter(max(levels - own, 1), nonneg=True)
        self._kappa = cp.Parameter(max(own, 1), nonneg=True)
        self._limit = cp.Parameter(max(own, 1), nonneg=True)
        self._load = cp.Variable(levels)
        worth, grants = self._upper(shape) if kind == UPPER else self._lower(shape)
        self._rows = grants <= self._load
        cost, delays = self._delays(own)
        limits = []
        if own:
            limits.append(self._load[:own] <= self._limit)
        if levels > own:
            limits.append(self._load[own:] <= self._quota)
            cost += self._price @ self._load[own:]
        self._problem = cp.Problem(cp.Maximize(worth - cost), [*self._links, self._rows, *limits, *delays])
        self._solver = cp.HIGHS if linear else cp.CLARABEL
        for parameter in self._problem.parameters():
            parameter.value = np.full(parameter.shape, 0.5)
        self._problem.get_problem_data(self._solver, enforce_dpp=True)
        self._map = None if linear else self._read_map()

    def _upper(self, shape: Shape) -> tuple[Any, Any]:
        _, children, levels, _, slots = shape
        self._grant = cp.Variable((children, levels))
        self._theta = cp.Variable((children, 1))
        ones = np.ones((1, slots))
        planes = self._level + sum(cp.multiply(self._slope[j], self._grant[:, j : j + 1] @ ones) for j in range(levels))
        self._cuts = self._theta @ ones <= planes
        self._links = [self._cuts, self._grant >= 0, self._grant <= 1]
        return cp.sum(self._theta), cp.sum(cp.multiply(self._share, self._grant), axis=0)

    def _lower(self, shape: Shape) -> tuple[Any, Any]:
        _, children, levels, _, slots = shape
        self._mix = cp.Variable((children, slots))
        self._links = [self._mix >= 0, cp.sum(self._mix, axis=1) == 1]
        grants = cp.hstack([cp.sum(cp.multiply(self._slope[j], self._mix)) for j in range(levels)])
        return cp.sum(cp.multiply(self._level, self._mix)), grants

    def _delays(self, own: int) -> tuple[Any, list[Any]]:
        if not own:
            return 0.0, []
        y, late = self._load[:own], cp.Variable(own)
        if not self._linear:  # late = t − 1, t (1 − y) ≥ 1
            cone = cp.SOC(late + 2 - y, cp.vstack([np.full(own, 2.0), late + y]), axis=0)
            return self._kappa @ late, [cone]
        at = 1 - np.geomspace(1.0, 1 - LOAD_LIMIT, PIECES)  # tangents of y/(1−y), dense where it is steep
        slope, base = 1 / (1 - at) ** 2, -((at / (1 - at)) ** 2)
        return self._kappa @ late, [late >= float(a) * y + float(b) for a, b in zip(slope, base, strict=True)]

    def _read_map(self) -> ConeMap | None:
        """The way round cvxpy's bookkeeping; None where there is none, then cvxpy itself solves."""
        try:
            cones = ConeMap(self._problem)
            kind = self._slope[0] if self._kind == LOWER else self._share
            self._rows_of = [int(cones.cells(p)[0][0]) for p in self._slope] if self._kind == LOWER else []
            rows, self._columns = cones.cells(kind)
            if self._kind == UPPER:
                self._rows_of = rows[: self._share.shape[1]].tolist()
                self._cut_rows = cones.rows(self._level)
        except NotSimpleError:
            return None
        return cones

    def _values(self, scaled: _Scaled) -> dict[Any, Array]:
        values = {parameter: scaled.slope[:, :, j] for j, parameter in enumerate(self._slope)}
        values |= {self._level: scaled.level, self._share: scaled.share}
        values |= {self._quota: scaled.quota, self._price: scaled.price}
        return values | {self._kappa: scaled.kappa, self._limit: scaled.limit}

    def solve(self, scaled: _Scaled) -> _Raw | None:
        """Solve for one request; None when the solver gave no numbers."""
        if self._map is None:
            return self.solve_by_cvxpy(scaled)
        x, z, status = self._map.solve(self._values(scaled))
        if not x.size:
            return None
        found = x[self._columns].reshape(-1, self._columns.size // scaled.level.shape[0])
        price = z[self._rows_of]
        if self._kind == UPPER:
            return _Raw(found, z[self._cut_rows].reshape(scaled.level.shape), price, status)
        return _Raw(None, found, price, status)

    def solve_by_cvxpy(self, scaled: _Scaled) -> _Raw | None:
        """The same by cvxpy alone: the definition, the linear form, and what `solve` is tested against."""
        values = self._values(scaled)
        for parameter in self._problem.parameters():
            parameter.value = values[parameter]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "solution may be inaccurate": the checker decides, not the status
                self._problem.solve(solver=self._solver, warm_start=False, enforce_dpp=True)
        except (cp.error.SolverError, ValueError, ArithmeticError):
            return None
        if self._load.value is None or self._rows.dual_value is None:
            return None
        share = self._grant.value if self._kind == UPPER else None
        weight = self._cuts.dual_value if self._kind == UPPER else self._mix.value
        return _Raw(share, weight, np.asarray(self._rows.dual_value), str(self._problem.status))
