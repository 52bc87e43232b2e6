"""A fork of a stored run, as its twins believed at the end of an epoch.

The run directory keeps what every edge believed of demand. It does not keep plans, quotas or measured background: plans
and quotas are those of the hierarchy for that demand, background is the scenario's daily mean, links and servers are as
in the inventory. So a fork of a stored run has no intervals either.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError
from tiertwin.model.parse import parse_scenario
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.fork import Fork
from tiertwin.orchestrate.forktree import planned
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import group_names
from tiertwin.runtime.faithful import play
from tiertwin.runtime.plan import make_plan
from tiertwin.store import open_run
from tiertwin.world import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from tiertwin.store import StoredRun
    from tiertwin.world import World

NOT_KEPT = (
    "From the run: the demand that edges believed. Not kept there, so worked out anew: plans and quotas (those of the "
    "hierarchy for that demand); taken from the scenario: background (daily mean), links, servers."
)


def stored_fork(folder: str | Path, epoch: int | None = None, policy: str = HIERARCHICAL) -> tuple[Fork, int]:
    """Return a fork of the whole network as believed at the end of `epoch` (the last one without), and that epoch.

    Raises
    ------
    InputError
        The folder is no run, the epoch is not in it, or an edge's belief is not.
    """
    with open_run(folder) as stored:
        last = stored.last_epoch(policy)
        at = last if epoch is None else epoch
        if not 0 <= at <= last:
            raise InputError(f"epoch: expected 0 … {last} (what the run holds of {policy}), got {at}", str(folder))
        fields = {key: value for key, value in stored.scenario.items() if key != "world"}
        scenario = parse_scenario(fields, where=str(folder))
        world = resolve(scenario)
        demand = _demand(stored, world, at, policy)
        seed = stored.seed
    plan = make_plan(scenario, at + 1, seed, [HIERARCHICAL])
    solvers: tuple[Any, Any] = leaf_solver(scenario.policy.leaf_solver), master_solver(scenario.policy.master_solver)
    return Fork(planned(world, demand, *solvers), {}, *solvers, faithful=partial(play, plan, world, at + 1)), at


def _demand(stored: StoredRun, world: World, epoch: int, policy: str) -> Any:
    """Return the believed task rates, [S, G]."""
    number = {name: k for k, name in enumerate(group_names(world).tolist())}
    demand = np.full((world.site_count, len(number)), np.nan)
    for twin in world.twins:
        if twin.tier != Tier.EDGE:
            continue
        known = stored.time_of(twin.name, epoch, policy)
        if known is None:
            raise InputError(
                f"{twin.name}: the run holds nothing that it believed by epoch {epoch}", str(stored.folder)
            )
        held = stored.as_of(twin.name, known, policy)
        for entity, attribute, value in zip(held["entity"], held["attribute"], held["value"], strict=True):
            if attribute == "demand" and entity in number:
                demand[twin.site, number[entity]] = value
    if not np.isfinite(demand).all():
        site = int(np.flatnonzero(~np.isfinite(demand).all(axis=1))[0])
        name = world.node_names[int(world.site_node[site])]
        raise InputError(f"the run does not hold the believed demand of every group at {name!r}", str(stored.folder))
    return demand
