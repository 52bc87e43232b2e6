"""Packets against ns-3 with generators of their own, statistically: before a release, or when the simulator changes.

    python tests/long/packets_ns3.py [--seconds 150] [--seed 1]

Germany50, 100 Poisson flows with exponential sizes, 10 Mb/s everywhere, busiest link at 0.9. Ours plays ten times as
long, so what is left is mostly ns-3's sampling error (at 30 seconds it alone is more than 5 % at p99). Errors are means
of the flows' absolute relative errors. Needs the extra ``fidelity`` and g++; about a minute. Ends with `all well`, or
with what was too far off.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiertwin.plant.packets import UNLIMITED, PacketPlant
from tiertwin.study import ns3 as ns3_program
from tiertwin.study.scenes import scene

SECOND = 1_000_000_000
LIMITS = {"error of means, %": 2.0, "error of p99, %": 5.0, "loss, points": 0.3, "worst flow's loss, points": 1.0}


def main() -> None:
    """Compare without and with losses."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=150, help="modelled seconds in ns-3")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    missing = ns3_program.missing()
    if missing:
        sys.exit(missing)
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        ns3 = ns3_program.Ns3(Path(folder))
        for buffer in (UNLIMITED, 20):
            found = compare(ns3, buffer, given.seconds, given.seed)
            for name, value in found.items():
                print(f"buffer {buffer}: {name} {value:.3f} (at most {LIMITS[name]})", flush=True)
                wrong += [f"buffer {buffer}: {name} {value:.3f}"] if value > LIMITS[name] else []
    sys.exit("too far off: " + "; ".join(wrong)) if wrong else print("all well")


def compare(ns3: ns3_program.Ns3, buffer: int, seconds: int, seed: int) -> dict[str, float]:
    """Return how far the two are apart."""
    network = scene("sndlib/germany50", "common", "exponential", buffer)
    ours = PacketPlant(seed, *network, stop_ns=10 * seconds * SECOND, warm_up_ns=SECOND)
    ours.run_to_end()
    mine = ours.flows()
    packets, theirs = ns3.draw(ours.config, seed, 1000, seconds * SECOND)
    count = len(mine["sent"])
    delays: list[Any] = [theirs.delay_ns[(packets["flow"] == f) & (packets["born_ns"] >= SECOND)] for f in range(count)]
    mean = np.array([d[d >= 0].mean() for d in delays])
    p99 = np.array([np.quantile(d[d >= 0], 0.99) for d in delays])
    lost = np.array([(d == -1).mean() for d in delays])
    all_lost = sum((d == -1).sum() for d in delays) / sum(map(len, delays))
    return {
        "error of means, %": 100 * float(np.mean(np.abs(mine["mean_ns"] / mean - 1))),
        "error of p99, %": 100 * float(np.mean(np.abs(ours.quantiles([0.99])[:, 0] / p99 - 1))),
        "loss, points": 100 * abs(float(mine["lost"].sum() / mine["sent"].sum() - all_lost)),
        "worst flow's loss, points": 100 * float(np.abs(mine["lost"] / mine["sent"] - lost).max()),
    }


if __name__ == "__main__":
    main()
