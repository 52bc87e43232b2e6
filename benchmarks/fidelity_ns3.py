"""The same packets in our plant and in ns-3: equal to the nanosecond, how fast, and how true the twin's model is.

    python benchmarks/fidelity_ns3.py --topology sndlib/abilene --loads 0.6,0.9

For each topology of topohub, load and scene (`tiertwin.study.scenes`: a rule for rates, a size law, a buffer; 1000
Poisson flows over paths of the fewest hops) both play the same arrivals: ours draws them while it runs, ns-3 reads
them from a file. First every packet of a longer run is compared: another delay, by a nanosecond, or another fate, and
the benchmark ends with status 1. Then, by scene:

    packets   packets compared, all of them equal
    cpu       packet-hops a CPU second, each side's event loop alone; the networks are built beforehand
    wall      seconds of a run, building the network, starting the process and reading the arrivals included
    mean, wait   error of the twin's model against the longer run of ns-3: of flows' mean delays (mean of absolute
              relative errors), of their waits alone (sum over sum); peer: the best of M/M/1, M/G/1 and G/G/1, chosen
              with the answer in hand. Runs are short, so sampling is a good part of either's error

and over all scenes the least ratio of `cpu` and the least of ours, against targets of 30 and of 5 M.

ns-3 is the wheel of PyPI (extra ``fidelity``), UDP over IP with a routing table of our own, built with assertions on:
an optimised ns-3 is faster. Without it, or without g++, there is nothing to compare: the benchmark says so and ends.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from support import Case, main
from tiertwin.errors import TiertwinError
from tiertwin.plant.packets import UNLIMITED, PacketPlant
from tiertwin.study import ns3 as program
from tiertwin.study.fidelity import judged_by
from tiertwin.study.scenes import scene

SECOND = 1_000_000_000
TOPOLOGIES = ("sndlib/germany50", "sndlib/abilene", "topozoo/Geant2012")
SCENES = (("common", "exponential", UNLIMITED), ("each", "fixed", 20), ("each", "imix", 25))
RATIO, SPEED = 30.0, 5e6
PEER = "ns-3 3.44 UDP/IP, wheel (assertions on)"


@dataclass
class Scene:
    """One network, how long it is played, and what the timed runs found."""

    name: str
    network: tuple[Any, Any]
    compared_s: float  # modelled
    timed_s: float
    ours_s: float
    walls: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "peer": []})
    speeds: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "peer": []})

    def play(self, seconds: float, *, record: bool = False) -> PacketPlant:
        """Play the plant to the end."""
        plant = PacketPlant(1, *self.network, stop_ns=round(seconds * SECOND), record=record)
        plant.run_to_end()
        return plant


def cases(quick: bool, topology: Sequence[list[str]], loads: Sequence[list[float]]) -> Iterator[Case]:
    missing = program.missing()
    if missing:
        print(f"nothing to compare with: {missing}", file=sys.stderr)
        return
    topologies = tuple(chain.from_iterable(topology)) or (TOPOLOGIES[1:2] if quick else TOPOLOGIES)
    with tempfile.TemporaryDirectory() as folder:
        ns3, played = program.Ns3(Path(folder)), list[Scene]()
        for name in topologies:
            for load in tuple(chain.from_iterable(loads)) or (0.9,):
                for rule, size, buffer in SCENES[1:] if quick else SCENES:
                    network = scene(name, rule, size, buffer, load=load, flows=1000)
                    where = f"{name.split('/')[-1]}/{rule}-{size}/{load:g}"
                    played.append(Scene(where, network, *((30, 2, 15) if quick else (100, 3, 30))))
                    yield from of_scene(played[-1], ns3)
    ratios = [median(s.speeds["ours"]) / median(s.speeds["peer"]) for s in played]
    yield figure("ratio-least", min(ratios), "times ns-3", target=RATIO)
    yield figure("speed-least", min(median(s.speeds["ours"]) for s in played), "packet-hops/CPU s", target=SPEED)


def of_scene(one: Scene, ns3: program.Ns3) -> Iterator[Case]:
    """Compare every packet of the longer run, then time shorter ones."""
    longer = one.play(one.compared_s, record=True)
    packets = longer.packets()
    theirs = ns3.play(longer.config, packets)

    def check(ours: Any, peer: Any) -> None:
        different = int(np.count_nonzero(peer.delay_ns != ours["delay_ns"]))
        assert different == 0, f"{different} of {len(peer.delay_ns)} packets have another delay or another fate in ns-3"
        assert longer.packet_hops == peer.packet_hops

    yield Case(
        f"fidelity_ns3/packets/{one.name}",
        lambda: packets,
        lambda: theirs,
        PEER,
        check,
        "packets",
        figure=lambda answer: float(len(answer["delay_ns"] if isinstance(answer, dict) else answer.delay_ns)),
    )
    yield speed(one, ns3)
    yield figure(f"wall/{one.name}", median(one.walls["ours"]), "s", peer=median(one.walls["peer"]), less=True)
    found = judged_by(one.network, packets, theirs.delay_ns)
    for what, unit in (("mean", "% of delay"), ("wait", "% of wait")):
        peer, name = found[f"ns3_textbook_{what}_pct"], found[f"ns3_textbook_{what}"]
        yield figure(
            f"{what}/{one.name}", found[f"ns3_{what}_pct"], unit, peer=peer, less=True, peer_name=f"textbook {name}"
        )


def speed(one: Scene, ns3: program.Ns3) -> Case:
    """Return the timed case; ours plays longer, because it is over sooner."""
    shared = one.play(one.timed_s, record=True)
    packets = shared.packets()

    def note(who: str, wall: float, rate: float) -> float:
        one.walls[who].append(wall)
        one.speeds[who].append(rate)
        return rate

    def check(*_: Any) -> None:
        short = one.play(one.timed_s)
        assert short.flows()["delay_ns"].tolist() == shared.flows()["delay_ns"].tolist()

    def we() -> float:
        start = time.perf_counter()
        one.play(one.timed_s)
        wall = time.perf_counter() - start
        plant = PacketPlant(1, *one.network, stop_ns=round(one.ours_s * SECOND))
        spent = time.thread_time()
        plant.run_to_end()
        return note("ours", wall, plant.packet_hops / (time.thread_time() - spent))

    def they() -> tuple[float, float]:
        start = time.perf_counter()
        found = ns3.play(shared.config, packets)
        rate = note("peer", time.perf_counter() - start, found.packet_hops / found.cpu_s)
        assert (found.delay_ns == packets["delay_ns"]).all(), "a packet has another delay or another fate in ns-3"
        return rate, found.cpu_s

    return Case(
        f"fidelity_ns3/cpu/{one.name}",
        we,
        they,
        PEER,
        check,
        "packet-hops/CPU s",
        figure=lambda answer: answer[0] if isinstance(answer, tuple) else answer,
        cpu=lambda answer: answer[1] if isinstance(answer, tuple) else 0.0,  # of ns-3's process
    )


def figure(
    name: str,
    ours: float,
    unit: str,
    *,
    peer: float | None = None,
    target: float | None = None,
    less: bool = False,
    peer_name: str = PEER,
) -> Case:
    """Return a case that reports a figure measured before."""
    return Case(
        f"fidelity_ns3/{name}",
        lambda: ours,
        None if peer is None else lambda: peer,
        peer_name if peer is not None else "target",
        lambda *_: None,
        unit,
        target=target,
        figure=float,
        less=less,
    )


def flags(parser: argparse.ArgumentParser) -> None:
    """Add what is this benchmark's own."""
    parser.add_argument("--topology", nargs="+", type=words, default=[], help="topohub names, spaces or commas between")
    parser.add_argument("--loads", nargs="+", type=numbers, default=[], help="of the busiest link, in (0, 1) [0.9]")


def words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def numbers(text: str) -> list[float]:
    values = [float(word) for word in words(text)]
    if not all(0.0 < value < 1.0 for value in values):
        raise argparse.ArgumentTypeError(f"expected numbers in (0, 1), got {text}")
    return values


if __name__ == "__main__":
    try:
        main(__doc__ or "", cases, flags)
    except TiertwinError as error:  # a topology nobody knows, an ns-3 that cannot be built
        sys.exit(str(error))
