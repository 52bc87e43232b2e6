"""Hop-count ECMP against an outside truth: the link utilisations stored in topohub's SNDlib topologies.

topohub stores, for each link and direction, its load as a percentage of the busiest link's, to two decimals: `org` for
the demand matrix of SNDlib, `uni` for one unit between every pair. A demand is stored once a pair and is routed both
ways, with its volume each way; `ecmp_fwd` is the direction source -> target of the stored edge.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import topohub

from tiertwin import _core

# di-yuan, germany50, nobel-*, polska store each pair once; abilene, geant hold both orders (topohub then adds them up).
TOPOLOGIES = ["germany50", "nobel-germany", "nobel-eu", "polska", "di-yuan", "abilene", "geant"]
ROUNDING = 0.005  # two decimals of a percentage


def sndlib(name: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # topohub leaves its file to the garbage collector
        topology: dict[str, Any] = topohub.get(f"sndlib/{name}")
    return topology


def both_ways(pairs: list[tuple[int, int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, volume = (np.array(column) for column in zip(*pairs, strict=True))
    a, b, volume = a.astype(np.int64), b.astype(np.int64), volume.astype(np.float64)
    return np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([volume, volume])


def demands(topology: dict[str, Any], mode: str) -> list[tuple[int, int, float]]:
    if mode == "org":
        stored = topology["graph"]["demands"]
        return [(int(a), int(b), float(v)) for a, row in stored.items() for b, v in row.items()]
    ids = [node["id"] for node in topology["nodes"]]
    return [(a, b, 1.0) for i, a in enumerate(ids) for b in ids[i + 1 :]]


@pytest.mark.parametrize("mode", ["org", "uni"])
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_loads_equal_the_stored_ones_up_to_one_factor(name: str, mode: str) -> None:
    topology = sndlib(name)
    edges = topology["edges"]
    ends = np.array([(edge["source"], edge["target"]) for edge in edges], dtype=np.int64)
    tail, head = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    graph = _core.Graph(len(topology["nodes"]), tail, head, np.ones(tail.size))

    load = graph.ecmp_loads(*both_ways(demands(topology, mode)))

    stored = np.array([edge[way][mode] for way in ("ecmp_fwd", "ecmp_bwd") for edge in edges])
    assert stored.max() == 100.0
    factor = 100.0 / load.max()
    np.testing.assert_allclose(load * factor, stored, rtol=0, atol=ROUNDING * (1 + 1e-9))
    told = stored >= 5.0  # below, the rounding of the stored value alone may exceed 1e-3 of it
    np.testing.assert_allclose(load[told] * factor, stored[told], rtol=1e-3, atol=0)
