"""Hostile instances of slices, reservation and spectrum by the thousand: no wrong certificate, no crash, no violation.

    python tests/long/hostile_families.py [--count 10000] [--family slices]

Twelve decades of demands, capacities, weights and gains; zeros, infinities, ties, floors nobody can keep. Each answer
is judged by the checker, its bound recomputed from its prices and compared with rival plans; each refused floor must
have reasons. Prints what was found and ends with status 1 where anything was wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.hostile_families import try_one

SHARE = {"slices": 0.6, "reservation": 0.2, "spectrum": 0.2}


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--family", choices=list(SHARE))
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    bad = 0
    for family, share in SHARE.items():
        if asked.family not in (None, family):
            continue
        found, count = Counter[str](), asked.count if asked.family else int(asked.count * share)
        for seed in range(asked.first, asked.first + count):
            for line in try_one(family, seed, found):
                bad += 1
                print(f"{family} {seed}: {line}")
        print(f"{family}: {count} instances, {dict(sorted(found.items()))}")
    print(f"{bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
