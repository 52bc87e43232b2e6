"""Ten thousand hostile leaf problems for a leaf solver: each gets a plan that the checker admits (P7).

    python tests/long/hostile_leaves.py [--solver kernel] [--count 10000] [--first 0]

One to three numbers of each are spoiled: NaN, infinite, negative, zero, twelve decades off. The ladder must give a plan
that is admissible for the problem, or for what its first step made of it. Prints how often each step gave the answer;
status 1 if a plan was not admissible or the ladder raised.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.hostile_leaves import admissible, hostile_leaf
from tiertwin.allocate import registry
from tiertwin.allocate.ladder import Rungs, allocator_solver, climb
from tiertwin.allocate.validation import sanitised


def wrong(rng: np.random.Generator, trial: int, rungs: Rungs, steps: Counter[str]) -> str:
    """Return what is wrong with the answer to one problem; nothing where it is right."""
    hostile, query = hostile_leaf(rng, trial)
    with np.errstate(all="ignore"):
        outcome = climb(hostile, query, rungs)
    steps[str(outcome.answer.step)] += 1
    real = hostile if not hostile.faults() else sanitised(hostile)
    return "" if admissible(real, query, outcome.answer) else "the plan breaks a limit, or is not worth what is said"


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solver", default="kernel", choices=["kernel", "cvxpy"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    rungs = Rungs(conic=allocator_solver(registry.get(asked.solver)))
    steps, bad, began = Counter[str](), list[str](), time.process_time()
    for seed in range(asked.first, asked.first + asked.count):
        try:
            found = wrong(np.random.default_rng([9, seed]), seed, rungs, steps)
        except Exception as error:  # whatever it is, it must not come out of the ladder
            found = f"{type(error).__name__}: {error}"
        if found:
            bad.append(f"seed {seed}: {found}")
    took = time.process_time() - began
    print(
        json.dumps({"solver": asked.solver, "count": asked.count, "steps": steps, "cpu_s": round(took, 1), "bad": bad})
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
