"""The long forms of the simulator of trees: ``python tests/long/trees.py seeds|planted|explain``; prints what it found.

======= ============================================================================================================
seeds   histories, a fifth of them with flipped bits; the rate is by processor time of one core
planted in how many of so many seeds each planted bug shows
explain one seed (`--first`): options, fewest fault classes, last 200 events
======= ============================================================================================================

Ends with status 1 if anything failed, or a planted bug shows nowhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.treebugs import FLIPPED, PLANTED
from support.treesim import History, history
from support.treetell import explain


def seeds(first: int, count: int) -> dict[str, object]:
    """Run histories and count what they were."""
    start, failed, told, shapes = time.process_time(), [], Counter[str](), Counter[str]()
    slowest = 0
    for seed in range(first, first + count):
        one = History(seed, flips=seed % 5 == 0)
        wrong = one.run()
        if wrong is not None:
            failed.append(f"{seed}{' flips' if one.flips else ''}: {wrong[:300]}")
        shapes[one.shape.name + (" long" if one.options["long"] > 1 else "")] += 1
        told.update(one.told)
        slowest = max(slowest, one.told["periods"])
    spent = time.process_time() - start
    del told["periods"]
    return {
        "first": first,
        "seeds": count,
        "failed": failed,
        "shapes": dict(shapes),
        "seen": dict(told),
        "slowest_to_settle_s": slowest * 0.025,
        "seeds_a_minute_and_core": round(count * 60 / spent),
    }


def planted(first: int, count: int) -> dict[str, object]:
    """Count the seeds that show each planted bug."""
    tried = range(first, first + count)
    shown = {bug: sum(history(seed, bug, bug in FLIPPED) is not None for seed in tried) for bug in PLANTED}
    return {"seeds": count, "shown": shown, "failed": [bug for bug, seen in shown.items() if seen == 0]}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["seeds", "planted", "explain"])
    parser.add_argument("--count", type=int, default=None, help="seeds (20000; planted 1000)")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--planted", choices=PLANTED, default="", help="explain: with this bug put in")
    parser.add_argument("--flips", action="store_true", help="explain: with flipped bits")
    parser.add_argument("--plain", action="store_true", help="explain: as seeds kept from before are run")
    options = parser.parse_args()
    if options.what == "explain":
        print(explain(options.first, options.planted, options.flips, options.plain))
        return
    if options.what == "seeds":
        report = seeds(options.first, options.count or 20_000)
    else:
        report = planted(options.first, options.count or 1000)
    print(json.dumps(report, indent=1))
    sys.exit(1 if report["failed"] else 0)


if __name__ == "__main__":
    main()
