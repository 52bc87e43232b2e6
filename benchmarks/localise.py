"""Time to rank 10⁴ causes by 10⁵ observations: ``python benchmarks/localise.py [--quick] [--json]``.

A model of the size and shape of a large network: every cause shows in `per_cause` observations near each other (the
paths over a link), q between 0.5 and 0.99. Drawn: one to five causes that are there, alarms by the model, 10 % of the
observations missing. CPU seconds of: building the model, taking all states in, ranking, taking one changed observation
in and ranking again. Ends with status 1 where the causes drawn are not the best set found.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from tiertwin.functions.assure.influences import Rows
from tiertwin.functions.assure.localiser import Localiser

Result = dict[str, Any]


def model(rng: np.random.Generator, causes: int, observations: int, per_cause: int) -> tuple[Rows, float]:
    """Return influences: each cause on `per_cause` of the observations in a window of three times as many."""
    window = min(3 * per_cause, observations)
    begin = rng.integers(0, observations - window + 1, causes)
    inside = np.sort(np.argsort(rng.random((causes, window)), axis=1)[:, :per_cause], axis=1)
    observation = (begin[:, None] + inside).ravel()
    start = np.arange(causes + 1, dtype=np.int64) * per_cause
    return Rows(start, observation, rng.uniform(0.5, 0.99, observation.size)), 1e-3


def drawn(rng: np.random.Generator, rows: Rows, observations: int, leak: float, there: np.ndarray) -> np.ndarray:
    """Return states of all observations when the causes `there` are present."""
    exposure = np.full(observations, -np.log1p(-leak))
    for cause in there:
        at = slice(rows.start[cause], rows.start[cause + 1])
        exposure[rows.observation[at]] -= np.log1p(-rows.q[at])
    state: np.ndarray = (rng.random(observations) < -np.expm1(-exposure)).astype(np.int64)
    state[rng.random(observations) < 0.1] = -1
    return state


def measure(causes: int, observations: int, per_cause: int, faults: int, seed: int) -> Result:
    """Measure one case."""
    rng = np.random.default_rng(seed)
    rows, leak = model(rng, causes, observations, per_cause)
    there = np.sort(rng.choice(causes, faults, replace=False))
    state = drawn(rng, rows, observations, leak, there)
    names = [f"c{k}" for k in range(causes)], [f"o{k}" for k in range(observations)]
    began = time.process_time()
    localiser = Localiser(*names, rows, leak, 1e-4)
    built = time.process_time()
    localiser.observe(*(np.flatnonzero(state == kind) for kind in (1, 0, -1)))
    took = time.process_time()
    found = localiser.ranked(10)
    ranked = time.process_time()
    localiser.observe([int(np.flatnonzero(state == 0)[0])])
    localiser.ranked(10)
    again = time.process_time()
    return {
        "causes": causes,
        "observations": observations,
        "influences": len(rows.q),
        "faults": faults,
        "alarms": int((state == 1).sum()),
        "build_s": built - began,
        "observe_s": took - built,
        "rank_s": ranked - took,
        "one_more_s": again - ranked,
        "found": sorted(found.best) == sorted(f"c{k}" for k in there),
        "complete": found.complete,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10³ causes, 10⁴ observations")
    parser.add_argument("--json", action="store_true", help="one JSON object a case")
    given = parser.parse_args()
    causes, observations = (1_000, 10_000) if given.quick else (10_000, 100_000)
    missed = False
    for per_cause in (30, 300):
        for faults in (1, 2, 5):
            row = measure(causes, observations, per_cause, faults, seed=faults)
            missed |= not row["found"]
            print(
                json.dumps(row)
                if given.json
                else "  ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
            )

    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
