"""How often the cause is found: faults played on worlds, alarms by thresholds (tests/support/faulty_world.py).

``python tests/long/localise_signals.py [--cases N] [--worlds mixed germany50]`` prints the tables of
docs/assurance-localisation.md. `Certainties` are the defaults: round numbers, of which the leaks were set by attribute
after a first look at the mixes that are not `kept out`; links that fill up came in after a look at all of them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.faulty_world import FaultyWorld
from tiertwin.functions.assure.calibrate import Isotonic, brier, reliability
from tiertwin.functions.assure.causes import Certainties
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.world import load, resolve

MIXES = {
    "hard": [("link", "node", "server", "access")],
    "degradation": [("degraded", "slow")],
    "shared risk": [("group",)],
    "two at once": [("link", "node", "server", "access", "degraded", "slow")] * 2,
    "hard + degradation": [("link", "node", "server", "access"), ("degraded", "slow")],
    "three at once": [("link", "server", "access", "degraded", "slow")] * 3,
    "kept out: shared risk + degradation": [("group",), ("degraded", "slow")],
    "kept out: two degradations": [("degraded", "slow")] * 2,
}


def risk_groups(world, rng, count=6, size=3):
    """Ducts: links that leave one node."""
    nodes = [n for n in range(world.node_count) if ((world.link_tail == n) | (world.link_head == n)).sum() > size]
    chosen = rng.choice(nodes, min(count, len(nodes)), replace=False)
    at = {int(n): np.flatnonzero((world.link_tail == n) | (world.link_head == n)) for n in chosen}
    return {f"duct {n}": sorted(rng.choice(links, size, replace=False).tolist()) for n, links in at.items()}


def play(name, mix, cases, seed=2024, sure=None, telemetry_loss=0.1, windows=3):
    """Return, a case: places of the true causes, their posteriors, all posteriors, and truth flags."""
    world = resolve(load(name))
    rng = np.random.default_rng(seed)
    graph = dependencies(world, risk_groups(world, rng), sure)
    faulty, localiser = FaultyWorld(world), graph.localiser()
    rows = []
    for _ in range(cases):
        there = []
        for kinds in MIXES[mix]:
            kind = rng.choice(list(kinds))
            of_kind = [c for c, cause in enumerate(graph.causes) if cause.kind == kind and c not in there]
            there.append(int(rng.choice(of_kind)))
        alarms, silent = faulty.measure(rng, [graph.causes[c] for c in there], telemetry_loss, windows)
        found = localiser.rank(alarms, silent)
        places = [found.place(graph.causes[c].name) for c in there]
        probability = np.empty(len(graph.causes))
        probability[found.order] = found.probability
        rows.append((places, probability, there, [graph.causes[c].name for c in there], found))
    return rows


def summary(rows):
    """Return top-1 (all true causes are the first), top-3 (within the first 3, or as many more as there are)."""
    faults = len(rows[0][0])
    first = np.mean([max(places) <= faults for places, *_ in rows])
    third = np.mean([max(places) <= max(3, faults + 1) for places, *_ in rows])
    exact = np.mean([set(found.best) == set(names) for *_, names, found in rows])
    return first, third, exact


EDGES = (0.0, 0.02, 0.1, 0.3, 0.6, 0.9, 0.99, 1.0 + 1e-9)


def stated_and_true(rows):
    """Return all posteriors of all cases, and whether the cause was there."""
    stated = np.concatenate([probability for _, probability, *_ in rows])
    truth = np.concatenate([np.isin(np.arange(len(p)), there) for _, p, there, *_ in rows])
    return stated, truth.astype(float)


def print_reliability(world, rows, cases):
    """Print stated against true, before and after a map learned on other cases of the mixes that are not kept out."""
    learned = [row for mix in MIXES if "kept out" not in mix for row in play(world, mix, cases, seed=1)]
    mending = Isotonic.mending(*stated_and_true(learned))
    stated, truth = stated_and_true(rows)
    for name, said in (("stated", stated), ("mended", mending(stated))):
        print(f"\n{name}: Brier score {brier(said, truth):.6f}\n\n| {name} | true | causes |\n|---:|---:|---:|")
        for mean, true, count in reliability(said, truth, EDGES):
            print(f"| {mean:.4f} | {true:.4f} | {count} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--worlds", nargs="+", default=["mixed", "germany50"])
    given = parser.parse_args()
    wrong = replace(
        Certainties(),
        own=0.6,
        cut=0.6,
        own_weak=0.5,
        weak_loss=0.8,
        weak_delay=0.8,
        leak=dict.fromkeys(Certainties().leak, 0.02),
    )
    for world in given.worlds:
        print(f"\n| {world} | top-1 | top-3 | best set is the truth | top-1 with wrong certainties |")
        print("|---|---:|---:|---:|---:|")
        every = []
        for mix in MIXES:
            rows = play(world, mix, given.cases)
            every += rows
            first, third, exact = summary(rows)
            other = summary(play(world, mix, given.cases, sure=wrong))[0]
            print(f"| {mix} | {first:.3f} | {third:.3f} | {exact:.3f} | {other:.3f} |")
        print_reliability(world, every, given.cases)


if __name__ == "__main__":
    main()
