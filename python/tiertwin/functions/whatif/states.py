"""The network in a situation, as a planner sees it: routes around what is down, what is left of servers and links.

Known here: failures of links, nodes, sites and groups, degraded links, demand scaled and moved, capacity added. Rain,
storms of handovers and parameters are for twin and plant; a planner that ignored them would plan for something else, so
they are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.model.interventions import (
    AddCapacity,
    AddSite,
    DegradeLink,
    FailGroup,
    FailLink,
    FailNode,
    FailSite,
    Intervention,
    MoveDemand,
    RepairLink,
    ScaleDemand,
    Situation,
)
from tiertwin.world.places import Places
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class State:
    """A world in a situation.

    Parameters
    ----------
    world
        With routes around what is down.
    demand
        Tasks/s of each site, class and ring, [S, C, R].
    link_mbps
        Capacity of each link left, each way, [m]; 0 where it is down.
    site_ghz, fog_ghz, cloud_ghz
        Of the servers, [S], [F]; 0 where they are down.
    cells
        Of each site, [S]; 0 where they are down.
    """

    world: World
    demand: F64
    link_mbps: F64
    site_ghz: F64
    fog_ghz: F64
    cloud_ghz: float
    cells: F64


def state_of(world: World, situation: Situation) -> State:
    """Return the world in a situation, interventions in their order; nominal demand is the day's mean.

    Raises
    ------
    InputError
        An intervention a planner does not know, or one that does not fit the world, with the situation's name.
    UnknownNameError
        A name that is not in the world.
    """
    maker = _Maker(world)
    for one in situation.interventions:
        try:
            maker.apply(one)
        except InputError as error:
            raise type(error)(f"{one.option} {one.text()}: {error}", f"situation {situation.name!r}") from None
    return maker.state()


class _Maker:
    """A world's state while interventions are applied to it."""

    def __init__(self, world: World) -> None:
        self._world, self._places = world, Places(world)
        self._failed = np.zeros(world.link_count, dtype=bool)
        self._mbps = world.link_capacity_mbps.astype(np.float64).copy()
        self._site: F64 = world.site_cores.astype(np.float64) * world.core_ghz
        self._fog: F64 = world.fog_cores.astype(np.float64) * world.core_ghz
        self._cloud = float(world.cloud_cores) * world.core_ghz
        self._cells = world.site_cells.astype(np.float64).copy()
        self._demand = world.group_devices * world.tasks_per_s[:, None]
        self._apply: dict[type[Intervention], Callable[[Any], None]] = {
            FailLink: lambda one: self._fail(one.a, one.b),
            FailGroup: self._fail_group,
            FailNode: self._fail_node,
            FailSite: lambda one: self._fail_site(self._places.sites(one.site)),
            RepairLink: self._repair,
            DegradeLink: self._degrade,
            ScaleDemand: self._scale,
            MoveDemand: self._move,
            AddCapacity: self._add,
            AddSite: lambda one: self._add(AddCapacity(one.node, amount=one.ghz)),
        }

    def apply(self, one: Intervention) -> None:
        if type(one) not in self._apply:
            known = ", ".join(sorted(kind.option for kind in self._apply))
            raise InputError(f"expected one of {known}: a planner knows no other")
        self._apply[type(one)](one)

    def state(self) -> State:
        mbps = np.where(self._failed, 0.0, self._mbps)
        world = replace(self._world, link_capacity_mbps=np.maximum(self._mbps, 1e-9))
        if self._failed.any() or (self._mbps != self._world.link_capacity_mbps).any():
            world = reroute(world, self._failed)
        return State(world, self._demand, mbps, self._site, self._fog, self._cloud, self._cells)

    def _fail(self, a: str, b: str) -> None:
        self._failed[self._places.links(a, b)] = True

    def _fail_group(self, one: FailGroup) -> None:
        for a, b in one.links:
            self._fail(a, b)

    def _fail_node(self, one: FailNode) -> None:
        node, world = self._places.node(one.node), self._world
        self._failed[(world.link_tail == node) | (world.link_head == node)] = True
        self._fail_site(np.flatnonzero(world.site_node == node))
        self._fog[world.fog_node == node] = 0.0
        if world.cloud_node == node:
            self._cloud = 0.0

    def _fail_site(self, sites: I64) -> None:
        self._site[sites] = 0.0
        self._cells[sites] = 0.0

    def _repair(self, one: RepairLink) -> None:
        links = self._places.links(one.a, one.b)
        self._failed[links] = False
        self._mbps[links] = self._world.link_capacity_mbps[links]

    def _degrade(self, one: DegradeLink) -> None:
        self._mbps[self._places.links(one.a, one.b)] *= one.share

    def _scale(self, one: ScaleDemand) -> None:
        self._demand[self._places.sites(one.area)] *= one.factor

    def _move(self, one: MoveDemand) -> None:
        source, target = (self._places.sites(name) for name in (one.source, one.target))
        moved = one.share * self._demand[source].sum(axis=0)
        self._demand[source] *= 1.0 - one.share
        self._demand[target] += moved / len(target)

    def _add(self, one: AddCapacity) -> None:
        if isinstance(one.place, str):
            sites = self._places.sites(one.place)
            self._site[sites] = self._site[sites] * (one.factor or 1.0) + (one.amount or 0.0)
        else:
            links = self._places.links(*one.place)
            self._mbps[links] = self._mbps[links] * (one.factor or 1.0) + (one.amount or 0.0)
