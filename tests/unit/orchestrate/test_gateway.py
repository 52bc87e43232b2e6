"""Set-points on their way to the plant: newer leases obeyed, the impossible clipped, and the devices alone at last."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.inprocess import world_of
from tiertwin import _core
from tiertwin.allocate.split import ClassShares
from tiertwin.errors import PeerError
from tiertwin.orchestrate import units
from tiertwin.orchestrate.gateway import MILLISECOND, GatewayController
from tiertwin.orchestrate.plantside import PlantSideController
from tiertwin.orchestrate.site import SiteInventory, clip_class_shares, clip_shares, differing
from tiertwin.twin.attributes import _ROWS, A, TableId, registry
from tiertwin.twin.effects import Actuate, Record, Send
from tiertwin.twin.layout import Layout
from tiertwin.twin.lease import SECOND, Lease
from tiertwin.twin.twin import Unit

HERE = SiteInventory(
    site=3, first_device=10, devices=2, classes=3, cpu=np.array([8.0, 80.0, 800.0]), uplink=np.array([100.0, 1e3])
)


class Stub:
    """As much of a twin as a gateway looks at; keeps what it sends."""

    epoch = 4

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any, tuple[int, ...]]] = []

    def send_unit(self, peer: str, table: int, cells: Any, now: int, lease: tuple[int, ...]) -> list[Send]:
        assert table == TableId.BUDGET
        self.sent.append((peer, cells, lease))
        return [Send(peer, b"")]


TWIN: Any = Stub()


def gateway_here() -> GatewayController:
    none = np.zeros(0, dtype=np.int64)
    return GatewayController("plant-x", HERE, Layout(2, none, none))


def unit_of(cells: Any, lease: Lease) -> Unit:
    found = {
        int(a): (cells.rows[cells.attributes == a], cells.values[cells.attributes == a])
        for a in np.unique(cells.attributes)
    }
    return Unit("edge", TableId.BUDGET, found, lease)


def budget(epoch: int, split: ClassShares, *, term: int = 0, until: int = SECOND) -> Unit:
    cells = units.setpoint_cells(np.tile([0.5, 0.5, 0.0, 0.0], (2, 1)), split)
    return unit_of(cells, Lease(epoch, term, 1, until, age_ms=230))


def sound() -> ClassShares:
    return ClassShares(np.full((3, 3), 2.0), np.full((2, 3), 30.0))


def test_what_was_leased_is_handed_on_for_what_is_left_of_the_lease() -> None:
    gateway, twin = gateway_here(), Stub()
    gateway.told(twin, budget(4, sound()), 300 * MILLISECOND)  # type: ignore[arg-type]
    ((peer, cells, lease),) = twin.sent
    assert peer == "plant-x"
    assert lease == (4, 1, 700, 230, 0)  # with the age of its oldest input
    side = PlantSideController(HERE)
    (act,) = side.told(TWIN, unit_of(cells, Lease(4, 0, 1, SECOND)), 0)
    assert isinstance(act, Actuate)
    assert (act.epoch, act.site, act.device.tolist()) == (4, 3, [10, 11])
    assert act.shares.tolist() == [[0.5, 0.5, 0.0, 0.0]] * 2
    assert np.array_equal(act.cpu, sound().cpu)
    assert np.array_equal(act.uplink, sound().uplink)
    assert gateway.clipped == 0
    assert not gateway.local_policy
    assert not side.local_policy


@pytest.mark.parametrize(("epoch", "term", "until"), [(3, 0, SECOND), (9, 0, 0)])
def test_old_and_lapsed_leases_change_nothing(epoch: int, term: int, until: int) -> None:
    gateway, side = gateway_here(), PlantSideController(HERE)
    gateway.told(Stub(), budget(4, sound()), 0)  # type: ignore[arg-type]
    side.told(TWIN, budget(4, sound()), 0)
    before = gateway.lease
    again = ClassShares(np.full((3, 3), 1.0), np.full((2, 3), 1.0))
    (record,) = gateway.told(TWIN, budget(epoch, again, term=term, until=until), 0)
    assert isinstance(record, Record)
    assert record.what == "refused"
    assert gateway.lease == before
    assert side.told(TWIN, budget(epoch, again, term=term, until=until), 0) == []


def test_the_second_decision_of_an_epoch_replaces_the_first() -> None:
    """Found in a run: an edge decides without a lease, then with the budget that came; the first stayed in force."""
    gateway, side, twin = gateway_here(), PlantSideController(HERE), Stub()
    again = ClassShares(np.full((3, 3), 1.0), np.full((2, 3), 1.0))
    for split in (sound(), again):
        gateway.told(twin, budget(4, split), 0)  # type: ignore[arg-type]
        (act,) = side.told(TWIN, budget(4, split), 0)
    assert len(twin.sent) == 2
    assert isinstance(act, Actuate)
    assert np.array_equal(act.cpu, again.cpu)


def test_a_lapsed_lease_leaves_the_devices_alone_once() -> None:
    gateway, side = gateway_here(), PlantSideController(HERE)
    gateway.told(Stub(), budget(4, sound()), 0)  # type: ignore[arg-type]
    side.told(TWIN, budget(4, sound()), 0)
    assert gateway.began(TWIN, 5, SECOND - 1) == side.began(TWIN, 5, SECOND - 1) == []
    (record,) = gateway.began(TWIN, 6, SECOND)
    assert isinstance(record, Record)
    assert record.what == "local_policy"
    (act,) = side.began(TWIN, 6, SECOND)
    assert isinstance(act, Actuate)
    assert act.shares.tolist() == [[1.0, 0.0, 0.0, 0.0]] * 2
    assert (act.site, act.cpu.shape, act.uplink.shape) == (3, (3, 3), (2, 3))
    assert not act.cpu.any()
    assert not act.uplink.any()
    assert gateway.began(TWIN, 7, 2 * SECOND) == side.began(TWIN, 7, 2 * SECOND) == []


def test_what_exceeds_the_inventory_is_clipped_counted_and_told() -> None:
    gateway, side, twin = gateway_here(), PlantSideController(HERE), Stub()
    lie = sound()
    lie.cpu[0] = [8.0, 8.0, 0.0]  # together twice the server
    lie.uplink[1] = [5e3, 0.0, 0.0]  # more than the narrowest link
    record, _ = gateway.told(twin, budget(4, lie), 0)  # type: ignore[arg-type]
    assert isinstance(record, Record)
    assert (record.what, dict(record.fields)) == ("clipped", {"cells": 3})
    for unit in (budget(4, lie), unit_of(twin.sent[0][1], Lease(4, 0, 1, SECOND))):  # the plant trusts nobody either
        (act,) = side.told(TWIN, unit, 0)
        assert isinstance(act, Actuate)
        assert act.cpu[0].tolist() == [4.0, 4.0, 0.0]
        assert act.uplink[1].tolist() == [1e3, 0.0, 0.0]
        assert np.array_equal(act.cpu[1:], lie.cpu[1:])
    assert gateway.clipped == 3
    assert gateway.fork().clipped == 3


@pytest.mark.parametrize("attribute", [A.SHARE, A.CPU_SHARE + 2, A.UPLINK_SHARE + 1])
def test_a_unit_without_some_cells_is_refused_and_the_lease_not_taken(attribute: int) -> None:
    gateway = gateway_here()
    unit = budget(4, sound())
    rows, values = unit.cells[int(attribute)]
    unit.cells[int(attribute)] = (rows[:-1], values[:-1])
    with pytest.raises(PeerError, match="share"):
        gateway.told(TWIN, unit, 0)
    del unit.cells[int(attribute)]
    with pytest.raises(PeerError, match="share"):
        gateway.told(TWIN, unit, 0)
    assert gateway.local_policy


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.lists(st.floats(width=64), min_size=3, max_size=3), min_size=1, max_size=4),
    most=st.floats(0.0, 1e9),
)
def test_clipped_shares_are_always_possible(rows: list[list[float]], most: float) -> None:
    """R19: whatever came (NaN, infinite, negative, huge), the result can be executed; what could is left alone."""
    came = np.array(rows)
    safe = clip_class_shares(came, np.full(len(came), most))
    assert np.isfinite(safe).all()
    assert (safe >= 0).all()
    assert (safe.sum(axis=1) <= most * (1 + 1e-12)).all()
    assert np.array_equal(clip_class_shares(safe, np.full(len(came), most * (1 + 1e-12))), safe)
    possible = np.isfinite(came).all(axis=1) & (came >= 0).all(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        possible &= came.sum(axis=1) <= most
    assert np.array_equal(safe[possible], came[possible])
    assert (clip_shares(came).sum(axis=1) <= 1 + 1e-12).all()


def test_rounding_is_not_counted() -> None:
    sound_one = np.array([[0.5, 0.5 + 1e-13]])
    assert differing(sound_one, clip_shares(sound_one)) == 0
    assert differing(np.array([[np.inf, np.nan, -1.0]]), np.zeros((1, 3))) == 3


@pytest.mark.parametrize("name", ["metro", "germany50"])
def test_the_inventory_holds_whatever_the_world_can_grant(name: str) -> None:
    world = world_of(name)
    for site in range(world.site_count):
        here = SiteInventory.of(world, site)
        fog = int(world.site_fog[site])
        assert here.first_device + here.devices == world.device_rows[site + 1]
        assert here.tiers == 4
        assert here.cpu.tolist() == [
            n * world.core_ghz for n in (world.site_cores[site], world.fog_cores[fog], world.cloud_cores)
        ]
        assert here.uplink[0] >= world.uplink_site_mbps[site]
        assert here.uplink[1] >= world.uplink_fog_mbps[fog]
        route = world.route_site_links[site]
        narrowest = world.link_capacity_mbps[route // 2].min() if len(route) else world.lan_mbps
        assert here.uplink[0] == narrowest


def test_attributes_of_set_points_are_known_with_units_and_ranges() -> None:
    """The table can be made, and what it cannot hold never gets in."""
    units_of = {row[0]: row[2] for row in _ROWS}
    table = _core.StateTable(registry(), TableId.BUDGET, [int(a) for a in units.setpoint_attributes(8)], 3)
    row, now = np.zeros(1, dtype=np.uint32), np.zeros(1, dtype=np.int64)
    for attribute, unit in ((A.CPU_SHARE, "GHz"), (A.UPLINK_SHARE, "Mb/s")):
        assert units_of[attribute] == unit
        for bad in (-1.0, np.nan, 2e15):
            with pytest.raises(ValueError, match="share"):
                table.set(int(attribute), row, np.array([bad]), now)
