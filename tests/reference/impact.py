"""What a failure costs, site by site and demand by demand, on networkx: dicts and loops."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx


def network(world, links, nodes):
    """The network without these links and nodes; every link carries its number and km."""
    graph = nx.Graph()
    graph.add_nodes_from(n for n in range(world.node_count) if n not in nodes)
    for link in range(world.link_count):
        a, b = int(world.link_tail[link]), int(world.link_head[link])
        if link not in links and a in graph and b in graph:
            graph.add_edge(a, b, link=link, km=float(world.link_km[link]))
    return graph


def cut_routes(world, links, nodes):
    """Routes (sites, then fogs) without any way to their end."""
    graph, found = network(world, links, nodes), []
    routes = [(int(n), int(world.fog_node[f])) for n, f in zip(world.site_node, world.site_fog, strict=True)]
    routes += [(int(n), world.cloud_node) for n in world.fog_node]
    for a, b in routes:
        found.append(not (a in graph and b in graph and nx.has_path(graph, a, b)))
    return found


def served(world, changed, links, nodes, servers_down, sites_unheard):
    """Share of each site's work that is served; `changed` is the world routed around the links."""
    graph = network(world, links, nodes)
    work, bits, cores = [], [], world.core_ghz
    for s in range(world.site_count):
        users = [float(world.group_devices[s, c].sum()) for c in range(len(world.class_names))]
        work.append(sum(u * world.tasks_per_s[c] * world.gcycles[c] for c, u in enumerate(users)))
        bits.append(sum(u * world.tasks_per_s[c] * world.megabits[c] for c, u in enumerate(users)))
    got = [0.0] * world.site_count
    sent = [0.0] * world.site_count
    for s, node in enumerate(int(n) for n in world.site_node):
        gateway = int(world.fog_node[world.site_fog[s]])
        local = 0.0 if s in servers_down or node in nodes else float(world.site_cores[s]) * cores
        got[s] = min(work[s], local)
        if node in graph and gateway in graph and nx.has_path(graph, node, gateway):
            over = min(1.0, float(changed.uplink_site_mbps[s]) / bits[s]) if bits[s] > 0 else 1.0
            sent[s] = min(work[s] - got[s], over * work[s])
    taken = [0.0] * world.fog_count
    rest = [0.0] * world.fog_count
    for f, node in enumerate(int(n) for n in world.fog_node):
        members = [s for s in range(world.site_count) if world.site_fog[s] == f]
        wanted = sum(sent[s] for s in members)
        there = 0.0 if world.site_count + f in servers_down or node in nodes else float(world.fog_cores[f]) * cores
        taken[f] = min(wanted, there)
        reaches = node in graph and world.cloud_node in graph and nx.has_path(graph, node, world.cloud_node)
        if wanted > taken[f] and reaches:
            mb = sum(sent[s] * bits[s] / work[s] for s in members if work[s] > 0)
            rest[f] = min(wanted - taken[f], wanted * float(changed.uplink_fog_mbps[f]) / mb)
    cloud = 0.0 if len(world.site_cores) + world.fog_count in servers_down else float(world.cloud_cores) * cores
    if world.cloud_node in nodes:
        cloud = 0.0
    share = min(1.0, cloud / sum(rest)) if sum(rest) > 0 else 0.0
    result = []
    for s in range(world.site_count):
        f = int(world.site_fog[s])
        wanted = sum(sent[k] for k in range(world.site_count) if world.site_fog[k] == f)
        back = sent[s] / wanted * (taken[f] + rest[f] * share) if wanted > 0 else 0.0
        whole = (got[s] + back) / work[s] if work[s] > 0 else 1.0
        result.append(0.0 if s in sites_unheard or int(world.site_node[s]) in nodes else min(whole, 1.0))
    return result


def carried(world, links, nodes):
    """Mb/s of the demand matrix that get through along paths of fewest hops."""
    graph = network(world, links, nodes)
    load, paths = {}, []
    for tail, head, mbps in zip(world.demand_tail, world.demand_head, world.demand_mbps, strict=True):
        a, b = int(tail), int(head)
        if not (a in graph and b in graph and nx.has_path(graph, a, b)):
            continue
        path = nx.shortest_path(graph, a, b)
        steps = list(pairwise(path))
        paths.append((steps, float(mbps)))
        for step in steps:
            load[step] = load.get(step, 0.0) + float(mbps)
    total = 0.0
    for steps, mbps in paths:
        room = [float(world.link_capacity_mbps[graph.edges[step]["link"]]) / load[step] for step in steps]
        total += mbps * min([1.0, *room])
    return total
