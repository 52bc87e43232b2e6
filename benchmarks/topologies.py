"""Networks of topohub as arrays of directed links, with demands between all pairs or those of SNDlib."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np

SHORT = {"germany50": "sndlib/germany50", "TataNld": "topozoo/TataNld", "gabriel500": "gabriel/500/0"}


def topology(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[tuple[int, int], float]]:
    """Return tail, head, km of both directions of every link, and the stored demands (both ways)."""
    file = resources.files("topohub").joinpath("data", *f"{SHORT.get(name, name)}.json".split("/"))
    raw = json.loads(file.read_text(encoding="utf-8"))
    number = {node["id"]: i for i, node in enumerate(raw["nodes"])}
    pairs: dict[tuple[int, int], float] = {}
    for edge in raw["edges"]:
        a, b = sorted((number[edge["source"]], number[edge["target"]]))
        if a != b:
            pairs.setdefault((a, b), float(edge.get("dist") or 1.0))
    ends = np.array(list(pairs), dtype=np.int64)
    km = np.array(list(pairs.values()))
    demands = {
        (number[int(a)], number[int(b)]): float(volume)
        for a, row in raw["graph"].get("demands", {}).items()
        for b, volume in row.items()
        if volume > 0 and int(a) != int(b)
    }
    both = {**demands, **{(b, a): volume for (a, b), volume in demands.items()}}
    tail, head = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    return tail, head, np.concatenate([km, km]), both


def gravity(nodes: int, seed: int = 1) -> np.ndarray:
    """Demands between all pairs, the product of log-normal masses (sigma 0.8): a few big places, many small ones."""
    mass = np.random.default_rng([seed, nodes]).lognormal(0.0, 0.8, nodes)
    demand = np.outer(mass, mass)
    np.fill_diagonal(demand, 0.0)
    return demand


def stored(nodes: int, demands: dict[tuple[int, int], float]) -> np.ndarray:
    """The stored demands as a matrix."""
    matrix = np.zeros((nodes, nodes))
    for (a, b), volume in demands.items():
        matrix[a, b] = volume
    return matrix
