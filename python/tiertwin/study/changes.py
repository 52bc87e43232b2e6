"""Changes to a scene, to ask whether a model gets the direction right: one at a time, each played, each predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tiertwin.plant.packets import PacketFlows, PacketLinks

Network = tuple[PacketLinks, PacketFlows]
LOADS = (0.9, 1.05)  # factors on every flow's rate
RATES = (0.8, 1.5)  # factors on one link's rate
LINKS = 3  # how many links are changed, the busiest, the median and one between them
MOST_LOAD = 0.97  # of a link after a change: beyond it a mean takes hours to show
FLOWS = 3  # how many flows are doubled


@dataclass(frozen=True)
class Change:
    """A scene with one thing different."""

    name: str
    network: Network


def changes(network: Network) -> Iterator[Change]:
    """Yield scenes that differ from `network` in one thing: all rates of flows, a link's rate, a flow's rate.

    None loads a link beyond `MOST_LOAD`, so that a steady state is left to predict.
    """
    links, flows = network
    pps, rate = np.asarray(flows.config()["flow_pps"]), np.asarray(links.config()["link_rate_bps"])
    load = link_loads(network)
    for factor in LOADS:
        if factor * load.max() < MOST_LOAD:
            yield Change(f"all flows x {factor:g}", (links, replace(flows, pps=factor * pps)))
    used = np.flatnonzero(load > 0)
    busiest = used[np.argsort(load[used], kind="stable")]
    for link in dict.fromkeys(int(busiest[k]) for k in np.linspace(len(busiest) - 1, 0, LINKS + 1).astype(int)[:LINKS]):
        for factor in RATES:
            if load[link] / factor < MOST_LOAD:
                other = rate.copy()
                other[link] = round(factor * rate[link])
                yield Change(f"link {link} x {factor:g}", (replace(links, rate_bps=other), flows))
    for flow in np.linspace(0, len(pps) - 1, FLOWS).astype(int).tolist():
        more = pps.copy()
        more[flow] *= 2.0
        if link_loads((links, replace(flows, pps=more))).max() < MOST_LOAD:
            yield Change(f"flow {flow} x 2", (links, replace(flows, pps=more)))


def link_loads(network: Network) -> Any:
    """Return the share of time each link would send, if nothing were lost, [L]."""
    links, flows = (part.config() for part in network)
    bits = 8.0 * flows["flow_pps"] * flows["flow_bytes"]
    offered = np.bincount(
        flows["path_links"], np.repeat(bits, np.diff(flows["path_ptr"])), minlength=len(links["link_rate_bps"])
    )
    return offered / links["link_rate_bps"]
