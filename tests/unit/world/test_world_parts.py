"""The parts of the resolver one by one: names, day, devices, sizes, costs, reroute."""

from __future__ import annotations

import re
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.model.fields import NODE_NAME
from tiertwin.model.scenario import Dimensioning
from tiertwin.model.tiers import Tier
from tiertwin.world import (
    World,
    leaf_problem_arrays,
    link_shares,
    load,
    node_resources,
    offered_tasks,
    reroute,
    resolve,
    tier_costs,
    tier_energies,
    tier_latencies,
)
from tiertwin.world.day import shape, stretch
from tiertwin.world.names import slugs
from tiertwin.world.objective import queueing_kappa
from tiertwin.world.population import split
from tiertwin.world.shares import Crossings, narrowest_links
from tiertwin.world.sizing import link_capacities, urban_sites
from tiertwin.world.sources import great_circle_km


@pytest.fixture(scope="module")
def metro() -> World:
    return resolve(load("metro"))


def row_of_nodes(count: int, **more: object) -> World:
    """Nodes in a row, one fog, cloud at the first node."""
    graph = nx.path_graph(count)
    nx.set_edge_attributes(graph, 10.0, "km")
    return resolve(load(graph, name="row", fogs__gateways=["0"], cloud__at="0", devices__count=60 * count, **more))


# -- names -----------------------------------------------------------------------------------------------------------


def test_slugs_spell_out_and_are_unique():
    names = ["Köln", "Koeln", "Łódź", "Sankt  Gallen!", "北京", "-", "STRASSE", "Straße", "Ærø", "x" * 100, "x" * 99]
    made = slugs(names)
    assert made[:9] == ("koeln", "koeln-2", "lodz", "sankt-gallen", "n4", "n5", "strasse", "strasse-2", "aeroe")
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(NODE_NAME, f"device-{form}") for form in made)


def test_twins_are_named_after_their_city():
    names = {twin.name for twin in resolve(load("germany50")).twins}
    assert {"cloud-1", "fog-1", "fog-6", "edge-koeln", "device-koeln"} < names


# -- day -------------------------------------------------------------------------------------------------------------


def test_shapes_are_periodic_with_mean_one():
    curve = shape([1.0, 3.0], 4)
    assert curve.tolist() == [0.5, 1.0, 1.5, 1.0]


def test_stretching_meets_the_peak_of_the_sum():
    curves = [shape([1.0, 3.0, 2.0], 30), shape([3.0, 1.0, 2.0], 30)]
    made = stretch(curves, [3.0, 1.0], 1.2, "here")
    together = (3.0 * made[0] + made[1]) / 4.0
    assert together.max() == pytest.approx(1.2)
    assert together.mean() == pytest.approx(1.0)
    assert stretch([shape([1.0, 1.0], 5)], [1.0], 1.5, "here")[0].tolist() == [1.0] * 5


def test_a_peak_out_of_reach_is_refused():
    with pytest.raises(InputError, match=r"here: expected a peak over mean that the shapes .* can reach, got 3\.000"):
        stretch([shape([1.0, 2.0], 24)], [1.0], 3.0, "here")


# -- devices ---------------------------------------------------------------------------------------------------------


def test_split_keeps_total_and_floor():
    weight = np.array([100.0, 1.0, 0.0, 7.0])
    assert split(1000, weight, 50).tolist() == [837, 50, 50, 63]
    assert split(7, weight, 50).sum() == 7
    assert split(0, weight).tolist() == [0, 0, 0, 0]
    assert split(10, np.zeros(4)).sum() == 10


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_modules_and_bundles():
    rule = Dimensioning(link_modules_mbps=(100.0, 400.0))
    background = np.array([40.0, 10.0, 180.1, 0.0, 0.0, 0.0, 450.0, 0.0])
    planned = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 90.0, 0.0, 0.0])
    # 40/.45 = 89 → 100; 180.1/.45 = 400.2 → two of 400; 90/.8 = 112.5 → 400; stated
    assert link_capacities(rule, background, planned, [None, None, None, 7.0]).tolist() == [100.0, 800.0, 400.0, 7.0]


def test_urban_is_where_demand_is_dense():
    tail, head = np.array([0, 1, 2]), np.array([1, 2, 3])
    urban = urban_sites(np.ones(4), tail, head, np.array([1.0, 10.0, 10.0]), 1.0)
    assert urban.tolist() == [True, True, False, False]  # mean link 1, 5.5, 10, 10 km; the network's is 7.6


def test_great_circle():
    assert great_circle_km(6.96, 50.94, 13.41, 52.52) == pytest.approx(478, abs=2)  # Köln - Berlin


# -- costs -----------------------------------------------------------------------------------------------------------


