"""What failures cut off, by taking things away and looking again. Slow on purpose."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reference.graph import Network, components


def cables_of(net: Network) -> list[int]:
    """The i-th link a -> b and the i-th link b -> a are one cable, numbered by its lowest link."""
    waiting: dict[tuple[int, int], list[int]] = {}
    cable: list[int] = []
    count = 0
    for tail, head, _ in net.links:
        ahead = waiting.get((head, tail), [])
        if ahead and tail != head:
            cable.append(ahead.pop(0))
        else:
            cable.append(count)
            waiting.setdefault((tail, head), []).append(count)
            count += 1
    return cable


def served(net: Network, roots: Collection[int], cable: Sequence[int], cables: set[int], nodes: set[int]) -> set[int]:
    """The nodes that reach a root, directions ignored, when cables and nodes are gone on top of what is down."""
    links = {link for link, number in enumerate(cable) if number in cables}
    _, label = components(Network(net.nodes, net.links, net.failed_links | links, net.failed_nodes | nodes))
    good = {label[root] for root in roots} - {-1}
    return {node for node in range(net.nodes) if label[node] in good}


def lost(
    net: Network,
    roots: Collection[int],
    cable: Sequence[int],
    weights: Sequence[Sequence[float]],
    cables: Collection[int],
    nodes: Collection[int],
) -> list[float]:
    """Sum of each column over the nodes that reached a root before the failure and do not after."""
    gone = served(net, roots, cable, set(), set()) - served(net, roots, cable, set(cables), set(nodes))
    return [sum(weights[node][column] for node in gone) for column in range(len(weights[0]))]
