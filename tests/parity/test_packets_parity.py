"""Packets against the naive network that plays two events a hop: every packet, every link."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.packets import Network, births, transmission_ns
from tiertwin import _core
from tiertwin.plant.packets import UNLIMITED, PacketFlows, PacketLinks, PacketPlant, PacketTrace
from tiertwin.study.scenes import scene, star

MS = 1_000_000


def assert_equal(seed: int, plant: PacketPlant) -> Network:
    """Play both to the end and compare all there is."""
    naive = Network(seed, plant.config)
    plant.run_to_end()
    found = plant.packets()
    names = ("flow", "number", "born_ns", "bytes", "delay_ns")
    got = list(zip(*(found[name].tolist() for name in names), strict=True))
    assert got == [(p.flow, p.number, p.born, p.size, p.delay) for p in naive.counted()]
    links = plant.links()
    assert links["dropped"].tolist() == [d.dropped for d in naive.devices]
    assert links["peak"].tolist() == [d.peak for d in naive.devices]
    assert links["busy_ns"].tolist() == naive.busy_ns()
    flows = plant.flows()
    for f in range(len(flows["sent"])):
        delays = found["delay_ns"][found["flow"] == f]
        kept = delays[delays >= 0]
        assert (flows["sent"][f], flows["received"][f]) == (len(delays), len(kept))
        assert (flows["lost"][f], flows["delay_ns"][f]) == ((delays == -1).sum(), kept.sum())
        assert flows["longest_ns"][f] == kept.max(initial=0)
        assert flows["squares_ns2"][f] == pytest.approx((kept.astype(float) ** 2).sum(), rel=1e-12)
        assert flows["bytes"][f] == found["bytes"][(found["flow"] == f) & (found["delay_ns"] >= 0)].sum()
    return naive


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Small networks rich in ties: few rates, delays and phases; paths of any links, twice the same one included."""
    links, flows = draw(st.integers(1, 5)), draw(st.integers(1, 7))

    def some(count: int, *values: Any) -> list[Any]:
        return draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))

    return {
        "links": PacketLinks(
            some(links, 8_000_000, 10_000_000, 3_333_333, 10**12),
            some(links, 0, 7, 1000, 100_000),
            some(links, 0, 1, 2, 5, UNLIMITED),
        ),
        "flows": PacketFlows(
            [draw(st.lists(st.integers(0, links - 1), min_size=1, max_size=5)) for _ in range(flows)],
            some(flows, 0.0, 333.0, 500.0, 1000.0, 2000.0),
            some(flows, "poisson", "constant", "constant", "on-off"),
            some(flows, "fixed", "fixed", "exponential", "imix"),
            some(flows, 100, 1000),
            some(flows, -1, 0, 0, 1000),
            0.01,
            some(flows, 0.0, 0.02),
        ),
        "stop_ns": 60 * MS,
        "warm_up_ns": draw(st.sampled_from([0, 20 * MS])),
        "record": True,
    }


@given(networks(), st.integers(0, 2**64 - 1))
def test_random_networks_are_those_of_the_naive_one(network: dict[str, Any], seed: int) -> None:
    assert_equal(seed, PacketPlant(seed, **network))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2), st.sampled_from([64, 100, 1000])), max_size=60),
    st.integers(0, 3),
    st.sampled_from([0, 1000, 8000]),
)
def test_traces_full_of_ties_are_those_of_the_naive_network(
    rows: list[tuple[int, int, int]], buffer: int, delay: int
) -> None:
    """Births at multiples of the transmission time of the smallest packet: ends, arrivals and births coincide."""
    rows.sort(key=lambda row: row[0])
    trace = PacketTrace([8000 * t for t, _, _ in rows], [f for _, f, _ in rows], [b for _, _, b in rows])
    links = PacketLinks([64_000_000, 64_000_000, 32_000_000], delay, buffer)
    flows = PacketFlows([[0, 2], [1, 2], [2, 0]], arrival="trace")
    assert_equal(0, PacketPlant(0, links, flows, trace=trace, stop_ns=MS, record=True))


@pytest.mark.parametrize("buffer", [0, 1, 5, 20])
def test_a_star_of_synchronous_flows(buffer: int) -> None:
    links, flows = star(6, buffer)
    naive = assert_equal(1, PacketPlant(1, links, flows, stop_ns=100 * MS, record=True))
    assert sum(p.delay == -1 for p in naive.packets) > 100


@pytest.mark.parametrize(("rule", "size", "buffer"), [("common", "exponential", UNLIMITED), ("each", "imix", 5)])
def test_a_national_network(rule: str, size: str, buffer: int) -> None:
    links, flows = scene("sndlib/germany50", rule, size, buffer)
    assert_equal(3, PacketPlant(3, links, flows, stop_ns=300 * MS, warm_up_ns=50 * MS, record=True))


@given(st.integers(1, 9000), st.integers(1, 10**13))
def test_transmission_times_are_rounded_half_up(size: int, rate: int) -> None:
    trace = PacketTrace([0], [0], [size])
    plant = PacketPlant(0, PacketLinks([rate], 0), PacketFlows([[0]], arrival="trace"), stop_ns=1, trace=trace)
    plant.run_to_end()
    assert plant.flows()["delay_ns"].tolist() == [transmission_ns(size, rate)]
    exact = size * 8_000_000_000 / rate
    assert abs(transmission_ns(size, rate) - exact) <= 0.5 + 1e-9 * exact


@pytest.mark.parametrize("arrival", ["poisson", "constant", "on-off"])
def test_a_flow_makes_the_packets_of_its_key_whoever_else_is_there(arrival: str) -> None:
    def packets_of_key_7(keys: list[int]) -> list[tuple[int, int]]:
        flows = PacketFlows([[0]] * len(keys), 800.0, arrival, "exponential", key=keys, on_s=0.01, off_s=0.03)
        plant = PacketPlant(5, PacketLinks([10**9], 0), flows, stop_ns=200 * MS, record=True)
        plant.run_to_end()
        found, own = plant.packets(), keys.index(7)
        mine = found["flow"] == own
        assert found["number"][mine].tolist() == list(range(mine.sum()))
        made = list(zip(found["born_ns"][mine].tolist(), found["bytes"][mine].tolist(), strict=True))
        assert made == list(births(5, plant.config, own))
        return made

    assert packets_of_key_7([7]) == packets_of_key_7([1, 2, 7, 9]) != []


def test_seeds_differ() -> None:
    flows, links = PacketFlows([[0]], 1000.0), PacketLinks([10**9], 0)
    config = PacketPlant(1, links, flows, stop_ns=20 * MS, record=True).config
    born = []
    for seed in (1, 2, 2**64 - 1):
        network = _core.PacketNetwork(seed, config)
        network.run_to_end()
        born.append(network.packets()["born_ns"].tolist())
    assert len({tuple(times) for times in born}) == 3
    assert all(np.all(np.diff(times) >= 0) for times in born)
