"""The leaf problem: what an edge domain decides, and what an answer to it says. Arrays in, arrays out.

    maximise  Σ_i w_i U(q_i; α_i) − Σ_it cost_it x_it − Σ_k D_k(load_k)
    subject   Σ_t x_it ≤ d_i,  x ≥ 0,  load_k = Σ_it use_own_kit x_it ≤ 0.98 C_k,
              and  Σ_it use_quota_jit x_it ≤ r_j  (quota query)  or  − g · use in the objective (price query)

with w_i = b_i d_i, q_i = Σ_t x_it / d_i, U(q; 1) = log q, U(q; α) = (q^(1−α) − 1)/(1−α), D(y) = κ y/(C − y).
Tier 0 is the device itself: it uses no own resource and no quota, so a plan exists for every quota r ≥ 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import InputError

Array = NDArray[np.float64]

LOAD_LIMIT = 0.98  # a load stays below this share of its capacity: the delay term has a pole at 1


@dataclass(frozen=True, eq=False)
class LeafProblem:
    """One data version of a leaf: G groups, T tiers, K own resources, J quota components.

    Shapes are checked here, values by `faults` (step S1 of the solver ladder), so that a bad number reaches the
    ladder and not a traceback.

    Parameters
    ----------
    demand
        ``[G]`` tasks/s, ≥ 0.
    weight
        ``[G]`` b, utility per task/s at full service, ≥ 0.
    alpha
        ``[G]`` fairness exponent, ≥ 0 (0 linear, 1 logarithmic).
    cost
        ``[G, T]`` utility lost per task served at tier t (latency and energy), ≥ 0; column 0 is the device.
    use_own
        ``[K, G, T]`` use of own resource k per task/s, ≥ 0; zero at the device tier.
    capacity
        ``[K]`` in the unit of the resource, ≥ 0.
    kappa
        ``[K]`` scale κ of the delay term, utils/s, ≥ 0.
    use_quota
        ``[J, G, T]`` use of quota j per task/s, ≥ 0; zero at the device tier.

    Raises
    ------
    InputError
        Some array does not have the shape the others imply; names every one of them.
    """

    demand: Array
    weight: Array
    alpha: Array
    cost: Array
    use_own: Array
    capacity: Array
    kappa: Array
    use_quota: Array

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float64).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        problems = _shape_problems(self)
        if problems:
            raise InputError(problems, where="leaf problem")

    @property
    def groups(self) -> int:
        """Number of groups G."""
        return int(self.cost.shape[0])

    @property
    def tiers(self) -> int:
        """Number of tiers T, the device included."""
        return int(self.cost.shape[1])

    @property
    def own_resources(self) -> int:
        """Number of own resources K."""
        return int(self.capacity.shape[0])

    @property
    def quotas(self) -> int:
        """Number of quota components J."""
        return int(self.use_quota.shape[0])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(G, T, K, J): what a solver is compiled for."""
        return self.groups, self.tiers, self.own_resources, self.quotas

    @cached_property
    def quota_max(self) -> Array:
        """``[J]`` the most of each quota this leaf could ever use: total demand at its dearest tier."""
        most: Array = np.einsum("jg,g->j", self.use_quota.max(axis=2), self.demand)
        most.flags.writeable = False
        return most

    def faults(self) -> list[str]:
        """Say what is wrong with the values, one line each; empty when the problem can be solved."""
        found = [_value_problem(name, getattr(self, name)) for name in self.__dataclass_fields__]
        for name in ("use_own", "use_quota"):
            if np.any(getattr(self, name)[:, :, 0] != 0):
                found.append(f"{name}[:, :, 0]: the device tier uses no shared resource, expected 0")
        return [line for line in found if line]


@dataclass(frozen=True, eq=False)
class LeafAnswer:
    """A feasible plan, what it is worth by the independent checker, and the cut at the prices that came with it.

    Parameters
    ----------
    x
        ``[G, T]`` tasks/s of each group at each tier.
    value
        Objective of `x` without any price on quotas, recomputed from `x`.
    scale
        S = Σ w q^(1−α), what gaps are divided by.
    use
        ``[J]`` quota actually used by `x`.
    own_load
        ``[K]`` load of the own resources.
    own_price
        ``[K]`` marginal prices λ ≥ 0 of the own resources at which the cut was taken.
    quota_price
        ``[J]`` marginal prices g ≥ 0 of the quotas: the slope of the cut.
    phi
        Intercept of the cut: V(r) ≤ phi + quota_price · r for every r ≥ 0, whatever the solver returned.
    step
        Step of the solver ladder (2 … 8) that produced `x`.
    """

    x: Array
    value: float
    scale: float
    use: Array
    own_load: Array
    own_price: Array
    quota_price: Array
    phi: float
    step: int = 2


def _shape_problems(problem: LeafProblem) -> list[str]:
    if problem.cost.ndim != 2 or problem.cost.shape[1] < 1:
        return [f"cost: expected shape [G, T] with T ≥ 1, got {list(problem.cost.shape)}"]
    groups, tiers = problem.cost.shape
    own = problem.capacity.shape[0] if problem.capacity.ndim == 1 else -1
    quotas = problem.use_quota.shape[0] if problem.use_quota.ndim == 3 else -1
    expected: dict[str, tuple[int, ...]] = {
        "demand": (groups,),
        "weight": (groups,),
        "alpha": (groups,),
        "capacity": (own,),
        "kappa": (own,),
        "use_own": (own, groups, tiers),
        "use_quota": (quotas, groups, tiers),
    }
    symbols = {
        "demand": "G", "weight": "G", "alpha": "G", "capacity": "K", "kappa": "K",
        "use_own": "K, G, T", "use_quota": "J, G, T",
    }  # fmt: skip
    lines = []
    for name, shape in expected.items():
        came = getattr(problem, name).shape
        if came != shape:
            wanted = ", ".join("?" if n < 0 else str(n) for n in shape)
            lines.append(f"{name}: expected shape [{symbols[name]}] = [{wanted}], got {list(came)}")
    return lines


def _value_problem(name: str, array: Array) -> str:
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        at = list(map(int, np.unravel_index(bad[0], array.shape)))
        return f"{name}{at}: expected a finite number, got {array.flat[bad[0]]} ({bad.size} such)"
    bad = np.flatnonzero(array < 0)
    if bad.size:
        at = list(map(int, np.unravel_index(bad[0], array.shape)))
        return f"{name}{at}: expected a number ≥ 0, got {array.flat[bad[0]]:g} ({bad.size} such)"
    return ""
