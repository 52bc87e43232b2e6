"""Scenes of packets for the performance model: the same network for the packet plant, and what the plant found.

Training scenes are what the model's coefficients are fitted on, test scenes what its errors are reported on; they share
neither topology nor seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from tiertwin.functions.performance import PathFlows, PathLinks, PerformanceModel, Sizes
from tiertwin.plant.packets import UNLIMITED, PacketFlows, PacketLinks, PacketPlant
from tiertwin.study.fidelity import model_of
from tiertwin.study.scenes import fewest_hops, links_from, scene

SECOND = 1_000_000_000
RULES = ("common", "each")
SIZES = ("fixed", "exponential", "imix")
LOADS = (0.3, 0.6, 0.8, 0.9)
TRAINING = (
    ("sndlib/polska", 250),
    ("sndlib/polska", 40),
    ("sndlib/nobel-us", 300),
    ("sndlib/nobel-us", 60),
    ("gabriel/25/0", 500),
    ("sndlib/nobel-eu", 1000),
    ("topozoo/Sinet", 1000),
)
TRAINING_SEED = 5
TEST = ("sndlib/germany50", "sndlib/abilene", "topozoo/Geant2012")
MOVED = 3  # flows that a rerouting moves
LAWS = {"fixed": Sizes.fixed(1000), "exponential": Sizes.exponential(1000), "imix": Sizes.imix()}


@dataclass(frozen=True)
class Scene:
    """A network for the plant and for the model."""

    name: str
    rule: str
    size: str
    load: float
    links: PacketLinks
    flows: PacketFlows

    def model(self) -> PerformanceModel:
        """Return a fresh model of it."""
        return model_of((self.links, self.flows))[0]

    def told(self) -> tuple[PathLinks, PathFlows]:
        """Return what the model is told: the plant's links, rates and size laws, and that arrivals are Poisson."""
        _, links, flows = model_of((self.links, self.flows))
        return links, replace(flows, ca2=1.0, burst_s=0.0)


@dataclass(frozen=True)
class Found:
    """What a run of the plant found, by flow: s, share."""

    mean: Any
    sd: Any
    p99: Any
    loss: Any
    received: Any
    seconds: float


def make(
    name: str, rule: str, size: str, load: float, flows: int, *, buffer: int = UNLIMITED, seed: int = 1, **more: Any
) -> Scene:
    """Return a scene of `tiertwin.study.scenes`."""
    return Scene(name, rule, size, load, *scene(name, rule, size, buffer, load=load, flows=flows, seed=seed, **more))


def packet_hops_a_second(made: Scene) -> float:
    """Return how many packet-hops the network carries a second when nothing is lost."""
    lengths = np.array([len(np.asarray(path)) for path in made.flows.paths])
    return float((lengths * np.broadcast_to(made.flows.pps, lengths.shape)).sum())


def play(made: Scene, packet_hops: float, seed: int) -> Found:
    """Play about `packet_hops`, a twentieth of it before anything is counted."""
    seconds = packet_hops / packet_hops_a_second(made)
    stop, warm_up = int(seconds * SECOND), int(seconds * SECOND / 20)
    plant = PacketPlant(seed, made.links, made.flows, stop_ns=stop, warm_up_ns=warm_up)
    plant.run_to_end()
    flows = plant.flows()
    p99 = plant.quantiles([0.99])[:, 0].astype(float)
    mean = flows["mean_ns"]
    return Found(
        mean * 1e-9,
        np.sqrt(np.maximum(flows["squares_ns2"] / np.maximum(flows["received"], 1) - mean**2, 0.0)) * 1e-9,
        np.where(p99 >= 0, p99, np.nan) * 1e-9,
        flows["lost"] / np.maximum(flows["sent"], 1),
        flows["received"],
        seconds * 0.95,
    )


def training() -> list[tuple[str, int, str, str, float]]:
    """Return name, flows, rule, size and load of every training scene."""
    return [(name, flows, *rest) for (name, flows), *rest in product(TRAINING, RULES, SIZES, LOADS)]


def changes(made: Scene) -> dict[str, Scene]:
    """Return what may happen to a network: more or less load, a busy link slower or faster, flows on other paths."""
    rate = np.asarray(made.links.rate_bps)
    used = np.bincount(np.concatenate([np.asarray(path) for path in made.flows.paths]), minlength=len(rate))
    busy = int(np.argmax(used))
    out = {
        f"load x {by}": replace(made, flows=replace(made.flows, pps=np.asarray(made.flows.pps) * by))
        for by in (0.9, 1.1)
    }
    for by in (0.7, 1.5):
        changed = rate.copy()
        changed[busy] = int(changed[busy] * by)
        out[f"busiest link's rate x {by}"] = replace(made, links=replace(made.links, rate_bps=changed))
    paths, moved = [list(np.asarray(path)) for path in made.flows.paths], 0
    for f, path in enumerate(paths):
        other = _around(made, busy, path) if busy in path and moved < MOVED else None
        if other:
            paths[f], moved = other, moved + 1
    out[f"{moved} flows around it"] = replace(made, flows=replace(made.flows, paths=paths))
    return out


def _around(made: Scene, avoided: int, path: list[int]) -> list[int]:
    """Return the path of the fewest hops between the same ends without one link; none: empty."""
    tail, head = np.asarray(made.links.tail).tolist(), np.asarray(made.links.head).tolist()
    leaving = links_from(tail, 1 + max(*tail, *head))
    return fewest_hops(leaving, head, tail[path[0]], head[path[-1]], avoided)
