"""Scenarios resolved into arrays.

Names resolve on first use: `load` and `resolve` bring pydantic, everything else numpy and the core only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.lazy import resolver

if TYPE_CHECKING:
    from tiertwin.world.builtin import builtin_names
    from tiertwin.world.loading import load
    from tiertwin.world.mixed import Mixed
    from tiertwin.world.objective import (
        leaf_problem_arrays,
        node_resources,
        offered_tasks,
        tier_costs,
        tier_energies,
        tier_latencies,
    )
    from tiertwin.world.rerouting import reroute
    from tiertwin.world.resolver import resolve
    from tiertwin.world.shares import link_shares
    from tiertwin.world.world import Objective, TwinSpec, World

_HOME = {
    "builtin_names": "builtin",
    "load": "loading",
    "Mixed": "mixed",
    **dict.fromkeys(
        ["leaf_problem_arrays", "node_resources", "offered_tasks", "tier_costs", "tier_energies", "tier_latencies"],
        "objective",
    ),
    "reroute": "rerouting",
    "resolve": "resolver",
    "link_shares": "shares",
    **dict.fromkeys(["Objective", "TwinSpec", "World"], "world"),
}
__all__ = [
    "Mixed",
    "Objective",
    "TwinSpec",
    "World",
    "builtin_names",
    "leaf_problem_arrays",
    "link_shares",
    "load",
    "node_resources",
    "offered_tasks",
    "reroute",
    "resolve",
    "tier_costs",
    "tier_energies",
    "tier_latencies",
]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others
    __getattr__ = resolver(__name__, _HOME)
