"""Ten thousand hostile instances of fair shares: no wrong certificate, no crash, no violation, gaps told.

    python tests/long/hostile_fair.py [--count 10000] [--first 0] [--cvxpy 100]

Every answer is judged by loops (tests/reference/families.py) that share nothing with the core: the plan is feasible to
1e-6 and worth what is said, the prices give the bound that is said, and no rival plan is worth more: those are the
answer to the same question asked for 1e-8, the one from a warm start, random plans, and for one in `--cvxpy` instances
what Clarabel finds. Prints the distribution of the gaps and of the steps; status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.families import nasty_fair, wrong_answer
from tiertwin.allocate.families.fair import FairKernel
from tiertwin.allocate.families.fair_cvxpy import FairCvxpy
from tiertwin.errors import SolveError

GAPS = (1e-6, 1e-3, 1e-1, 1.0)


def rivals(seed: int, by_cvxpy: bool) -> list[np.ndarray]:
    """Plans of others."""
    problem, kernel = nasty_fair(seed), FairKernel()
    tight = kernel.allocate(problem, tolerance=1e-8)
    rng = np.random.default_rng(seed)
    found = [tight.x, kernel.allocate(problem, start=tight, tolerance=1e-5).x]
    found += [problem.most[problem.options.user_of] * rng.dirichlet(np.ones(problem.options.count)) for _ in range(2)]
    if by_cvxpy:
        with contextlib.suppress(SolveError, ArithmeticError):  # hostile to it, too
            found.append(FairCvxpy().allocate(problem).x)
    return found


def main() -> None:
    """Run, print, and exit with 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cvxpy", type=int, default=100, help="one in so many is also solved by Clarabel; 0: none")
    options = parser.parse_args()
    wrong, gaps, steps = 0, [], []
    for seed in range(options.first, options.first + options.count):
        problem = nasty_fair(seed)
        found = FairKernel().allocate(problem)
        told = wrong_answer(problem, found, rivals(seed, bool(options.cvxpy) and seed % options.cvxpy == 0))
        if told:
            wrong += 1
            print(f"seed {seed}: {told}", flush=True)
        gaps.append(found.gap)
        steps.append(found.iterations)
    shares = ", ".join(f"> {limit:g}: {np.mean(np.array(gaps) > limit):.4f}" for limit in GAPS)
    print(f"{options.count} instances, {wrong} wrong; gap told {shares}; steps {np.mean(steps):.1f}, most {max(steps)}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
