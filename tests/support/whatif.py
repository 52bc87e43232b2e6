"""Beliefs and situations for the tests of the what-if engine."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from support.inprocess import MASTERS, world_of
from tiertwin import _core
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.orchestrate.belief import Belief
from tiertwin.orchestrate.changes import Batch
from tiertwin.orchestrate.forktree import planned
from tiertwin.world import offered_tasks

NONE, LOCAL = 0, 1
Row = tuple[int, int, int, float]


@lru_cache
def belief_of(name: str = "metro", load: float = 1.0) -> Belief:
    """The belief of a whole network at `load` times its daily mean, planned for."""
    world = world_of(name)
    mean = np.mean([offered_tasks(world, e) for e in range(world.epochs_per_day)], axis=0)
    return planned(world, load * mean.reshape(world.site_count, -1), leaf_solver("kernel"), MASTERS)


def one_fog_less(arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a domain without the last fog's sites."""
    last = len(arrays["fog_node"]) - 1
    kept = np.flatnonzero(arrays["site_fog"][arrays["home"]] != last)
    sites = len(arrays["home"])
    by_site = (
        "demand",
        "users",
        "airtime",
        "device_ghz",
        "cost",
        "seconds",
        "energy_j",
        "capacity",
        "kappa",
        "plan",
        "quota",
    )
    cut = {name: np.ascontiguousarray(arrays[name].reshape(sites, -1)[kept].ravel()) for name in by_site}
    return {**arrays, **cut, "home": arrays["home"][kept]}


def sweep(engine: _core.WhatIf, situations: list[list[Row]], replan: int, threads: int = 1) -> np.ndarray:
    return engine.sweep(*Batch.of(situations).arrays(), replan, threads)


def rows_of(
    belief: Belief, most: int = 4, factors: st.SearchStrategy[float] | None = None
) -> st.SearchStrategy[list[Row]]:
    """Any changes of a network, in any order."""
    world = belief.world
    factor = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 3.0]) if factors is None else factors
    share = st.sampled_from([0.0, 0.0, 0.3, 1.0])
    link, node = st.integers(0, world.link_count - 1), st.integers(0, world.node_count - 1)
    site = st.integers(0, world.site_count - 1)
    server = st.integers(0, len(belief.server_ghz) - 1)
    cell = st.integers(0, world.site_count * world.groups_per_site - 1)
    zero = st.just(0)
    one = st.one_of(
        st.tuples(zero, link, zero, share),
        st.tuples(st.just(1), link, zero, factor),
        st.tuples(st.just(2), link, zero, st.floats(0.0, 500.0)),
        st.tuples(st.just(3), server, zero, factor),
        st.tuples(st.just(4), server, zero, st.sampled_from([2.0, 16.0])),
        st.tuples(st.just(5), node, zero, st.just(0.0)),
        st.tuples(st.just(6), site, zero, st.floats(0.0, 1.0)),
        st.tuples(st.just(7), site, zero, st.floats(0.0, 50.0)),
        st.tuples(st.just(8), site, zero, factor),
        st.tuples(st.just(9), site, site, st.floats(0.0, 1.0)),
        st.tuples(st.just(10), cell, cell, st.floats(0.0, 1.0)),
    )
    return st.lists(one, max_size=most)