def test_latencies_by_hand():
    """Site 2 of a row of three, 20 km and two links from fog and cloud: vehicle, ring 0."""
    world = row_of_nodes(
        3, topology={"links": [{"a": str(i), "b": str(i + 1), "km": 10, "capacity_mbps": 100} for i in (0, 1)]}
    )
    latency = tier_latencies(world)[2, 0, 0]
    served = 0.2 / 178.0 + 0.1 / 2.0
    away = 2 * 20 * 5e-6 + 2 * 0.2 / 100.0
    ghz = world.group_ghz[2, 0, 0]
    assert latency.tolist() == pytest.approx([0.1 / ghz / (1 - 0.1 / ghz), served, served + away, served + away])
    energy = tier_energies(world)[2, 0, 0]
    assert energy.tolist() == pytest.approx([0.1 * ghz**2, *[0.2 / 178.0 * 0.2 + 0.4 * 0.1] * 3])
    cores = [world.site_cores[2], world.fog_cores[world.site_fog[2]], world.cloud_cores]
    in_service = np.array([0.0, *(0.1 * queueing_kappa(world, int(c)) / (2.0 * c) for c in cores)])
    wanted = np.maximum(20.0 * latency - in_service, 0.0) + 0.1 * energy
    assert tier_costs(world)[2, 0, 0].tolist() == pytest.approx(wanted.tolist())


def test_a_served_task_is_worth_more_than_it_costs_at_the_edge(metro: World):
    cost = tier_costs(metro)
    assert (cost[..., Tier.EDGE] < metro.b[:, None]).all()


def test_leaf_arrays_have_the_agreed_shapes_and_units(metro: World):
    demand = offered_tasks(metro, 0)[3].ravel()
    arrays = leaf_problem_arrays(metro, 3, demand)
    groups = metro.groups_per_site
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes == {
        "demand": (groups,), "weight": (groups,), "alpha": (groups,), "cost": (groups, 4), "use_own": (3, groups, 4),
        "capacity": (3,), "kappa": (3,), "use_quota": (3, groups, 4),
    }  # fmt: skip
    assert all(array.dtype == np.float64 and array.flags.c_contiguous for array in arrays.values())
    assert not arrays["use_own"][:, :, 0].any()
    assert not arrays["use_quota"][:, :, :2].any()
    ar_ring2 = 1 * 5 + 2
    assert arrays["use_own"][:, ar_ring2, 1].tolist() == pytest.approx([0.5 / 77.0, 0.05, 0.0])
    assert arrays["use_own"][:, ar_ring2, 2].tolist() == pytest.approx([0.5 / 77.0, 0.0, 0.5])
    assert arrays["use_quota"][:, ar_ring2, 2].tolist() == [0.05, 0.0, 0.0]
    assert arrays["use_quota"][:, ar_ring2, 3].tolist() == [0.0, 0.5, 0.05]
    assert arrays["capacity"].tolist() == [metro.site_cells[3], metro.site_cores[3] * 2.0, metro.uplink_site_mbps[3]]
    assert leaf_problem_arrays(metro, 3, demand, uplink_mbps=0.0)["capacity"][2] > 0
    cores = int(metro.site_cores[3])
    at_server = 0.1 + queueing_kappa(metro, cores) / (2.0 * cores)
    assert (arrays["kappa"] / arrays["capacity"]).tolist() == pytest.approx([1.0, at_server, 0.01])


def test_small_servers_are_charged_for_queueing_and_large_ones_hardly(metro: World):
    """Erlang C at 0.8: 0.8 at one core, 0.711 at two; the mean task loses s̄ utils a second."""
    rate = metro.class_share * metro.tasks_per_s
    mean = float(rate @ metro.s) / float(rate.sum())
    assert queueing_kappa(metro, 1) == pytest.approx(0.8 * mean)
    assert queueing_kappa(metro, 2) == pytest.approx(0.7111 * mean, rel=1e-3)
    assert queueing_kappa(metro, 200) < 0.01 * mean
    assert queueing_kappa(metro, 0) == 0.0


def test_what_nodes_own(metro: World):
    assert set(node_resources(metro, "cloud-1")) == {"compute"}
    own = node_resources(metro, "fog-2", uplink_mbps=12.0)
    assert own["uplink"] == (12.0, pytest.approx(0.12))
    assert own["compute"][0] == metro.fog_cores[1] * 2.0


def test_cells_keep_the_stated_load():
    world = resolve(load("germany50"))
    airtime = (offered_tasks(world, 0) / np.where(world.site_urban, *_level(world))[:, None, None]) * (
        world.megabits[:, None] / world.ring_rate_mbps
    )
    load_of = airtime.sum(axis=(1, 2)) / world.site_cells
    assert load_of.max() <= 0.6 + 1e-9
    assert (airtime.sum(axis=(1, 2)) / np.maximum(world.site_cells - 1, 0.5) > 0.6).all()


