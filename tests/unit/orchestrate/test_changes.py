"""Interventions become changes of the engine; unknown names and contradictions are told."""

from __future__ import annotations

import numpy as np
import pytest

from support.whatif import belief_of
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.model.interventions import Intervention
from tiertwin.model.whatif import parse_situation
from tiertwin.orchestrate.changes import CONTROL_MEGABITS, HANDOVERS_PER_USER_S, Batch, Change, Ledger
from tiertwin.orchestrate.places import Places
from tiertwin.world.handover import moved

METRO = belief_of("metro")
WORLD = METRO.world


def ledger() -> Ledger:
    return Ledger.of(Places(WORLD, METRO.name), METRO)


def parsed(text: str) -> tuple[Intervention, ...]:
    return parse_situation(text).interventions


def rows_after(text: str) -> list[tuple[int, int, int, float]]:
    found = ledger()
    found.apply(parsed(text))
    return found.rows


def link_of(a: str, b: str) -> int:
    return Places(WORLD, METRO.name).link("test", a, b)


def test_links() -> None:
    link = link_of("Centre", "Station")
    assert rows_after("fail-link Station,Centre") == [(Change.LINK_SHARE, link, 0, 0.0)]
    assert rows_after("degrade-link Centre,Station,0.4") == [(Change.LINK_SHARE, link, 0, 0.4)]
    assert rows_after("fail-link Centre,Station; repair-link Centre,Station")[-1] == (Change.LINK_SHARE, link, 0, 1.0)
    assert rows_after("add-capacity Centre,Station,x2") == [(Change.LINK_TIMES, link, 0, 2.0)]
    group = rows_after("fail-group duct=Centre,Station;Centre,Harbour")
    assert [row[1] for row in group] == [link, link_of("Centre", "Harbour")]


def test_nodes_sites_and_servers() -> None:
    node = WORLD.node_names.index("Harbour")
    site = WORLD.site_node.tolist().index(node)
    assert rows_after("fail-node Harbour") == [(Change.NODE_DOWN, node, 0, 0.0)]
    assert rows_after("fail-site Harbour") == [(Change.SERVER_TIMES, site, 0, 0.0), (Change.RADIO_TIMES, site, 0, 0.0)]
    assert rows_after("add-capacity Harbour,+8") == [(Change.SERVER_ADD, site, 0, 8.0)]
    assert rows_after("add-capacity cloud-1,x2")[0][:2] == (Change.SERVER_TIMES, len(METRO.server_ghz) - 1)
    assert rows_after("add-capacity fog-1,x2")[0][:2] == (Change.SERVER_TIMES, WORLD.site_count)


def test_demand() -> None:
    everywhere = rows_after("demand x2")
    assert [row[1] for row in everywhere] == list(range(WORLD.site_count))
    assert {row[3] for row in everywhere} == {2.0}
    fog = rows_after("demand x3@fog-1")
    assert [row[1] for row in fog] == [s for s in range(WORLD.site_count) if WORLD.site_fog[s] == 0]
    assert rows_after("demand x3@edge-harbour") == rows_after("demand x3@Harbour")
    source, target = (WORLD.site_node.tolist().index(WORLD.node_names.index(name)) for name in ("Harbour", "Centre"))
    assert rows_after("move Harbour,Centre,0.3") == [(Change.MOVE, source, target, 0.3)]


