"""Children that join and leave: what is true of a child nobody has heard of yet.

A child is registered with the most it could ever demand. Utilities of served shares and minus all costs are ≤ 0, so
V(r) ≤ 0 for every quota: a cut with φ = 0 and g = 0. With quota 0 it can serve on the devices: a point with u = 0,
worth its value at the most it could demand. At less demand the same shares are worth at least as much, since each
group's b U(q) − c q is ≤ 0 and counts in proportion to its demand. Both hold for every data version of the child
(`ANY_VERSION`), so bounds stay certified while it is only registered; they are loose until it says hello.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiertwin.allocate import kernel
from tiertwin.allocate.bounds import leaf_worth
from tiertwin.allocate.leaf import Array, LeafProblem
from tiertwin.allocate.leafside import dearest
from tiertwin.allocate.messages import ANY_VERSION, Said


def register_leaf(most: LeafProblem) -> Said:
    """Return what is true of a leaf whose demands never exceed those of `most`; its devices and costs must be these."""
    worth = leaf_worth(most, kernel.refresh(most, np.zeros((most.groups, most.tiers))))
    return _registered(most.quota_max, dearest(most), worth.value, worth.scale, 1)


def register_node(below: Sequence[Said], own: int) -> Said:
    """Return what is true of a node whose children are registered; `own` of their components end at it."""
    rmax = np.sum([said.rmax[own:] for said in below], axis=0)
    dear = np.max([said.dear[own:] for said in below], axis=0)
    value, scale = sum(float(said.v[0]) for said in below), sum(float(said.scale[0]) for said in below)
    return _registered(rmax, dear, value, scale, sum(said.leaves for said in below))


def _registered(rmax: Array, dear: Array, value: float, scale: float, leaves: int) -> Said:
    first, nothing = np.zeros(1, dtype=np.int64), np.zeros((1, rmax.size))
    return Said(
        version=ANY_VERSION,
        cut_slots=first,
        phi=np.zeros(1),
        g=nothing,
        point_slots=first,
        u=nothing,
        v=np.array([value]),
        scale=np.array([scale]),
        rmax=rmax,
        dear=dear,
        v0=value,
        leaves=leaves,
    )
