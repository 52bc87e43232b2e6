"""Actions in the plant: they take effect, they are taken back, and with none in force nothing is different."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.healing import cause_of, world_of
from tiertwin.functions.heal.actions import CompensateCell, FallBack, MoveService, Reroute
from tiertwin.functions.heal.candidates import candidates
from tiertwin.plant import SimulatedPlant
from tiertwin.plant.remedies import Remedies

METRO = world_of("metro")
SECOND = 1_000_000_000
FOG_ONLY = np.tile([0.0, 0.0, 1.0, 0.0], (METRO.device_count, 1))
EVERYBODY = np.arange(METRO.device_count, dtype=np.int64)


def healed() -> Remedies:
    remedies = Remedies(SimulatedPlant(METRO, 5), METRO)
    remedies.plant.actuate(EVERYBODY, FOG_ONLY)
    return remedies


def second(remedies: Remedies) -> Any:
    plant = remedies.plant
    plant.advance(plant.now_ns + SECOND // 2, 0)
    return plant.kpis()


def by_tier(kpis: Any) -> Any:
    return kpis.executed.sum(axis=0)


def test_a_route_goes_around_a_cut_link_and_back() -> None:
    remedies = healed()
    second(remedies)
    link = 3
    remedies.plant.fail_link(link)
    lost = second(remedies).lost.sum()
    around = candidates(METRO, [(cause_of("metro", "link 3 centre–harbour"), 1.0)])[1].actions
    assert all(isinstance(action, Reroute) for action in around)
    assert remedies.apply(1, around)
    second(remedies)
    healthy = second(remedies).lost.sum()
    assert healthy < 0.2 * lost
    assert remedies.undo(1)
    second(remedies)
    assert second(remedies).lost.sum() > 0.5 * lost
    assert not remedies.in_force


def test_services_move_and_set_points_that_come_later_are_moved_too() -> None:
    remedies = healed()
    assert remedies.apply(1, tuple(MoveService(0, c, 2, 1) for c in range(4)))
    second(remedies)
    remedies.plant.actuate(EVERYBODY, FOG_ONLY)
    kpis = second(remedies)
    executed = kpis.executed.reshape(METRO.site_count, -1, 4).sum(axis=1)
    assert executed[0, 1] > 0
    assert executed[0, 2] == 0
    assert not executed[1:, 1].any()
    assert remedies.undo(1)
    second(remedies)
    executed = second(remedies).executed.reshape(METRO.site_count, -1, 4).sum(axis=1)
    assert executed[0, 1] == 0


def test_a_slower_link_has_less_room_and_two_tickets_do_not_mix() -> None:
    remedies = healed()
    used = int(METRO.route_site_links[1][0])
    before = second(remedies).link_utilisation[used]
    assert remedies.apply(1, (FallBack(used // 2, 0.5),))
    assert remedies.apply(2, (FallBack(0, 0.9),))
    during = second(remedies).link_utilisation[used]
    assert during > before + 0.2
    assert remedies.undo(2)
    assert second(remedies).link_utilisation[used] > before + 0.2
    assert remedies.undo(1)
    for _ in range(4):  # what had piled up has to go
        second(remedies)
    assert second(remedies).link_utilisation[used] < before + 0.2
    assert remedies.undo(7)  # nothing of it in force


def test_what_the_plant_has_no_set_point_for_is_not_done() -> None:
    remedies = healed()
    assert not remedies.apply(1, (FallBack(0, 0.5), CompensateCell(1, (2,))))
    assert not remedies.in_force
    assert remedies.apply(1, (FallBack(0, 0.5),))
    assert not remedies.apply(1, (FallBack(1, 0.5),))


def test_with_nothing_in_force_nothing_is_different() -> None:
    plain, remedies = SimulatedPlant(METRO, 5), healed()
    plain.actuate(EVERYBODY, FOG_ONLY)
    remedies.apply(1, (MoveService(0, 0, 2, 1), FallBack(1, 0.5)))
    remedies.undo(1)
    for _ in range(2):
        plain.advance(plain.now_ns + SECOND // 2, 0)
        a, b = plain.kpis(), second(remedies)
        for name in ("generated", "lost", "latency_s", "energy_j", "executed", "link_utilisation"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_links_that_are_no_way_change_nothing() -> None:
    remedies = healed()
    with pytest.raises(ValueError, match="route_site"):
        remedies.plant.turn_routes({0: np.array([999])})


def test_services_moved_never_add_up_to_more_than_all() -> None:
    remedies = healed()
    random = np.random.default_rng(3)
    shares = random.random((METRO.device_count, 4))
    shares /= shares.sum(axis=1, keepdims=True)
    shares *= np.where(shares.sum(axis=1) > 1.0, 1.0 - 1e-15, 1.0)[:, None]
    moves = [MoveService(s, c, 2, t, 0.37) for s in range(METRO.site_count) for c in range(4) for t in (1,)]
    moves += [MoveService(s, c, 3, 1, 0.81) for s in range(METRO.site_count) for c in range(4)]
    assert remedies.apply(1, tuple(moves))
    remedies.plant.actuate(EVERYBODY, shares)  # the plant refuses more than 1, to the last bit
    moved = remedies._moved(EVERYBODY)
    assert (moved[:, 0] + moved[:, 1] + moved[:, 2] + moved[:, 3]).max() <= 1.0
    np.testing.assert_allclose(moved.sum(axis=1), shares.sum(axis=1))
