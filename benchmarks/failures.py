"""What every single failure cuts off, and every pair of a core: ours against bridges and articulation points of others.

- ``failures/mesh``, ``failures/access``  all single link and node failures, with devices and traffic lost. The peers
  (rustworkx, igraph) find the bridges and articulation points only, on prebuilt graphs, and say nothing of what they
  cut off: they do less. Mesh: a plane mesh of so many nodes; access: half of them devices that hang on it. 200
  failures are checked by taking the thing away and looking again (scipy's components).
- ``pairs/50``  N-2: all pairs of the links and nodes of a core of 50 nodes with 10^5 devices hanging on it, folded anew
  each time (target: 1 s); 60 pairs are checked in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from networks import cables_of, mesh, with_devices

from support import Case, main

CHECKED = 200


def served(nodes: int, ends: np.ndarray, cables: list[int], gone: list[int], roots: np.ndarray) -> np.ndarray:
    """Which nodes reach a root once cables and nodes are gone."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    stays = np.ones(len(ends), bool)
    stays[cables] = False
    stays &= ~np.isin(ends, gone).any(axis=1)
    left = ends[stays]
    _, label = connected_components(csr_matrix((np.ones(len(left)), left.T), shape=(nodes, nodes)), directed=False)
    alive = np.setdiff1d(roots, gone)
    up = np.isin(label, label[alive])
    up[gone] = False
    return up


def network(kind: str, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the cables, and [nodes, 2]: devices (1 each), and whole Mb/s of traffic."""
    if kind == "mesh":
        tail, head, _ = mesh(nodes)
    else:
        tail, head, _ = with_devices(mesh(nodes // 2), nodes // 2, nodes - nodes // 2)
    traffic = np.random.default_rng(3).integers(1, 50, nodes)
    return cables_of(tail, head), np.stack([np.ones(nodes), traffic], axis=1).astype(np.float64)


def both_ways(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])


def singles(kind: str, nodes: int) -> Iterator[Case]:
    import igraph
    import rustworkx

    from tiertwin import _core

    ends, weights = network(kind, nodes)
    tail, head = both_ways(ends)
    cables = _core.Cables(_core.Graph(nodes, tail, head, np.ones(len(tail))))
    roots = np.random.default_rng(11).choice(nodes, 4, replace=False)
    rust = rustworkx.PyGraph()
    rust.add_nodes_from(range(nodes))
    rust.add_edges_from_no_data([(int(a), int(b)) for a, b in ends])
    plain = igraph.Graph(n=nodes, edges=ends.tolist())

    def ours() -> Any:
        return cables.single_failures(roots, weights)

    def with_rustworkx() -> Any:
        return rustworkx.bridges(rust), rustworkx.articulation_points(rust)

    def with_igraph() -> Any:
        return plain.bridges(), plain.articulation_points()

    def check(mine: Any, theirs: Any) -> None:
        by_cable, by_node, _ = mine
        everyone = served(nodes, ends, [], [], roots)
        bridges, points = theirs
        random = np.random.default_rng(5)
        busy = np.flatnonzero(by_cable[:, 0] > 0)
        assert 0 < len(busy) <= len(bridges)  # theirs count those between nodes that no root reaches, too
        for cable in [*random.choice(busy, CHECKED // 4), *random.choice(len(ends), CHECKED // 4)]:
            gone = everyone & ~served(nodes, ends, [int(cable)], [], roots)
            assert np.array_equal(by_cable[cable], weights[gone].sum(axis=0))
        for node in [*random.choice(sorted(points), CHECKED // 4), *random.choice(nodes, CHECKED // 4)]:
            gone = everyone & ~served(nodes, ends, [], [int(node)], roots)
            assert np.array_equal(by_node[node], weights[gone].sum(axis=0))

    for name, peer in (("rustworkx", with_rustworkx), ("igraph", with_igraph)):
        yield Case(f"failures/{kind}/{nodes}/{name}", ours, peer, f"{name} bridges + articulation points only", check)


def pairs(devices: int) -> Iterator[Case]:
    from tiertwin import _core

    backbone = mesh(50)
    nodes = 50 + devices
    core_ends = cables_of(backbone[0], backbone[1])
    tail, head, _ = with_devices(backbone, 50, devices)
    ends = cables_of(tail, head)
    tail, head = both_ways(ends)
    weights = np.stack([np.arange(nodes) >= 50, np.random.default_rng(3).integers(1, 50, nodes)], 1).astype(np.float64)
    cables = _core.Cables(_core.Graph(nodes, tail, head, np.ones(len(tail))))
    roots, on = np.array([0, 1]), np.arange(50)
    at = np.arange(len(core_ends))  # the cables of the core come first

    def ours() -> Any:
        return _core.FailureCore(cables, roots, weights, at, on).pairs()

    def check(lost: Any, _: Any) -> None:
        everyone = served(nodes, ends, [], [], roots)
        elements: list[tuple[list[int], list[int]]] = [([int(c)], []) for c in at] + [([], [int(v)]) for v in on]
        assert lost.shape == (len(elements), len(elements), 2)
        for i, j in np.random.default_rng(6).integers(0, len(elements), (60, 2)):
            (a, b), (c, d) = elements[i], elements[j]
            gone = everyone & ~served(nodes, ends, a + c, b + d, roots)
            assert np.array_equal(lost[i, j], weights[gone].sum(axis=0))

    yield Case(f"pairs/50/{devices}", ours, None, "target", check, target=1.0)


def cases(quick: bool) -> Iterator[Case]:
    for kind in ("mesh", "access"):
        for nodes in (100_000,) if quick else (10_000, 100_000):
            yield from singles(kind, nodes)
    yield from pairs(100_000)


if __name__ == "__main__":
    main(__doc__ or "", cases)
