"""Wrong certificates among random trees: 0 is promised (docs/allocation.md). Prints one JSON object; status 1 if not.

    python tests/long/certificates.py [--instances 10000] [--first 0] [--report FILE]

Each tree has two to four deciding tiers, two to six leaves a node, α from 0 to 2, and at places no capacity or no
demand; a third of them spans twelve decades. By turns: nothing is lost; a fifth of queries and answers is lost and a
fifth comes late; data change and refreshes are lost (stale, or certified when they arrived); data change within
declared drift and refreshes are lost. Every certified bound is held against a monolithic solve that brackets the
optimum itself, the committed plan against every limit and the lower bound. About 0.2 s of CPU a tree.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.hostile_trees import Tally, trial
from tiertwin.allocate.mastersolver import MASTER_SOLVERS, master_solver

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the trials."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--instances", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0, help="seed of the first")
    options.add_argument("--report", type=Path, help="write the JSON here too")
    asked = options.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    tally, masters, began = Tally(), [master_solver(name) for name in MASTER_SOLVERS], time.process_time()
    for seed in range(asked.first, asked.first + asked.instances):
        known = len(tally.failures)
        trial(seed, masters, tally)
        for failure in tally.failures[known:]:
            print(failure, file=sys.stderr, flush=True)
        if (seed + 1) % 250 == 0:
            print(
                f"{seed + 1}: {tally.wrong} wrong of {tally.certificates}, {tally.broken} plans",
                file=sys.stderr,
                flush=True,
            )
    found = {"commit": commit.stdout.strip(), "instances": asked.instances, "first": asked.first, **asdict(tally)}
    found["cpu_s"] = round(time.process_time() - began, 1)
    print(json.dumps(found))
    if asked.report is not None:
        asked.report.write_text(json.dumps(found) + "\n")
    sys.exit(1 if tally.wrong or tally.broken else 0)


if __name__ == "__main__":
    main()