def test_a_storm_takes_airtime_and_sends_control_traffic() -> None:
    radio, control = rows_after("storm x61@Harbour")
    users = METRO.edges[METRO.home[radio[1]]].users.sum()
    assert radio[0] == Change.RADIO_TIMES
    assert radio[3] == pytest.approx(1 - 60 * HANDOVERS_PER_USER_S * 0.04)
    assert control[3] == pytest.approx(users * 60 * HANDOVERS_PER_USER_S * CONTROL_MEGABITS)
    assert rows_after("storm x1000000@Harbour")[0][3] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fail-link Centre,Station; fail-link Station,Centre", "down already .fail-link Centre,Station"),
        ("fail-node Centre; fail-link Station,Centre", "down already .fail-node Centre"),
        ("fail-node Centre; fail-node Centre", "down already"),
        ("fail-node Centre; fail-site Centre", "down already .fail-node"),
        ("fail-site Centre; fail-site Centre", "down already .fail-site"),
        ("fail-link Centre,Station; degrade-link Centre,Station,0.5", "not both"),
        ("degrade-link Centre,Station,0.5; fail-link Centre,Station", "not both"),
        ("degrade-link Centre,Station,0.5; degrade-link Station,Centre,0.5", "degrade it once"),
        ("repair-link Centre,Station", "nothing to repair"),
        ("fail-node Centre; repair-link Centre,Station", "node 'Centre' is down"),
        ("fail-link Centre,Station; fail-group duct=Centre,Station;Centre,Harbour", "down already"),
        ("fail-link Centre,Station; add-capacity Centre,Station,x2", "is down"),
        ("fail-site Centre; add-capacity Centre,x2", "down already"),
        ("add-site Centre,8", "has one"),
        ("move Centre,edge-centre,0.5", "same site"),
        ("rain 50", "no.* microwave|none"),
        ("set policy.max_rounds=3; set policy.max_rounds=4", "set already"),
        ("fail-link Centre,Lakeside", "no link joins.*joined to"),
    ],
)
def test_contradictions_are_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        rows_after(text)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("fail-link Centr,Station", "'Centre'"),
        ("fail-node Habour", "'Harbour'"),
        ("demand x2@fog-11", "'fog-1'"),
        ("fail-site Centrum", "'Centre'"),
        ("add-capacity Habour,x2", "'Harbour'"),
        ("storm x2@Statio", "'Station'"),
    ],
)
def test_unknown_names_get_a_suggestion(text: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=near):
        rows_after(text)


def test_what_is_outside_of_the_domain_is_told() -> None:
    places = Places(WORLD, "fog-1")
    outside = next(s for s in range(WORLD.site_count) if WORLD.site_fog[s] != 0)
    name = WORLD.node_names[int(WORLD.site_node[outside])]
    with pytest.raises(InputError, match="domain of fog-1"):
        Ledger.of(places, METRO).apply(parsed(f"demand x2@{name}"))
    assert places.sites == [s for s in range(WORLD.site_count) if WORLD.site_fog[s] == 0]


def test_batches_lay_situations_out() -> None:
    batch = Batch.of([[(0, 1, 0, 0.0)], [], [(9, 1, 2, 0.5), (8, 3, 0, 2.0)]])
    assert batch.start.tolist() == [0, 1, 1, 3]
    assert batch.other.tolist() == [0, 2, 0]
    assert batch.value.tolist() == [0.0, 0.5, 2.0]


def test_users_of_a_site_that_fails_are_heard_by_others_where_there_is_radio_access() -> None:
    mixed = belief_of("mixed")
    world = mixed.world
    names = [world.node_names[node] for node in world.site_node]
    first = names.index("small-5")
    silent = np.arange(world.site_count) == first
    shares = moved(world, silent).by_site(world.site_count)[first]
    second = names[int(np.argmax(shares))]  # that hears most of them

    def entered(text: str) -> dict[str, np.ndarray]:
        found = Ledger.of(Places(world, mixed.name), mixed)
        found.apply(parsed(text))
        users = mixed.engine.enter(*Batch.of([found.rows]).arrays())["users"]
        return {name: users.reshape(world.site_count, -1).sum(axis=1)[k] for k, name in enumerate(names)}

    whole = entered("demand x1")
    one = entered(f"fail-site {names[first]}")
    assert one[names[first]] == pytest.approx(0.0, abs=1e-9)
    assert one[second] - whole[second] == pytest.approx(shares.max() * whole[names[first]])
    both = entered(f"fail-site {names[first]}; fail-node {second}")
    assert both[names[first]] == pytest.approx(0.0, abs=1e-9)
    assert both[second] == pytest.approx(0.0, abs=1e-9)
    assert sum(one.values()) == pytest.approx(sum(both.values())) == pytest.approx(sum(whole.values()))
