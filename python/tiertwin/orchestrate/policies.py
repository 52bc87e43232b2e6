"""The simple policies every comparison needs, and how to bring one's own.

Each plans one site at a time from the same demand estimate as the hierarchy, with a fixed share of the upper tiers in
proportion to nominal demand: they need no word from above, which is their strength and their limit.

============== =========================================================================================================
``edge-only``  the site's best plan (same utility, same solver) without any upper tier
``cloud-only`` what the site's share of cloud and uplinks carries, the best plan of that; the rest stays on the devices
``nearest``    every tier filled in turn from the edge up to 95 % of capacity, all groups alike; the rest on the devices
``static``     fixed split in proportion to the capacities a site can reach at its nominal load, never changed
============== =========================================================================================================

The first two split servers and hops over the service classes of their plans as the hierarchy does. The others fill or
overload servers without regard to classes, where the split costs them more than it gives: all classes get the same
part (``splits = False``).

A user's policy is any object with ``name`` and ``plan(site)``, found by the entry-point group ``tiertwin.policies``;
its plans are split, unless it has an attribute ``splits`` that is false.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from tiertwin.errors import UnknownNameError, suggest

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.allocate.leaf import LeafProblem

    F64 = npt.NDArray[np.float64]

ENTRY_POINTS = "tiertwin.policies"
HIERARCHICAL = "hierarchical"
FILL = 0.95  # of capacity: beyond it a processor-sharing queue costs more than it serves


@dataclass(frozen=True)
class SiteInputs:
    """What a policy knows of its site.

    Parameters
    ----------
    problem
        Leaf problem at the estimated demand.
    nominal
        The same at nominal demand; it never changes.
    share
        Fixed part of the upper tiers, in the components of the quota vector, [J].
    solver
        ``solve_quota(problem, r) -> LeafAnswer``.
    """

    problem: LeafProblem
    nominal: LeafProblem
    share: F64
    solver: Any


@runtime_checkable
class Policy(Protocol):
    """Plans one site: rates [G, T] in tasks/s, feasible for the site and for ``share``."""

    name: str

    def plan(self, site: SiteInputs) -> F64:
        """Return the tasks/s of each group at each tier (device, edge, …, cloud)."""
        ...


class EdgeOnly:
    """Best plan without the upper tiers."""

    name = "edge-only"

    def plan(self, site: SiteInputs) -> F64:
        x: F64 = site.solver.solve_quota(site.problem, np.zeros(site.problem.quotas)).x
        return x


class CloudOnly:
    """Best plan with device and cloud alone."""

    name = "cloud-only"

    def plan(self, site: SiteInputs) -> F64:
        cost = site.problem.cost.copy()
        cost[:, 1:-1] += 1e3 * (1.0 + cost.max())
        problem = replace(site.problem, cost=cost)
        x: F64 = site.solver.solve_quota(problem, site.share).x
        x = x.copy()
        x[:, 1:-1] = 0.0
        return x


class Nearest:
    """Fill the nearest tier first."""

    name = "nearest"
    splits = False

    def plan(self, site: SiteInputs) -> F64:
        problem = site.problem
        x = np.zeros((problem.groups, problem.tiers))
        left = problem.demand.copy()
        own = FILL * problem.capacity
        quota = site.share.copy()
        for tier in range(1, problem.tiers):
            own_use = problem.use_own[:, :, tier] @ left
            quota_use = problem.use_quota[:, :, tier] @ left
            fraction = min(1.0, _fits(own, own_use), _fits(quota, quota_use))
            x[:, tier] = fraction * left
            own -= fraction * own_use
            quota -= fraction * quota_use
            left = left - x[:, tier]
        x[:, 0] = left
        return x


class Static:
    """A fixed split in proportion to reachable capacity at nominal load."""

    name = "static"
    splits = False

    def plan(self, site: SiteInputs) -> F64:
        problem, nominal = site.problem, site.nominal
        room = np.zeros(problem.tiers)
        for tier in range(1, problem.tiers):
            own_use = nominal.use_own[:, :, tier] @ nominal.demand
            quota_use = nominal.use_quota[:, :, tier] @ nominal.demand
            room[tier] = min(_fits(FILL * nominal.capacity, own_use), _fits(site.share, quota_use))
        split = room / max(room.sum(), 1e-12) * min(1.0, self._shared_limit(nominal, site.share, room))
        split[0] = max(0.0, 1.0 - split.sum())
        plan: F64 = problem.demand[:, None] * split[None, :]
        return plan

    @staticmethod
    def _shared_limit(nominal: LeafProblem, share: F64, room: F64) -> float:
        """Largest common factor at which the split fits what the tiers share (radio, uplinks)."""
        split = room / max(room.sum(), 1e-12)
        own = np.einsum("kgt,g,t->k", nominal.use_own, nominal.demand, split)
        quota = np.einsum("jgt,g,t->j", nominal.use_quota, nominal.demand, split)
        return min(_fits(FILL * nominal.capacity, own), _fits(share, quota))


def _fits(capacity: F64, use: F64) -> float:
    """Largest factor f with f·use ≤ capacity."""
    wanted = use > 1e-12
    if not wanted.any():
        return float("inf")
    return float(max(np.min(capacity[wanted] / use[wanted]), 0.0))


BUILT_IN: dict[str, type[Any]] = {p.name: p for p in (EdgeOnly, CloudOnly, Nearest, Static)}


_registered: dict[str, Policy] = {}


def register(policy: Policy) -> None:
    """Make a policy object known in this process; an installed package uses the entry-point group instead."""
    if not isinstance(policy, Policy):
        raise TypeError(f"expected an object with name and plan(site), got {policy!r}")
    if policy.name in BUILT_IN or policy.name == HIERARCHICAL:
        raise ValueError(f"policy {policy.name!r}: the name is taken by a built-in one; choose another")
    _registered[policy.name] = policy


def policy_names() -> list[str]:
    """Names of all policies: the hierarchy, the built-in ones, installed ones."""
    from importlib.metadata import entry_points  # noqa: PLC0415  brings email

    installed = {e.name for e in entry_points(group=ENTRY_POINTS)}
    return [HIERARCHICAL, *BUILT_IN, *sorted((installed | set(_registered)) - set(BUILT_IN))]


def find_policy(name: str) -> Policy:
    """Return the policy called `name`; raises :class:`UnknownNameError` with suggestions."""
    if name in BUILT_IN:
        built: Policy = BUILT_IN[name]()
        return built
    if name in _registered:
        return _registered[name]
    from importlib.metadata import entry_points  # noqa: PLC0415  brings email

    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            loaded = entry.load()
            found = loaded() if isinstance(loaded, type) else loaded
            if not isinstance(found, Policy):
                raise UnknownNameError(f"policy {name!r}: expected an object with name and plan(site), got {found!r}")
            return found
    raise UnknownNameError(f"policy: expected a known name, got {name!r}{suggest(name, policy_names())}")
