"""Networks of the graph benchmarks, by size."""

from __future__ import annotations

import numpy as np

Links = tuple[np.ndarray, np.ndarray, np.ndarray]


def mesh(nodes: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A plane mesh like a road or fibre map: random sites, two thirds of the Delaunay links, both directions.

    About 4 directed links a node; weight is the length in km on a square of 1000 km. Sites are numbered at random, so
    neighbours lie anywhere in memory.
    """
    from scipy.spatial import Delaunay

    random = np.random.default_rng(seed)
    place = random.random((nodes, 2)) * 1000.0
    corner = Delaunay(place).simplices
    pairs = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)
    pairs = pairs[random.permutation(len(pairs))[: 2 * nodes]]
    tail, head = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])
    return tail, head, np.hypot(*(place[tail] - place[head]).T)


def random_links(nodes: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four links a node between random ends, no two alike, weights 0.01..1.01: no locality and a wide frontier."""
    random = np.random.default_rng(seed)
    ends = np.unique(random.integers(0, nodes, (4 * nodes, 2)), axis=0)
    ends = ends[random.permutation(len(ends))]
    return ends[:, 0].copy(), ends[:, 1].copy(), random.random(len(ends)) + 0.01


def with_devices(core: Links, nodes: int, devices: int, seed: int = 4) -> Links:
    """A network of `nodes` nodes with devices hanging on it, each on one node, both directions; devices come last.

    Weights of the new links are 0.5..1.5.
    """
    random = np.random.default_rng(seed)
    at, device = random.integers(0, nodes, devices), np.arange(nodes, nodes + devices)
    weight = random.random(devices) + 0.5
    tail, head = np.concatenate([core[0], at, device]), np.concatenate([core[1], device, at])
    return tail, head, np.concatenate([core[2], weight, weight])


def cables_of(tail: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Ends of the cables of a network whose links all have a way back, in link order: [cables, 2]."""
    forth = tail < head
    return np.stack([tail[forth], head[forth]], axis=1)
