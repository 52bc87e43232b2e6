"""What a user may write: mypy has nothing to say. Read by test_snippets.py, never run."""

from __future__ import annotations

from typing import assert_type

import networkx as nx
import numpy as np
import numpy.typing as npt

import tiertwin
from tiertwin import _core
from tiertwin.model import Scenario
from tiertwin.orchestrate.policies import Policy, SiteInputs, register
from tiertwin.store import Table


class Own:
    name = "own"

    def plan(self, site: SiteInputs) -> npt.NDArray[np.float64]:
        return np.zeros((site.problem.groups, site.problem.tiers))


policy: Policy = Own()
register(Own())

town: nx.Graph[str] = nx.Graph()
assert_type(tiertwin.load(town, devices__count=100), Scenario)
result = tiertwin.run("metro", epochs=6, seed=7, policies=["hierarchical", policy.name])
assert_type(result, tiertwin.Result)
assert_type(result.kpis("hierarchical"), Table)

ends = np.array([0, 1], dtype=np.int64)
graph = _core.Graph(2, ends, ends[::-1].copy(), np.ones(2))
overlay = _core.Overlay(graph)
assert_type(graph.shortest_paths(0, overlay), tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]])
assert_type(graph.k_shortest(0, 1, 3), list[npt.NDArray[np.int64]])
assert_type(_core.decode_hello(memoryview(b"")), tuple[int, int, int, int, int, int, int, int, int])
assert_type(_core.REASONS["checksum"], int)
