"""Instances of the families, drawn from a seed: what tests, benchmarks and a first try run on. Synthetic."""

from __future__ import annotations

import numpy as np

from tiertwin import _core
from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.options import InTime, Options, in_time
from tiertwin.allocate.families.routing import RoutingProblem, flow_problem
from tiertwin.errors import InputError

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


def timely_offload(
    pairs: int, seed: int = 1, *, alpha: float = 1.0, tight: float = 1.3, energy_price: float = 0.05
) -> tuple[FairProblem, InTime]:
    """`compute_offload` with deadlines, waiting and a price of energy; also what the deadlines closed.

    Nodes run at 2–16 GHz and are 1–6 ms away, 8–30 ms more in another region; a task takes that, its transmission at
    1 Gb/s and its service, and has to be done within 30, 60, 120 or 500 ms. An option costs `energy_price` a joule:
    0.4 J a Mb sent, 8 J a GHz s computed. At every node κ is a hundredth of the mean weight of its users together.
    """
    base = compute_offload(pairs, seed, alpha=alpha, tight=tight)
    options, rng = base.options, np.random.default_rng([seed, pairs, 1])
    nodes = offload_sizes(pairs)[1]
    node, uplink, away = _parts(options)
    speed, near, far = rng.uniform(2.0, 16.0, nodes), rng.uniform(1e-3, 6e-3, nodes), rng.uniform(8e-3, 30e-3, nodes)
    compute, traffic = options.use[uplink - 1], options.use[uplink]
    latency = near[node] + away * far[node] + traffic / 1e3 + compute / speed[node]
    left = in_time(options, latency, rng.choice([0.03, 0.06, 0.12, 0.5], options.users))
    joules = 0.4 * traffic * (1 + away) + 8.0 * compute
    delay = np.zeros(options.resources)
    delay[:nodes] = 0.01 * np.bincount(node, weights=base.weight[options.user_of], minlength=nodes)
    return (
        FairProblem(
            left.options,
            base.demand,
            base.weight,
            base.alpha,
            base.capacity,
            cost=energy_price * joules[left.kept],
            delay=delay,
        ),
        left,
    )


def _parts(options: Options) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Node of each option, its entry of the uplink (after that of the node), and whether it leaves its region."""
    first = options.option_offsets[:-1]
    return options.resource[first], first + 1, np.diff(options.option_offsets) > 2


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


def routing_over_paths(
    tail: np.ndarray,
    head: np.ndarray,
    km: np.ndarray,
    demand: np.ndarray,
    *,
    paths: int = 4,
    seed: int = 1,
    capacity: np.ndarray | None = None,
) -> RoutingProblem:
    """All demands of a network over different paths: shortest ones by length, then by randomly lengthened links.

    Parameters
    ----------
    tail, head, km
        Directed links.
    demand
        ``[n, n]`` traffic from node to node; 0 for none.
    paths
        At most so many a pair: the shortest, and the shortest after every link was lengthened at random, by up to a
        quarter, then up to half and so on, 4 times as many tries as paths; equal ones count once.
    capacity
        ``[links]``; None: the load of shortest paths over 0.5, in modules of 10, 40, 100, 400 and whole 400s, where
        the mean load is set to 20.
    """
    rng = np.random.default_rng(seed)
    nodes = demand.shape[0]
    source, target = np.nonzero(demand * ~np.eye(nodes, dtype=bool))
    volume = demand[source, target]
    found = []
    for turn in range(4 * paths if paths > 1 else 1):
        lengthened = np.maximum(km, 1e-3) * (1.0 + 0.25 * turn * rng.random(km.size))
        found.append(_tree_paths(_core.Graph(nodes, tail, head, lengthened), tail, source, target))
    options = _distinct_paths(found, source.size, tail.size, paths, rng)
    if capacity is None:
        flat, count = found[0]
        load = np.bincount(flat, weights=np.repeat(volume, count), minlength=tail.size)
        volume = volume * (20.0 / load[load > 0].mean())
        load = np.bincount(flat, weights=np.repeat(volume, count), minlength=tail.size)
        modules = np.array([10.0, 40.0, 100.0, 400.0])
        step = np.minimum(np.searchsorted(modules, load / 0.5), modules.size - 1)
        capacity = np.where(load / 0.5 > 400.0, np.ceil(load / 200.0) * 400.0, modules[step])
    return RoutingProblem(options, volume, capacity)


def flow_over_paths(
    tail: np.ndarray,
    head: np.ndarray,
    km: np.ndarray,
    demand: np.ndarray,
    *,
    paths: int = 4,
    seed: int = 1,
    capacity: np.ndarray | None = None,
    times: float = 4.0,
) -> FairProblem:
    """Largest flow over the paths of `routing_over_paths`, within `times` the demands its links are dimensioned for."""
    routed = routing_over_paths(tail, head, km, demand, paths=paths, seed=seed, capacity=capacity)
    return flow_problem(routed.options, times * routed.demand, routed.capacity)


def _tree_paths(
    graph: _core.Graph, tail: np.ndarray, source: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Links of the shortest path of each pair, one after another, and how many each has."""
    sources, place = np.unique(source, return_inverse=True)
    last = np.stack([graph.shortest_paths(int(s))[1] for s in sources])
    at, step, links = target.copy(), 0, []
    while True:
        pending = np.flatnonzero(at != source)
        if pending.size == 0:
            break
        link = last[place[pending], at[pending]]
        if np.any(link < 0):
            raise InputError("expected a connected network: some pair has no path")
        links.append((pending, np.full(pending.size, step), link))
        at[pending] = tail[link]
        step += 1
    pair = np.concatenate([p for p, _, _ in links])
    order = np.lexsort((-np.concatenate([s for _, s, _ in links]), pair))
    return np.concatenate([k for _, _, k in links])[order], np.bincount(pair, minlength=source.size)


def _distinct_paths(
    found: list[tuple[np.ndarray, np.ndarray]], pairs: int, links: int, most: int, rng: np.random.Generator
) -> Options:
    """Paths of each pair in the order found, each set of links once."""
    name = rng.integers(1, 2**62, links)  # a path is known by the sum of its links' names
    total = [np.add.reduceat(name[flat], np.concatenate([[0], np.cumsum(n)[:-1]])) for flat, n in found]
    kept: list[np.ndarray] = []
    count = np.zeros(pairs, dtype=np.int64)
    for i in range(len(found)):
        new = count < most
        for j in range(i):
            new &= total[i] != total[j]
        kept.append(new)
        count += new
    size = np.stack([np.where(kept[i], found[i][1], 0) for i in range(len(found))], axis=1)  # [pairs, tries]
    place = np.concatenate([[0], np.cumsum(size.reshape(-1))])[:-1].reshape(size.shape)
    resource = np.empty(int(size.sum()), dtype=np.int64)
    for i, (flat, n) in enumerate(found):
        within = np.arange(flat.size) - np.repeat(np.cumsum(n) - n, n)
        mine = np.repeat(kept[i], n)
        resource[(np.repeat(place[:, i], n) + within)[mine]] = flat[mine]
    lengths = size.reshape(-1)[np.stack(kept, axis=1).reshape(-1)]
    return Options(
        np.concatenate([[0], np.cumsum(count)]),
        np.concatenate([[0], np.cumsum(lengths)]),
        resource,
        np.ones(resource.size),
        links,
    )
