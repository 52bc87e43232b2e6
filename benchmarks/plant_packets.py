"""Packet-hops a CPU second through one and the same network: ours against ns-3; delays and losses must be equal.

Germany50 of topohub, Poisson flows over paths of the fewest hops, load 0.9 (`tiertwin.study.scenes`). Both get
the same arrivals: ns-3 reads ours from a file, ours draws them while it runs. Each side's figure counts the CPU time of
its event loop alone, so what else runs on the machine matters less; building the networks is left out on both sides.

ns-3 is the wheel of PyPI (extra ``fidelity``), built with assertions on: an optimised ns-3 is faster. Without it, or
without g++, our figure stands beside the target of 5 M packet-hops a CPU second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from support import Case, main
from tiertwin.plant.packets import UNLIMITED, PacketPlant
from tiertwin.study import ns3 as program
from tiertwin.study import scenes

SECOND = 1_000_000_000
TARGET = 5e6
PEER = "ns-3 3.44 UDP/IP, wheel (assertions on)"
UNIT = "packet-hops/CPU s"


def ours(network: tuple[Any, Any], seconds: int) -> tuple[PacketPlant, float]:
    """Play it; return the plant and its packet-hops a CPU second."""
    plant = PacketPlant(1, *network, stop_ns=seconds * SECOND)
    before = time.thread_time()
    plant.run_to_end()
    return plant, plant.packet_hops / (time.thread_time() - before)


def kept(network: tuple[Any, Any], seconds: int) -> PacketPlant:
    """Play it and keep every packet."""
    plant = PacketPlant(1, *network, stop_ns=seconds * SECOND, record=True)
    plant.run_to_end()
    return plant


def cases(quick: bool) -> Iterator[Case]:
    missing = program.missing()
    with tempfile.TemporaryDirectory() as folder:
        ns3 = None if missing else program.Ns3(Path(folder))
        if ns3 is None:
            print(f"without the peer: {missing}", file=sys.stderr)
        for rule, size, buffer, flows in (
            ("common", "exponential", UNLIMITED, 100),
            ("common", "exponential", UNLIMITED, 1000),
            ("each", "exponential", 20, 100),
            ("each", "imix", 25, 1000),
        ):
            if quick and (rule, flows) in {("common", 1000), ("each", 100)}:
                continue
            network = scenes.scene("sndlib/germany50", rule, size, buffer, flows=flows)
            yield case(ns3, network, f"plant_packets/{rule}-{size}/{flows}", 2 if quick else 5, 20 if quick else 60)


def case(ns3: Any, network: tuple[Any, Any], name: str, peer_seconds: int, our_seconds: int) -> Case:
    """Compare answers over `peer_seconds` of modelled time, which ns-3 plays; time ours over `our_seconds`."""
    shared = kept(network, peer_seconds)
    packets = shared.packets()

    def we() -> tuple[PacketPlant, float]:
        return ours(network, our_seconds)

    def they() -> tuple[Any, float]:
        found = ns3.play(shared.config, packets)
        return found, found.packet_hops / found.cpu_s

    def check(_: Any, theirs: Any) -> None:
        short = ours(network, peer_seconds)[0]
        assert short.packet_hops == shared.packet_hops
        assert short.flows()["delay_ns"].tolist() == shared.flows()["delay_ns"].tolist()
        if theirs is None:
            return
        found = theirs[0]
        assert found.packet_hops == shared.packet_hops
        different = np.count_nonzero(found.delay_ns != packets["delay_ns"])
        assert different == 0, f"{different} of {len(packets['flow'])} packets have another delay or another fate"

    return Case(
        name,
        we,
        None if ns3 is None else they,
        "target" if ns3 is None else PEER,
        check,
        UNIT,
        target=TARGET,
        figure=lambda answer: float(answer[1]),
        cpu=lambda answer: float(getattr(answer[0], "cpu_s", 0.0)),  # of ns-3's process
    )


if __name__ == "__main__":
    main(__doc__ or "", cases)
