"""Who is believed: devices by their edge, gateways by their edge and their fog; tables made by hand, no tree."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.model.faults import Trust
from tiertwin.orchestrate.sitetrust import SiteTrust
from tiertwin.orchestrate.trust import KEPT, DeviceTrust
from tiertwin.orchestrate.trustrules import TrustRules
from tiertwin.orchestrate.units import single
from tiertwin.twin.attributes import SUMMARY, TELEMETRY, A, TableId, registry
from tiertwin.twin.layout import edge_layout
from tiertwin.world import load, resolve

SECOND = 1_000_000_000
WORLD = resolve(load("metro"))


def rules(**changes: Any) -> TrustRules:
    found = TrustRules.of(load("metro", trust={"hold_s": 5.0, **changes}))
    assert found is not None
    return found


class Site:
    """The centre's devices, honest but for what a test changes."""

    def __init__(self, trust: DeviceTrust, seed: int = 1) -> None:
        self.trust, self.rng, self.now = trust, np.random.default_rng(seed), 0
        rows = slice(int(WORLD.device_rows[0]), int(WORLD.device_rows[1]))
        self.planned = WORLD.tasks_per_s[WORLD.device_class[rows]]
        self.radio = WORLD.ring_rate_mbps[WORLD.device_ring[rows]]
        self.n = len(self.planned)
        self.table = _core.StateTable(registry(), TableId.TELEMETRY, [int(a) for a in TELEMETRY], self.n)
        self.last: np.ndarray | None = None

    def step(self, change: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """A second: all report; `change` may write into their reports, [N, attributes], before they leave."""
        self.now += SECOND
        made = self.rng.poisson(self.planned).astype(float)
        noise = 1.0 + 0.03 * self.rng.standard_normal((self.n, 3))
        told = np.zeros((self.n, len(TELEMETRY)))
        told[:, 0], told[:, 1], told[:, 5] = made * noise[:, 0], self.radio * noise[:, 1], made
        told[:, 7] = made * noise[:, 2]
        if change is not None:
            change(told)
        rows = np.arange(self.n, dtype=np.uint32)
        self.table.set_rows([int(a) for a in TELEMETRY], rows, told, np.full(self.n, self.now))
        self.last = told
        return self.trust.judge(self.table, self.now - 2 * SECOND)


def test_honest_devices_are_believed_as_they_are():
    site = Site(DeviceTrust(WORLD, 0, rules()))
    for _ in range(40):
        rates, heard = site.step()
    assert heard.all()
    assert site.last is not None
    np.testing.assert_allclose(rates, site.last[:, 0])
    assert site.trust.take_records(3) == []


def test_a_liar_is_stood_in_for_by_its_plan_kept_and_told_then_believed_again():
    site = Site(DeviceTrust(WORLD, 0, rules()))

    def lie(told: np.ndarray) -> None:
        told[0, (0, 5)] *= 6.0
        told[0, (0, 5)] += 6.0

    for _ in range(15):
        site.step()
    for _ in range(20):
        rates, heard = site.step(lie)
    assert site.trust.out.nonzero()[0].tolist() == [0]
    assert heard.all()
    assert rates[0] == pytest.approx(site.trust.load * site.planned[0])
    (record,) = site.trust.take_records(7)
    assert (record.what, record.epoch, record.fields["site"], record.fields["device"]) == ("quarantine", 7, 0, 0)
    assert record.fields["reason"] == "more"
    assert record.fields["nats"] > rules().limit
    assert len(site.trust.kept[0]) == KEPT
    for _ in range(250):
        site.step()
    (over,) = site.trust.take_records(9)
    assert over.fields == {"site": 0, "device": 0, "over": True}
    assert not site.trust.out.any()
    assert site.trust.kept == {}


def test_a_gateway_all_of_whose_devices_repeat_is_not_believed():
    site = Site(DeviceTrust(WORLD, 0, rules()))
    for _ in range(10):
        site.step()
    frozen = site.last

    def freeze(told: np.ndarray) -> None:
        told[:] = frozen

    for _ in range(3):
        _, heard = site.step(freeze)
    assert not heard[~site.trust.out].any()
    told = [r.fields for r in site.trust.take_records(1) if "device" not in r.fields]
    assert [fields["reason"] for fields in told] == ["repeated"]
    for _ in range(8):
        _, heard = site.step()
    assert heard.any()


@pytest.mark.parametrize("method", ["bounds", "median"])
def test_simple_ways_quarantine_nobody(method: str):
    site = Site(DeviceTrust(WORLD, 0, rules(method=method)))

    def lie(told: np.ndarray) -> None:
        told[0, 0] = 500.0

    rates, heard = site.step(lie)
    assert bool(heard[0]) == (method == "median")
    if method == "median":
        assert rates[0] < 10.0
    assert not site.trust.out.any()


def test_a_section_that_is_off_says_nothing():
    assert TrustRules.of(load("metro")) is None
    assert TrustRules.of(load("metro", trust={"enabled": False})) is None
    assert Trust().liars == 0.3


def test_a_fog_tells_the_edge_of_a_gateway_that_lies_what_its_neighbours_have():
    sites = [0, 1, 2, 3, 4]
    layouts = [edge_layout(WORLD, site) for site in sites]
    attributes = [int(a) for a in SUMMARY]
    tables = [_core.StateTable(registry(), TableId.SUMMARY, attributes, layout.rows) for layout in layouts]
    children = [SimpleNamespace(name=f"edge-{k}", table_in=table) for k, table in enumerate(tables)]
    said: list[tuple[str, float]] = []

    def send_unit(peer: str, table: int, cells: Any, now: int) -> list[Any]:
        assert table == TableId.TRUST
        as_told = {int(cells.attributes[0]): (cells.rows, cells.values)}
        said.append((peer, single(as_told, int(A.NEIGHBOURS_LOAD))))
        return []

    twin: Any = SimpleNamespace(children=children, send_unit=send_unit)
    trust, rng = SiteTrust(WORLD, sites, rules()), np.random.default_rng(2)
    records = []
    for epoch in range(1, 60):
        for site, layout, table in zip(sites, layouts, tables, strict=True):
            devices = WORLD.group_devices[site].astype(float)
            made = rng.poisson(devices * WORLD.tasks_per_s[:, None]).astype(float).ravel()
            if site == 2 and epoch > 20:
                made = 4.0 * made
            rows = np.arange(layout.members, dtype=np.uint32)
            for attribute, values in (
                (A.RATE_SUM, made * (1.0 + 0.01 * rng.standard_normal(len(made)))),
                (A.RATE_COUNT, devices.ravel()),
                (A.COMPLETED_SUM, made),
                (A.MISSED_SUM, 0.0 * made),
                (A.ENERGY_SUM, made * rng.random(len(made))),
                (A.LATENCY_SUM, made * rng.random(len(made))),
            ):
                table.set(int(attribute), rows, values, epoch * SECOND)
        records += [e for e in trust.review(twin, layouts, epoch, epoch * SECOND) if hasattr(e, "what")]
    assert [(r.fields["site"], r.fields.get("reason")) for r in records] == [(2, "more")]
    assert 20 < records[0].epoch < 40
    assert {peer for peer, _ in said} == {"edge-2"}
    assert said[-1][1] == pytest.approx(trust.load)
    assert 0.5 < trust.load < 2.0