def _level(world: World) -> tuple[float, float]:
    return float(world.profile_urban[0]), float(world.profile_rural[0])


# -- reroute ---------------------------------------------------------------------------------------------------------


def test_rerouting_around_nothing_changes_nothing(metro: World):
    same = reroute(metro, np.zeros(metro.link_count, dtype=bool))
    assert same.background_mbps.tolist() == metro.background_mbps.tolist()
    assert same.uplink_site_mbps.tolist() == metro.uplink_site_mbps.tolist()


def test_a_route_goes_around_a_failed_link(metro: World):
    site = int(np.argmax([len(route) for route in metro.route_site_links]))
    failed = np.zeros(metro.link_count, dtype=bool)
    failed[metro.route_site_links[site][0] // 2] = True
    broken = link_shares(metro, metro.background_mbps, failed)[0]
    assert broken[site] == 0.0
    around = reroute(metro, failed)
    assert around.uplink_site_mbps[site] > 0.0
    assert not failed[np.concatenate([*around.route_site_links, *around.route_fog_links]) // 2].any()
    assert not around.background_mbps[np.repeat(failed, 2)].any()
    assert around.twins == metro.twins
    assert around.link_owner == metro.link_owner


def test_what_is_cut_off_has_no_uplink():
    world = row_of_nodes(4)
    cut = reroute(world, np.array([False, True, False]))
    assert (cut.uplink_site_mbps[:2] > 0).all()
    assert cut.uplink_site_mbps[2:].tolist() == [0.0, 0.0]
    assert [len(route) for route in cut.route_site_links] == [0, 1, 0, 0]
    assert cut.background_mbps[:2].sum() > 0
    assert np.isfinite(tier_costs(cut)).all()
    healed = reroute(cut, np.zeros(3, dtype=bool))
    assert healed.uplink_site_mbps.tolist() == world.uplink_site_mbps.tolist()


def test_failed_flags_of_the_wrong_size(metro: World):
    with pytest.raises(InputError, match=r"expected 20 flags \(one a link\), got shape \(3,\)"):
        reroute(metro, np.zeros(3, dtype=bool))


def test_one_node_is_a_world():
    world = resolve(load({"name": "one", "topology": {"nodes": [{"name": "Alone"}]}, "devices": {"count": 60}}))
    assert (world.site_count, world.link_count, world.fog_count) == (1, 0, 1)
    assert world.uplink_site_mbps.tolist() == [world.lan_mbps]


def test_resolving_refuses_what_parsing_could_not_see():
    scenario = load("metro").model_copy(update={"cloud": load("metro").cloud.model_copy(update={"at": "Nowhere"})})
    with pytest.raises(InputError, match=r"cloud\.at: expected a node of the topology, got 'Nowhere'"):
        resolve(scenario)


def test_a_twins_process_reads_worlds_without_pydantic():
    code = (
        "import sys; from tiertwin.world import World, link_shares, reroute, tier_costs, leaf_problem_arrays; "
        "print(sorted({'pydantic', 'yaml', 'networkx', 'topohub', 'cvxpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_crossings_share_every_link_out_whole(metro: World):
    """One entry a crossing; the parts of a link add up to 1, and a selection keeps its parts."""
    crossings = Crossings.of(metro)
    routes = [*metro.route_site_links, *metro.route_fog_links]
    assert crossings.routes == len(routes)
    assert crossings.link.tolist() == [int(d) for route in routes for d in route]
    parts = np.bincount(crossings.link, crossings.fraction, minlength=2 * metro.link_count)
    assert parts[np.unique(crossings.link)] == pytest.approx(1.0)
    one = np.arange(2 * metro.link_count) == crossings.link[0]
    chosen = crossings.where(one)
    assert chosen.fraction.tolist() == crossings.fraction[crossings.link == crossings.link[0]].tolist()
    free = np.ones(2 * metro.link_count)
    assert np.isfinite(chosen.shares(free)).sum() == len(set(chosen.route.tolist()))


def test_no_uplink_is_wider_than_the_narrowest_link(metro: World):
    sites, fogs = narrowest_links(metro)
    for uplink, narrowest in ((metro.uplink_site_mbps, sites), (metro.uplink_fog_mbps, fogs)):
        assert (uplink <= narrowest).all()
    for route, mbps in zip([*metro.route_site_links, *metro.route_fog_links], [*sites, *fogs], strict=True):
        assert mbps == (metro.link_capacity_mbps[route // 2].min() if len(route) else metro.lan_mbps)
