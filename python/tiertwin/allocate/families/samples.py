"""Instances of the families, drawn from a seed: what tests, benchmarks and a first try run on. Synthetic."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.options import Options

CHOICES = 4  # nodes a user may offload to


def offload_sizes(pairs: int) -> tuple[int, int, int]:
    """Numbers of (sites, nodes, regions) that go with this many pairs of user and node."""
    size = max(pairs, 64) ** 0.5
    return max(3, round(0.6 * size)), max(4, round(0.2 * size)), max(2, round(0.04 * size))


def compute_offload(pairs: int, seed: int = 1, *, alpha: float = 1.0, tight: float = 1.3) -> FairProblem:
    """Users at sites offload to nodes: node compute, site uplinks, regional links, demands.

    Each user may use `CHOICES` nodes, half of them in its own region where there are so many. Rates are tasks/s; a
    task takes 0.05–2 GHz s at its node, 0.1–4 Mb on the uplink of its site, and as much on the link into the node's
    region if that is another. Demands are log-normal; capacities are drawn around the mean load per resource at full
    demand over `tight`, so that at 1.3 about half of the resources are short.
    """
    rng = np.random.default_rng([seed, pairs])
    sites, nodes, regions = offload_sizes(pairs)
    users = max(1, pairs // CHOICES)
    node_region = rng.permutation(np.arange(nodes) % regions)
    site_region = np.arange(sites) % regions
    site = rng.integers(0, sites, users)
    chosen = _choices(rng, site_region[site], node_region, users, nodes)
    compute, traffic = rng.uniform(0.05, 2.0, users), rng.uniform(0.1, 4.0, users)
    demand, weight = rng.lognormal(0.0, 0.7, users), rng.uniform(0.5, 3.0, users)
    away = node_region[chosen] != site_region[site][:, None]
    resource = np.stack(
        [chosen, np.broadcast_to(nodes + site[:, None], chosen.shape), nodes + sites + node_region[chosen]], axis=2
    )
    use = np.broadcast_to(np.stack([compute, traffic, traffic], axis=1)[:, None, :], resource.shape)
    kept = np.ones(resource.shape, dtype=bool)
    kept[:, :, 2] = away
    per_option = kept.sum(axis=2).reshape(-1)
    options = Options(
        np.arange(users + 1) * chosen.shape[1],
        np.concatenate([[0], np.cumsum(per_option)]),
        resource[kept],
        use[kept],
        nodes + sites + regions,
    )
    mean = options.uses @ np.repeat(demand / chosen.shape[1], chosen.shape[1])
    capacity = np.maximum(mean, 1e-3) / tight * rng.uniform(0.6, 1.4, options.resources)
    return FairProblem(options, demand, weight, np.full(users, alpha), capacity)


def _choices(
    rng: np.random.Generator, region: np.ndarray, node_region: np.ndarray, users: int, nodes: int
) -> np.ndarray:
    """``[users, ≤ CHOICES]`` different nodes, those of the own region preferred for the first half."""
    width = min(CHOICES, nodes)
    out = np.empty((users, width), dtype=np.int64)
    for r in np.unique(region):
        members = np.flatnonzero(region == r)
        near = np.flatnonzero(node_region == r)
        start = rng.integers(0, nodes, members.size)
        step = 1 + rng.integers(0, max(1, (nodes - 1) // width), members.size)
        anywhere = (start[:, None] + step[:, None] * np.arange(width)) % nodes
        half = min(width // 2, near.size)
        if half:
            first = (rng.integers(0, near.size, members.size)[:, None] + np.arange(half)) % near.size
            anywhere[:, :half] = near[first]
        out[members] = anywhere
    return _distinct(out, nodes)


def _distinct(rows: np.ndarray, nodes: int) -> np.ndarray:
    """Move repeated nodes of a row on to the next free one."""
    for column in range(1, rows.shape[1]):
        while True:
            clash = np.any(rows[:, :column] == rows[:, [column]], axis=1)
            if not clash.any():
                break
            rows[clash, column] = (rows[clash, column] + 1) % nodes
    return rows
