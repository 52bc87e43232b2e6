"""Shortest paths from one node, with the way back: ours against scipy.sparse.csgraph.dijkstra on prebuilt graphs.

Each run has another source: a processor learns the branches of a small search that is run again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
from networks import mesh, random_links

from support import Case, main


def cases(quick: bool) -> Iterator[Case]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    from tiertwin import _core

    for name, make in (("mesh", mesh), ("random", random_links)):
        for nodes in (100_000,) if quick else (1_000, 10_000, 100_000):
            tail, head, weight = make(nodes)
            graph = _core.Graph(nodes, tail, head, weight)
            matrix = csr_matrix((weight, (tail, head)), shape=(nodes, nodes))

            sources = cycle(np.random.default_rng(2).permutation(nodes)[:1000].tolist())

            def ours(source: int, g: Any = graph) -> Any:
                return g.shortest_paths(source)

            def peer(source: int, m: Any = matrix) -> Any:
                return dijkstra(m, indices=source, return_predecessors=True)

            def check(mine: Any, theirs: Any, t: Any = tail, w: Any = weight) -> None:
                (dist, via), (expected, _) = mine, theirs
                assert np.array_equal(dist, expected)
                reached = np.flatnonzero(via >= 0)
                assert len(reached) == np.isfinite(dist).sum() - 1
                assert np.array_equal(dist[t[via[reached]]] + w[via[reached]], dist[reached])

            case, setup = f"sssp/{name}/{nodes}", partial(next, sources)
            yield Case(case, ours, peer, "scipy.sparse.csgraph.dijkstra", check, setup=setup)


if __name__ == "__main__":
    main(__doc__ or "", cases)
