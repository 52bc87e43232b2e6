"""Arrays of links to a graph that shortest paths can run on: ours against scipy.sparse.csr_matrix (csgraph's input)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from networks import mesh, random_links

from support import Case, main


def cases(quick: bool) -> Iterator[Case]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    from tiertwin import _core

    for name, make in (("mesh", mesh), ("random", random_links)):
        for nodes in (100_000,) if quick else (10_000, 100_000, 1_000_000):
            tail, head, weight = make(nodes)

            def ours(n: int = nodes, t: Any = tail, h: Any = head, w: Any = weight) -> Any:
                return _core.Graph(n, t, h, w)

            def peer(n: int = nodes, t: Any = tail, h: Any = head, w: Any = weight) -> Any:
                return csr_matrix((w, (t, h)), shape=(n, n))

            def check(graph: Any, matrix: Any, t: Any = tail, h: Any = head, w: Any = weight) -> None:
                # The same links in the same order, and the same network: equal distances over it.
                assert np.array_equal(graph.tails(), t)
                assert np.array_equal(graph.heads(), h)
                assert np.array_equal(graph.weights(), w)
                assert graph.link_count == matrix.nnz
                assert np.array_equal(graph.shortest_paths(0)[0], dijkstra(matrix, indices=0))

            yield Case(
                f"graph_build/{name}/{nodes}", ours, peer, "scipy.sparse.csr_matrix", check, "links/s", float(len(tail))
            )


if __name__ == "__main__":
    main(__doc__ or "", cases)
