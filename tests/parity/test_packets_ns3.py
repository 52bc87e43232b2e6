"""Packets against ns-3, given the same arrivals: every delay equal to the nanosecond, the same packets lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tiertwin.plant.packets import UNLIMITED, PacketFlows, PacketLinks, PacketPlant
from tiertwin.study import ns3 as ns3_program
from tiertwin.study.scenes import scene, star

SECOND = 1_000_000_000

MISSING = ns3_program.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@pytest.fixture(scope="module")
def ns3(tmp_path_factory: pytest.TempPathFactory) -> ns3_program.Ns3:
    """The program, built once."""
    return ns3_program.Ns3(tmp_path_factory.mktemp("ns3"))


def assert_equal(ns3: ns3_program.Ns3, network: tuple[PacketLinks, PacketFlows], seconds: float) -> float:
    """Play the same packets in both; return the share that is lost."""
    plant = PacketPlant(1, *network, stop_ns=int(seconds * SECOND), record=True)
    plant.run_to_end()
    packets = plant.packets()
    theirs = ns3.play(plant.config, packets)
    ours = packets["delay_ns"]
    assert len(ours) > 1000
    assert theirs.packet_hops == plant.packet_hops
    other = np.flatnonzero(theirs.delay_ns != ours)
    first = {name: int(values[other[0]]) for name, values in packets.items()} if other.size else {}
    told = f"{other.size} of {len(ours)} packets differ, first {first}"
    assert not other.size, f"{told}; ns-3 says {theirs.delay_ns[other[0]]}"
    return float((ours == -1).mean())


@pytest.mark.parametrize(
    ("name", "rule", "size", "buffer", "seconds", "more", "lost"),
    [
        ("sndlib/germany50", "common", "exponential", UNLIMITED, 3, {}, (0, 0)),
        ("sndlib/germany50", "each", "exponential", 20, 3, {}, (0.01, 0.05)),
        ("sndlib/germany50", "each", "imix", 25, 0.5, {"flows": 1000}, (0.01, 0.05)),
        ("sndlib/abilene", "each", "fixed", 5, 1, {}, (0.02, 0.2)),
        ("sndlib/nobel-eu", "common", "fixed", 20, 3, {}, (0, 0.01)),
        ("topozoo/Geant2012", "common", "exponential", 30, 3, {"load": 1.2}, (0.005, 0.2)),
        ("topozoo/Geant2012", "each", "imix", 5, 1, {}, (0.05, 0.3)),
        ("sndlib/nobel-us", "each", "imix", 10, 1, {"arrival": "on-off", "on_s": 0.02, "off_s": 0.03}, (0.1, 0.6)),
        ("sndlib/nobel-us", "each", "fixed", 2, 1, {"arrival": "constant", "phase_ns": 0}, (0, 0.6)),
        ("sndlib/nobel-us", "common", "fixed", 2, 1, {"arrival": "constant", "load": 1.5}, (0.01, 0.6)),
    ],
)
def test_every_packet_of_a_topology(
    ns3: ns3_program.Ns3,
    name: str,
    rule: str,
    size: str,
    buffer: int,
    seconds: float,
    more: dict[str, Any],
    lost: tuple[float, float],
) -> None:
    found = assert_equal(ns3, scene(name, rule, size, buffer, **more), seconds)
    assert lost[0] <= found <= lost[1]


@pytest.mark.parametrize(("arms", "buffer"), [(6, 3), (6, 20), (17, 1)])
def test_every_packet_of_a_star_where_every_arrival_is_a_tie(ns3: ns3_program.Ns3, arms: int, buffer: int) -> None:
    assert assert_equal(ns3, star(arms, buffer), 1) > 0.25


@pytest.mark.parametrize("seed", range(8))
def test_every_packet_of_networks_full_of_ties(ns3: ns3_program.Ns3, seed: int) -> None:
    """Rings with chords, two rates, delays and sizes that are multiples of each other, synchronous constant flows."""
    rng = np.random.default_rng(seed)
    nodes = 7
    tail = np.concatenate([np.arange(nodes)] * 2)
    head = np.concatenate([(np.arange(nodes) + 1) % nodes, (np.arange(nodes) + 2) % nodes])
    rate = rng.choice([8_000_000, 16_000_000], 2 * nodes)
    links = PacketLinks(
        rate, rng.choice([0, 500_000, 1_000_000], 2 * nodes), rng.choice([1, 2, 4], 2 * nodes), tail, head
    )
    paths = []
    for start in rng.integers(0, nodes, 30).tolist():
        path, node = [], start
        for _ in range(rng.integers(1, 4)):
            path.append(int(node + nodes * rng.integers(2)))
            node = int(head[path[-1]])
        paths.append(path)
    # Births every 0.5 or 1 ms, hops of up to 1.25 ms: at one nanosecond, either may have been scheduled first.
    pps = rng.choice([1000.0, 2000.0], len(paths))
    phase = 62_500 * rng.integers(0, 8, len(paths))
    flows = PacketFlows(paths, pps, "constant", "fixed", rng.choice([125, 250], len(paths)), phase)
    assert assert_equal(ns3, (links, flows), 0.4) > 0.01
