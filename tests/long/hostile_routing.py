"""Hostile routing instances by the thousand: no wrong certificate, no crash, no violation, a reason for each refusal.

    python tests/long/hostile_routing.py [--instances 10000] [--first 0]

What is drawn and what is checked: tests/support/hostile_routing.py. Every tenth benign enough one is compared with the
optimum of HiGHS. Prints each instance that breaks a rule and in the end one JSON object; status 1 if any did.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.hostile_routing import against_highs, check


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    came: Counter[str] = Counter()
    worst, loose, start = 0.0, 0, time.process_time()
    for seed in range(given.first, given.first + given.instances):
        try:
            what, gap = check(seed)
            came["compared with HiGHS"] += seed % 10 == 1 and against_highs(seed)
        except Exception as error:  # whatever it is, it goes into the list
            came["broken"] += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            continue
        came[what] += 1
        loose += gap > 1e-3
        worst = max(worst, gap)
    cpu = round(time.process_time() - start, 1)
    print(json.dumps({**came, "gap above 1e-3": loose, "largest gap": worst, "cpu_s": cpu}))
    sys.exit(1 if came["broken"] else 0)


if __name__ == "__main__":
    main()
