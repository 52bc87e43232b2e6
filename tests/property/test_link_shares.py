"""Law of links: no link exceeds capacity − background under any allocation inside the uplink shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.inprocess import world_of
from tiertwin.orchestrate.links import HEADROOM, LinkShares
from tiertwin.world import World, link_shares


def owners(world: World) -> list[str]:
    return sorted(set(world.link_owner))


def uplinks(world: World, background: np.ndarray, up: np.ndarray) -> np.ndarray:
    """What all owners together grant each route (sites, then fogs)."""
    routes = np.full(world.site_count + world.fog_count, np.inf)
    every = np.arange(2 * world.link_count, dtype=np.int64)
    capacity = np.repeat(world.link_capacity_mbps, 2)
    for owner in owners(world):
        shares = LinkShares(world, owner)
        for _ in range(40):  # the measurement is smoothed; let it settle
            shares.observe(every, background, capacity, up)
        routes = np.minimum(routes, np.concatenate(shares.shares()))
    return routes


@pytest.mark.parametrize("name", ["metro", "germany50"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), failed=st.integers(0, 3))
def test_no_link_exceeds_what_background_leaves(name: str, seed: int, failed: int) -> None:
    world = world_of(name)
    rng = np.random.default_rng(seed)
    capacity = np.repeat(world.link_capacity_mbps, 2)
    background = rng.uniform(0.0, 1.1, len(capacity)) * capacity
    up = np.ones(len(capacity))
    for link in rng.integers(0, world.link_count, failed):
        up[2 * link : 2 * link + 2] = 0.0
    granted = uplinks(world, background, up)
    used = rng.uniform(0.0, 1.0, len(granted)) * np.where(np.isfinite(granted), granted, 0.0)
    load = np.zeros(len(capacity))
    for route, mbps in zip([*world.route_site_links, *world.route_fog_links], used, strict=True):
        load[route] += mbps
    room = np.maximum(capacity - background, 0.0) * up
    crossed = load > 0
    assert (load[crossed] <= room[crossed] + 1e-6 * capacity[crossed]).all()


def test_every_link_has_one_owner_and_it_is_the_lowest() -> None:
    world = world_of("germany50")
    fogs = {t.fog: t.name for t in world.twins if t.tier == 2}
    for link, owner in enumerate(world.link_owner):
        ends = {int(world.node_fog[world.link_tail[link]]), int(world.node_fog[world.link_head[link]])}
        assert owner == (fogs[ends.pop()] if len(ends) == 1 else world.twins[0].name)


def test_a_failed_link_leaves_nothing_to_its_routes() -> None:
    world = world_of("metro")
    route = next(k for k, links in enumerate(world.route_site_links) if len(links))
    up = np.ones(2 * world.link_count)
    up[world.route_site_links[route][0]] = 0.0
    granted = uplinks(world, world.background_mbps, up)
    assert granted[route] == 0.0


@pytest.mark.parametrize("name", ["metro", "germany50"])
def test_owners_together_share_as_the_world_does(name: str) -> None:
    """One rule: what all owners grant at nominal background is `link_shares` with the headroom taken off."""
    world = world_of(name)
    capacity = np.repeat(world.link_capacity_mbps, 2)
    granted = uplinks(world, world.background_mbps, np.ones(len(capacity)))
    quiet = np.zeros(world.link_count, dtype=bool)
    expected = np.concatenate(link_shares(world, world.background_mbps + HEADROOM * capacity, quiet))
    crossing = np.isfinite(granted)
    assert granted[crossing] == pytest.approx(expected[crossing], rel=1e-9)
    assert (expected[~crossing] == world.lan_mbps).all()
