"""Laws of weighted sharing in the plant: conservation of work, proportional shares, isolation, set-points at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plant_world import one_of_each, populated, tiny_world
from tiertwin.plant import PlantKpis, PlantOptions, SimulatedPlant

SECOND = 1_000_000_000
FOREVER = float("inf")
EDGE, FOG, CLOUD = 1, 2, 3


def one_server(rates: list[float], **changes: Any) -> SimpleNamespace:
    """One site, a device of each class; a task takes 10 ms of a core of 1 GHz, or of a link of 100 Mb/s."""
    classes = len(rates)
    fields: dict[str, Any] = {
        "tasks_per_s": np.array(rates),
        "megabits": np.full(classes, 1.0),
        "gcycles": np.full(classes, 0.01),
        "deadline_s": np.full(classes, 0.1),
        "transmit_w": np.full(classes, 0.5),
        "arrival": np.zeros(classes, dtype=np.int64),
        "on_s": np.zeros(classes),
        "off_s": np.zeros(classes),
        **populated(np.ones((1, classes, 1), dtype=np.int64), classes, 1),
    }
    return one_of_each(**{**fields, **changes})


def played(
    world: Any, tier: int, shares: list[float] | None, seconds: int = 20, buffer_s: float = 1.0, **options: Any
) -> PlantKpis:
    """Every task at `tier`; `shares` in GHz of every server, and a hundred times that in Mb/s of every link."""
    plant = SimulatedPlant(world, 3, PlantOptions(report_s=0.0, radio_factor=(1.0,), buffer_s=buffer_s, **options))
    devices = np.arange(len(world.device_site))
    plant.actuate(devices, np.tile(np.eye(4)[tier], (len(devices), 1)))
    if shares is not None:
        plant.set_site_shares(0, np.tile(shares, (3, 1)), 100.0 * np.tile(shares, (2, 1)))
    plant.advance(seconds * SECOND, 0)
    return plant.kpis()


@settings(max_examples=25)
@given(
    rates=st.lists(st.floats(5.0, 60.0), min_size=1, max_size=4),
    shares=st.lists(st.sampled_from([0.0, 0.01, 0.3, 1.0]), min_size=4, max_size=4),
)
def test_no_share_idles_while_a_task_waits(rates: list[float], shares: list[float]) -> None:
    """One core, fed alike: every discipline that conserves work is busy at the same times, whatever the weights."""
    world = one_server(rates, core_ghz=1.0)
    weighted = played(world, EDGE, shares[: len(rates)], buffer_s=FOREVER, exponential_sizes=True)
    equal = played(world, EDGE, None, buffer_s=FOREVER, exponential_sizes=True, servers="ps")
    assert weighted.server_load_ghz[0] == pytest.approx(equal.server_load_ghz[0], rel=1e-6)
    assert weighted.total("in_time") + weighted.total("late") + weighted.in_flight == weighted.total("generated")


def test_backlogged_flows_get_work_in_proportion_to_their_shares() -> None:
    shares = np.array([0.1, 0.2, 0.3])
    for tier in (EDGE, FOG, CLOUD):
        kpis = played(one_server([200.0] * 3, core_ghz=1.0), tier, list(shares), 50, buffer_s=0.1)
        floor = 1e-3 / 3
        np.testing.assert_allclose(kpis.completed / 5000, (shares + floor) / (shares + floor).sum(), atol=2e-3)


def test_backlogged_flows_share_a_link_in_proportion_and_before_any_grant_equally() -> None:
    world = one_server([200.0] * 3, gcycles=np.zeros(3), link_capacity_mbps=np.array([100.0, 1e9]))
    equal = played(world, FOG, None, 50)
    np.testing.assert_allclose(equal.completed / 5000, 1 / 3, atol=1e-3)
    granted = played(world, FOG, [0.1, 0.2, 0.3], 50)
    floor = 1e-3 / 3
    np.testing.assert_allclose(granted.completed / 5000, np.array([0.1, 0.2, 0.3]) / 0.6, atol=3 * floor)


def test_what_one_flow_leaves_goes_to_the_others_by_weight() -> None:
    """Two overloaded, one at a tenth of the server under a share of half of it: the rest is split 1 : 3."""
    kpis = played(one_server([10.0, 200.0, 200.0], core_ghz=1.0), EDGE, [0.5, 0.1, 0.3], 50, buffer_s=0.1)
    assert kpis.completed[0] == pytest.approx(kpis.generated[0], abs=2)
    rest = 5000 - kpis.completed[0]
    np.testing.assert_allclose(kpis.completed[1:] / rest, [0.25, 0.75], atol=2e-3)


def test_a_task_has_one_core_at_most_and_the_rest_goes_to_others() -> None:
    """Four cores, shares 3 : 1: a flow of one long task at a time uses one core, so the other one gets three."""
    world = one_server(
        [0.0, 1000.0], gcycles=np.array([100.0, 0.01]), core_ghz=1.0, site_cores=np.array([4]), deadline_s=np.ones(2)
    )
    kpis = played(world, EDGE, [3.0, 1.0], 50, buffer_s=0.1, traces={0: (np.array([0.0]), 0.0)})
    assert kpis.completed.tolist() == [0, pytest.approx(15_000, abs=20)]


@pytest.mark.parametrize("tier", [EDGE, FOG], ids=["server", "link"])
def test_an_overloaded_neighbour_takes_nothing_of_what_is_guaranteed(tier: int) -> None:
    """With a flood beside it a flow does no worse, task for task, than alone on a server of its guaranteed speed."""
    slow = {"core_ghz": 1.0} if tier == EDGE else {"gcycles": np.zeros(2)}
    world = one_server([30.0, 300.0], link_capacity_mbps=np.array([100.0, 1e9]), **slow)
    kpis = played(world, tier, [0.6, 0.4])
    part = 0.999 * 0.6  # the floors of both
    alone = one_server([30.0, 0.0], link_capacity_mbps=np.array([100.0 * part, 1e9]), **slow)
    if tier == EDGE:
        alone.core_ghz = part
    bound = played(alone, tier, None, servers="ps", links="fifo")
    assert kpis.completed[0] >= bound.completed[0] > 500
    assert kpis.latency_s[0] / kpis.completed[0] <= bound.latency_s[0] / bound.completed[0] * (1 + 1e-9)
    assert kpis.lost[0] == 0 < kpis.lost[1]  # and who floods a queue drops its own tasks only


def test_a_share_of_nothing_waits_but_does_not_starve() -> None:
    alone = played(one_server([50.0, 0.0], core_ghz=1.0), EDGE, [0.0, 1.0])
    equal = played(one_server([50.0, 0.0], core_ghz=1.0), EDGE, None, servers="ps")
    np.testing.assert_allclose(alone.latency_s, equal.latency_s, rtol=1e-6)
    once = {0: (np.array([1.0]), 0.0)}
    beside = played(one_server([0.0, 200.0], core_ghz=1.0), EDGE, [0.0, 1.0], 30, traces=once)
    assert beside.latency_s[0] == pytest.approx(0.01 / (0.0005 / 1.001), rel=1e-6)  # the floor: half a thousandth


@pytest.mark.parametrize("tier", [EDGE, FOG, CLOUD])
def test_one_flow_is_plain_sharing_at_servers_and_first_in_first_out_on_links(tier: int) -> None:
    world = one_server([150.0], core_ghz=1.0, site_cores=np.array([2]), fog_cores=np.array([2]), cloud_cores=2)
    world.link_capacity_mbps, world.link_km = np.array([200.0, 180.0]), np.full(2, 99.0)
    weighted = played(world, tier, [0.3], exponential_sizes=True)
    plain = played(world, tier, None, exponential_sizes=True, servers="ps", links="fifo")
    np.testing.assert_array_equal(weighted.completed, plain.completed)
    np.testing.assert_allclose(weighted.latency_s, plain.latency_s, rtol=1e-6)
    np.testing.assert_allclose(weighted.server_load_ghz, plain.server_load_ghz, rtol=1e-6)


def test_a_grant_counts_for_tasks_under_way() -> None:
    """Two long tasks of 10 Gcycles on one core: half each until 10 s, then 1 : 3; done at 23.33 s and 20 s."""
    world = one_server([0.0, 0.0], gcycles=np.full(2, 10.0), core_ghz=1.0, deadline_s=np.full(2, 99.0))
    at = {c: (np.array([0.0]), 0.0) for c in range(2)}
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0, traces=at, buffer_s=FOREVER))
    plant.actuate(np.arange(2), np.tile(np.eye(4)[EDGE], (2, 1)))
    plant.advance(10 * SECOND, 0)
    plant.set_site_shares(0, np.tile([0.25 - 2.5e-4, 0.75 + 2.5e-4], (3, 1)), np.ones((2, 2)))  # 1 : 3 with the floors
    plant.advance(40 * SECOND, 0)
    np.testing.assert_allclose(plant.kpis().latency_s, [20.0, 10.0 + 5.0 / 0.75], rtol=1e-3)


def test_background_slows_what_is_under_way_on_a_shared_link() -> None:
    """100 Mb at 100 Mb/s for 0.5 s, then at 25 Mb/s."""
    world = one_server(
        [0.0], gcycles=np.zeros(1), megabits=np.full(1, 100.0), link_capacity_mbps=np.array([100.0, 1e9])
    )
    world.profile_urban = world.profile_rural = np.ones(2)
    world.background_mbps = np.array([75.0, 0.0, 0.0, 0.0])
    world.profile_background = np.array([0.0, 1.0])
    latency = {}
    for links in ("weighted", "fifo"):
        options = PlantOptions(report_s=0.0, traces={0: (np.array([0.0]), 0.0)}, links=links)
        plant = SimulatedPlant(world, 1, options)
        plant.actuate(np.array([0]), np.eye(4)[[FOG]])
        plant.advance(SECOND // 2, 0)
        plant.advance(5 * SECOND, 1)
        latency[links] = plant.kpis().latency_s[0]
    assert latency["weighted"] == pytest.approx(0.5 + 50.0 / 25.0, abs=1e-6)
    assert latency["fifo"] == pytest.approx(1.0, abs=1e-6)


def busy_grants(cuts: list[int]) -> PlantKpis:
    """Overloaded servers and links, grants every 200 ms, with time cut at `cuts` besides."""
    world = tiny_world(tasks_per_s=np.array([40.0, 10.0]), core_ghz=0.4, link_capacity_mbps=np.full(3, 60.0))
    world.background_mbps = np.ones(6)
    plant = SimulatedPlant(world, 7, PlantOptions())
    rng = np.random.default_rng(1)
    plant.actuate(np.arange(24), rng.dirichlet(np.ones(4), 24) * [0.1, 1.0, 1.0, 1.0])
    for time in sorted({*cuts, *range(0, 2 * SECOND + 1, SECOND // 5)}):
        plant.advance(time, 0)
        if time % (SECOND // 5) == 0:
            for site in range(2):
                plant.set_site_shares(site, rng.uniform(0.0, 4.0, (3, 2)), rng.uniform(0.0, 40.0, (2, 2)))
    return plant.kpis()


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 2 * SECOND), max_size=20))
def test_how_time_is_cut_changes_nothing_while_servers_and_links_are_short(cuts: list[int]) -> None:
    whole, cut = busy_grants([]), busy_grants(cuts)
    assert whole.total("late") > 100
    for name in PlantKpis.__dataclass_fields__:
        assert np.array_equal(getattr(whole, name), getattr(cut, name)), name


def test_a_new_route_takes_the_grants_along_and_tasks_under_way_finish_on_the_old_one() -> None:
    world = one_server(
        [200.0, 200.0],
        gcycles=np.zeros(2),
        link_tail=np.array([0, 1, 0]),
        link_head=np.array([1, 2, 1]),
        link_km=np.zeros(3),
        link_capacity_mbps=np.array([100.0, 1e9, 100.0]),
        background_mbps=np.zeros(6),
    )
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0, buffer_s=1.0))
    plant.actuate(np.arange(2), np.tile(np.eye(4)[FOG], (2, 1)))
    plant.set_site_shares(0, np.ones((3, 2)), np.array([[20.0, 80.0], [1.0, 1.0]]))
    plant.advance(2 * SECOND, 0)
    world.route_site_links = (np.array([4]),)
    before = plant.kpis()
    plant.reroute(world)
    plant.advance(12 * SECOND, 0)
    after = plant.kpis()
    assert after.link_load_mbps[4] == pytest.approx(100.0, rel=0.01)
    assert 100.0 <= after.link_load_mbps[0] * 10.0 <= 200.0  # the second of work that stood there, or a little more
    np.testing.assert_allclose(after.completed / after.total("completed"), [0.2, 0.8], atol=0.02)
    assert before.total("completed") == pytest.approx(200, abs=2)
