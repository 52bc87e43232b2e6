"""Child process of the scale study: the whole random tree as one cvxpy problem. JSON in, JSON out."""

from __future__ import annotations

import json
import resource
import sys

from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.study.instances import random_tree


def main() -> None:
    """Read the instance from standard input, solve it at once, print what came out."""
    wanted = json.load(sys.stdin)
    tree = random_tree(wanted["fogs"], wanted["leaves"], wanted["groups"], wanted["seed"])
    found = solve_monolithic(tree)
    answer = {
        "value": found.value,
        "bound": found.bound,
        "scale": found.scale,
        "ok": bool(found.ok),
        "status": found.status,
        "seconds": found.seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
