"""Networks of packets made of topohub's topologies: random pairs, paths of the fewest hops, two rules for rates.

``common``: 10 Mb/s everywhere, as many packets as load the busiest link to `load`. ``each``: the same packets, and
every link that is used has the rate at which it is loaded to `load`, the hardest case for queues.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from tiertwin.interop.topohub import topohub_raw
from tiertwin.plant.packets import UNLIMITED, PacketFlows, PacketLinks

COMMON_BPS = 10_000_000
NS_PER_KM = 5000
MEAN_BYTES = {"fixed": 1000.0, "exponential": 1000.0, "imix": (7 * 64 + 4 * 594 + 1518) / 12}


def scene(
    name: str,
    rule: str = "common",
    size: str = "exponential",
    buffer: int = UNLIMITED,
    *,
    load: float = 0.9,
    flows: int = 100,
    seed: int = 1,
    **more: Any,
) -> tuple[PacketLinks, PacketFlows]:
    """Return links and Poisson flows (or what `more` says of flows) over the topology `name`."""
    raw = topohub_raw(name)
    number = {node["id"]: k for k, node in enumerate(raw["nodes"])}
    ends: dict[tuple[int, int], float] = {}
    for edge in raw["edges"]:
        a, b = number[edge["source"]], number[edge["target"]]
        if a != b:
            ends.setdefault((min(a, b), max(a, b)), float(edge["dist"]))
    tail, head = np.array([(*pair, *pair[::-1]) for pair in ends]).reshape(-1, 2).T
    delay = np.repeat(np.rint(np.array(list(ends.values())) * NS_PER_KM).astype(np.int64), 2)
    paths = _paths(tail.tolist(), head.tolist(), len(number), flows, seed)
    flows_on = np.bincount(np.concatenate(paths), minlength=len(tail))
    pps = load * COMMON_BPS / (8 * MEAN_BYTES[size] * flows_on.max())
    rate = np.full(len(tail), COMMON_BPS)
    if rule == "each":
        used = flows_on > 0
        rate[used] = np.rint(flows_on[used] * pps * 8 * MEAN_BYTES[size] / load).astype(np.int64)
    return (
        PacketLinks(rate, delay, buffer, tail, head),
        PacketFlows(paths, pps, size=size, bytes=int(MEAN_BYTES[size]), **more),
    )


def star(arms: int, buffer: int) -> tuple[PacketLinks, PacketFlows]:
    """Return a star of synchronous flows of one packet size: every arrival is a tie.

    Node k = 0..arms-1 sends to node (k + 1) % arms and (k + 2) % arms over the hub, so that each link out of the hub
    gets two packets at the same nanosecond.
    """
    arm, hub = np.arange(arms), np.full(arms, arms)
    paths = [[k, arms + (k + step) % arms] for step in (1, 2) for k in range(arms)]
    tail, head = np.concatenate([arm, hub]), np.concatenate([hub, arm])
    # 1.5 times what the links out of the hub can carry: rate up is twice the rate down
    rate = np.concatenate([np.full(arms, 20_000_000), np.full(arms, 10_000_000)])
    links = PacketLinks(rate, 50_000, buffer, tail, head)
    return links, PacketFlows(paths, 937.5, "constant", "fixed", 1000, phase_ns=0)


def _paths(tail: list[int], head: list[int], nodes: int, flows: int, seed: int) -> list[list[int]]:
    """Links of the path of the fewest hops, for random pairs of different nodes that have one."""
    leaving = links_from(tail, nodes)
    rng, paths = np.random.default_rng(seed), list[list[int]]()
    while len(paths) < flows:
        a, b = rng.choice(nodes, 2, replace=False).tolist()
        path = fewest_hops(leaving, head, a, b)
        if path:
            paths.append(path)
    return paths


def links_from(tail: Sequence[int], nodes: int) -> list[list[int]]:
    """Return the links that leave each node."""
    leaving: list[list[int]] = [[] for _ in range(nodes)]
    for link, node in enumerate(tail):
        leaving[node].append(link)
    return leaving


def fewest_hops(
    leaving: Sequence[Sequence[int]], head: Sequence[int], start: int, end: int, avoided: int = -1
) -> list[int]:
    """Return the links of the path of the fewest hops from `start` to `end` without the link `avoided`; none: empty."""
    via: dict[int, tuple[int, int]] = {start: (-1, -1)}
    queue = deque([start])
    while queue and end not in via:
        node = queue.popleft()
        for link in leaving[node]:
            if link != avoided and head[link] not in via:
                via[head[link]] = (node, link)
                queue.append(head[link])
    path: list[int] = []
    while end in via and end != start:
        end, link = via[end]
        path.append(link)
    return path[::-1]
