"""Situations to sweep over: every single failure of a network, and every pair."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from tiertwin.model.interventions import FailLink, FailNode, Situation

if TYPE_CHECKING:
    from tiertwin.world import World


def single_failures(world: World) -> list[Situation]:
    """Return one situation a link, then one a node; of parallel links the first stands for all."""
    return [Situation("", (given,)) for given in _elements(world)]


def double_failures(world: World) -> list[Situation]:
    """Return every pair of links and nodes; none of a node and a link that ends there, which is down with it."""
    found = []
    for first, second in combinations(_elements(world), 2):
        if isinstance(first, FailLink) and isinstance(second, FailNode) and second.node in first.ends:
            continue
        found.append(Situation("", (first, second)))
    return found


def _elements(world: World) -> list[FailLink | FailNode]:
    links: dict[frozenset[str], FailLink] = {}
    for tail, head in zip(world.link_tail.tolist(), world.link_head.tolist(), strict=True):
        given = FailLink(world.node_names[tail], world.node_names[head])
        links.setdefault(given.ends, given)
    return [*links.values(), *(FailNode(name) for name in world.node_names)]
