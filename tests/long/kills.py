"""Kills of processes of a real tree whose twins keep logs (T11): ``python tests/long/kills.py [--count 1000]``.

A process of a random tier, now and then a parent and its child together, is killed with -9 at a random moment and
started again by the launcher, so many times. Whenever nodes come back, what their logs hold is compared to what they
had acknowledged to their children as durable, as those had heard it before. Prints one JSON object; status 1 if
anything was lost, or if some link does not agree in the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import pytest

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from support.treekills import cycles  # noqa: E402
from support.trees import disagreements, links, live_tree  # noqa: E402
from tiertwin.runtime import supervisor  # noqa: E402

SINGLE = [("gateways",), ("edges-1",), ("edges-2",), ("fogs-1",), ("fogs-2",), ("fogs-3",), ("cloud",)]
TOGETHER = [("fogs-1", "edges-1"), ("cloud", "fogs-2"), ("gateways", "edges-2"), ("edges-1", "edges-2", "cloud")]


def victims(count: int, random: Random) -> list[tuple[str, ...]]:
    """Draw who is killed; every fifth time several at once."""
    drawn: list[tuple[str, ...]] = []
    while (left := count - sum(map(len, drawn))) > 0:
        names = random.choice(TOGETHER if random.random() < 0.2 else SINGLE)
        drawn.append(names if len(names) <= left else random.choice(SINGLE))
    return drawn


def kills(count: int, seed: int, folder: Path) -> dict[str, object]:
    """Kill so many processes of a tree of metro."""
    patch = pytest.MonkeyPatch()
    patch.setattr(supervisor, "RESTARTS", 10**6)  # the limit is not what is looked at here
    patch.setattr(supervisor, "LONGEST_PAUSE_S", supervisor.FIRST_PAUSE_S)
    began = time.monotonic()
    try:
        with live_tree(patch, folder, durable=True) as live:
            found = cycles(live, victims(count, Random(seed)), seed)
            heal = time.time_ns()
            look = lambda: disagreements(live.folder, max(heal, time.time_ns() - 3 * 10**9))[0]  # noqa: E731
            wrong: list[str] = ["not looked at"]
            for _ in range(30):
                live.epochs(1)
                if not (wrong := look()):
                    break
            alarms = sum(link.alarms for link in links(live.folder).values())
    finally:
        patch.undo()
    return {
        "kills": found.kills,
        "logs_resumed": found.resumed,
        "levels_compared": found.compared,
        "records_acknowledged": found.records,
        "lost": found.lost,
        "put_aside": [line for line in found.told if "refused" in line],
        "tails_cut": sum("unfinished group" in line for line in found.told),
        "disagree": wrong,
        "digest_alarms": alarms,
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    """Parse, run, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=None, help="write the report here, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = kills(options.count, options.seed, Path(folder))
    text = json.dumps(report, indent=1)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")
    sys.exit(1 if report["lost"] or report["disagree"] or report["put_aside"] or report["digest_alarms"] else 0)


if __name__ == "__main__":
    main()
