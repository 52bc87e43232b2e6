"""A week or two of maintenance of all links of a network: ``python benchmarks/maintenance.py [--quick] [--json]``.

Links of `germany50` with Weibull wear (shape 2.5, scale 1 year, ages drawn up to 15 months), hours as slots, jobs of
2 to 4 h, three crews, a visit a site and half day, load that follows the scenario's day, redundant pairs of links
kept. Costs: job 1, failure 50, an hour out 0.5 times the load (mean 0.6), visit 0.5. CPU seconds of the solve, cost,
certified bound, and the same jobs by the calendar (each link once in 90 days, at its own offset) and never.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from tiertwin.allocate.maintenance import Maintenance, worth
from tiertwin.allocate.maintenance_milp import schedule
from tiertwin.functions.assure.upkeep import failure_curve, periodic, redundant_pairs, run_to_failure
from tiertwin.world import load, resolve

YEAR_S, PERIOD_DAYS = 365 * 86_400.0, 90


def problem(days: int, copies: int, seed: int) -> Maintenance:
    """Return the problem; `copies` networks side by side share the crews, three for each."""
    world, rng = resolve(load("germany50")), np.random.default_rng(seed)
    links, slots = world.link_count, 24 * days
    jobs = copies * links
    hour = world.profile_urban[np.arange(24) * world.epochs_per_day // 24]
    pairs = [(a + k * links, b + k * links) for k in range(copies) for a, b in redundant_pairs(world, np.arange(links))]
    return Maintenance(
        jobs=tuple(f"network {k} link {link}" for k in range(copies) for link in range(links)),
        slots=rng.integers(2, 5, jobs),
        window=np.ones((jobs, slots), dtype=bool),
        must=np.zeros(jobs, dtype=bool),
        crew=np.ones(jobs, dtype=np.int64),
        crews=np.full(slots, 3 * copies),
        site=np.concatenate([world.link_tail + k * world.node_count for k in range(copies)]),
        shift=np.arange(slots) // 12,
        travel=0.5,
        cost=np.ones(jobs),
        failure_cost=np.full(jobs, 50.0),
        outage=np.full(jobs, 0.5),
        fails_before=failure_curve(
            np.full(jobs, 2.5), np.full(jobs, YEAR_S), rng.uniform(0, 1.25 * YEAR_S, jobs), 3600.0, slots
        ),
        load=np.tile(hour, days)[None, :] * rng.uniform(0.2, 1.0, (jobs, 1)),
        groups=tuple(pairs),
        spare=(1,) * len(pairs),
    )


def measure(days: int, copies: int, seed: int = 1) -> dict[str, Any]:
    """Solve one problem and play the baselines."""
    asked = problem(days, copies, seed)
    began = time.process_time()
    found = schedule(asked)
    spent = time.process_time() - began
    due = np.random.default_rng(seed + 1).integers(0, PERIOD_DAYS * 24, len(asked.jobs))
    calendar = periodic(asked, due)
    return {
        "jobs": len(asked.jobs),
        "slots": asked.horizon,
        "status": found.status,
        "cpu_s": spent,
        "cost": found.worth.cost,
        "bound": found.bound,
        "gap": found.gap,
        "done": int((found.start >= 0).sum()),
        "visits": found.worth.travel / 0.5,
        "failures_cost": found.worth.failures,
        "outage_cost": found.worth.outage,
        "periodic_cost": worth(asked, calendar).cost,
        "periodic_done": int((calendar >= 0).sum()),
        "run_to_failure_cost": worth(asked, run_to_failure(asked)).cost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one week of one network")
    parser.add_argument("--json", action="store_true", help="one JSON object a case")
    given = parser.parse_args()
    for days, copies in ((7, 1),) if given.quick else ((7, 1), (14, 1), (7, 4)):
        row = measure(days, copies)
        if given.json:
            print(json.dumps(row))
            continue
        print(
            "  ".join(
                f"{name} {value:.5g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()
            )
        )


if __name__ == "__main__":
    main()
