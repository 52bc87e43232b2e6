"""What passes between a parent, its children and the solver of their master problems. Frozen arrays.

A child says *cuts* (V(r) ≤ φ + g·r for every quota r) and *points* (a plan that uses u is worth v). A parent asks with
a *query*: one quota and one price a child. Numbers travel as f64, so nothing is rounded and no bound moves on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.leaf import LOAD_LIMIT, Array

Slots = NDArray[np.int64]

UPPER, LOWER = 1, 2  # kinds of master problem: over cuts, over points
ANY_VERSION = -1  # of what is true whatever the data are: what a child registered with (membership.py)

TWO_SIDED, LEAN, BRACKET = "two-sided", "lean", "bracket"
SCHEMES = (TWO_SIDED, LEAN, BRACKET)
"""What a leaf is asked in a round: at a quota and at the mean price; at the mean price; at the mean price and at those
of both models."""


@dataclass(frozen=True, eq=False)
class Said:
    """What a child said at one time: n cuts and m points, each under its slot number.

    Parameters
    ----------
    version
        Data version of the speaker; its bounds hold for these data only (`ANY_VERSION`: for all its data).
    cut_slots, phi, g
        ``[n]``, ``[n]``, ``[n, J]``: V(r) ≤ phi + g·r for all r ≥ 0.
    point_slots, u, v, scale
        ``[m]``, ``[m, J]``, ``[m]``, ``[m]``: V(u) ≥ v, and S = Σ w q^(1−α) of that plan. Slot 0 is u = 0.
    rmax
        ``[J]`` the most the subtree can use of each component.
    dear
        ``[J]`` price of each component at which it costs as much as the dearest tier; clips hints, proves nothing.
    v0
        Value when every quota below is 0: the fallback plan.
    leaves, stale
        Leaves below, and how many of them have older data than `version` without declared drift.
    revision
        How often the speaker had to make all of it anew within the version, because a child was heard late; like a
        version, a later one replaces all that was said before.
    kept
        A refresh: slopes and uses stand under these slots as they were said before, only the levels are news.
    drift, v_low
        ``[n]`` and ``[m]`` when drift is declared: of the data of the next version too, V(r) ≤ phi + drift + g·r and
        V(u) ≥ v_low, as long as the speaker keeps what it declared (docs/allocation.md). Of later ones nothing is said.
    """

    version: int
    cut_slots: Slots
    phi: Array
    g: Array
    point_slots: Slots
    u: Array
    v: Array
    scale: Array
    rmax: Array
    dear: Array
    v0: float
    leaves: int = 1
    stale: int = 0
    revision: int = 0
    kept: bool = False
    drift: Array | None = None
    v_low: Array | None = None

    @property
    def edition(self) -> tuple[int, int]:
        """Version and revision: what must be the same for two messages to be true together."""
        return self.version, self.revision

    @property
    def floats(self) -> int:
        """Numbers of the cuts and points: what the message is long by."""
        levels = self.rmax.size
        more = 0 if self.drift is None else len(self.phi) + len(self.v)
        return (levels + 1) * len(self.phi) + (levels + 2) * len(self.v) + more


@dataclass(frozen=True, eq=False)
class Query:
    """A question to a child, answered and never obeyed.

    Parameters
    ----------
    quota, price
        ``[J]`` each: "your value at this quota?" and "your plan at this price?". An empty quota is none: the lean
        scheme asks leaves at prices alone.
    used
        Bit k: cut slot k carried dual weight at the parent; bit 16 + k: point slot k did. 0 when unknown.
    more
        ``[n, J]`` further prices.
    """

    quota: Array
    price: Array
    used: int = 0
    more: Array | None = None

    @property
    def floats(self) -> int:
        """Numbers of the question."""
        return self.quota.size + self.price.size + 1 + (0 if self.more is None else self.more.size)


@dataclass(frozen=True, eq=False)
class MasterRequest:
    """One master problem: N children with J components, K slots each, O resources of the node's own.

        upper   max Σ_e min_k (level_ek + slope_ek·r_e) − Σ_o D_o(Σ_e r_eo) − price·Σ_e r_e,O:   0 ≤ r_e ≤ rmax_e
        lower   the same with r_e = Σ_k λ_ek slope_ek worth Σ_k λ_ek level_ek, λ_e in the simplex

    both with Σ_e r_eo ≤ 0.98 C_o and Σ_e r_e,O: ≤ quota.

    Parameters
    ----------
    kind
        1 upper (level φ, slope g), 2 lower (level v, slope u).
    level, slope
        ``[N, K]``, ``[N, K, J]``; empty slots repeat another.
    rmax
        ``[N, J]``.
    capacity, kappa
        ``[O]`` own resources, components 0 … O−1.
    quota, price
        ``[J − O]`` of the components passed up; inf where a quota is not limited, 0 where it is not priced.
    """

    kind: int
    level: Array
    slope: Array
    rmax: Array
    capacity: Array
    kappa: Array
    quota: Array
    price: Array

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """(kind, N, J, O, K): what a solver compiles for."""
        children, slots, levels = self.slope.shape
        return self.kind, children, levels, self.capacity.shape[0], slots

    @cached_property
    def box(self) -> Array:
        """``[N, J]`` rmax cut at what own resources can carry at all (valid: no child can be granted more)."""
        own = self.capacity.size
        top = self.rmax.copy()
        top[:, :own] = np.minimum(top[:, :own], LOAD_LIMIT * self.capacity)
        top.flags.writeable = False
        return top

    @cached_property
    def unit(self) -> float:
        """Spread of the model, utils/s: what tolerances and scalings refer to."""
        if self.kind == UPPER:
            top = (self.level + np.einsum("nkj,nj->nk", self.slope, self.box)).min(axis=1)
            spread = float(np.maximum(top - self.level.min(axis=1), 0.0).sum())
        else:
            spread = float((self.level.max(axis=1) - self.level[:, 0]).clip(0).sum())
        return max(spread, 1e-9 * float(np.abs(self.level).max(axis=1).sum()), 1e-12)

    def arrays(self) -> list[Array]:
        """Return the arrays in the order of the fields, as they travel to a solver process."""
        return [getattr(self, f.name) for f in fields(self) if f.name != "kind"]


@dataclass(frozen=True, eq=False)
class MasterAnswer:
    """The solution of a master problem, already checked and repaired to feasibility.

    Parameters
    ----------
    r
        ``[N, J]`` quotas of the children.
    price
        ``[J]`` marginal prices ≥ 0 of all components (own: dual of the load; passed: price + dual of the quota).
    weight
        ``[N, K]`` ρ (upper) or λ (lower), ≥ 0, rows sum to 1.
    value
        Objective at `r`.
    step
        Step of the solver ladder: 2 conic, 3 linear form, 6 greedy, 7 last good, 8 zero points.
    status
        What the solver called it.
    """

    r: Array
    price: Array
    weight: Array
    value: float
    step: int = 2
    status: str = "optimal"


@dataclass(frozen=True, eq=False)
class Bounds:
    """The certificate of the root: value of the optimum lies in [lb, ub].

    Parameters
    ----------
    ub, lb
        Utils/s.
    scale
        S = Σ w q^(1−α) at the plan behind `lb`.
    v0
        Value of the fallback plan, all quotas 0.
    plan
        ``[N, J]`` quotas that secure `lb` when granted.
    versions
        ``[N]`` data versions of the children that were used.
    stale
        Leaves with older data and no declared drift; the certificate holds for current data only when it is 0.
    steps
        Solver steps used since the last bounds, ascending.
    """

    ub: float
    lb: float
    scale: float
    v0: float
    plan: Array
    versions: Slots
    stale: int = 0
    steps: tuple[int, ...] = field(default=())

    @property
    def gap(self) -> float:
        """Certified gap (ub − lb)/S."""
        return (self.ub - self.lb) / max(self.scale, 1e-300)

    @property
    def gap_of_improvement(self) -> float:
        """(ub − lb)/(ub − v0): the part of the benefit of cooperation not yet secured (0 when there is none)."""
        benefit = self.ub - self.v0
        return (self.ub - self.lb) / benefit if benefit > 1e-12 * max(self.scale, 1e-300) else 0.0

    @property
    def certified(self) -> bool:
        """Whether every version behind the bounds is current or covered by declared drift."""
        return self.stale == 0

    @property
    def standing(self) -> str:
        """``certified`` or ``stale(n)``."""
        return "certified" if self.certified else f"stale({self.stale})"

    def tightened(self, before: Bounds) -> Bounds:
        """Return these bounds with the best of earlier ones of the same data version; uncertified ones never count."""
        if not (before.certified and self.certified):
            return self
        best = before if before.lb >= self.lb else self
        return replace(self, ub=min(before.ub, self.ub), lb=best.lb, scale=best.scale, plan=best.plan)
