"""Starts and stops a tree of processes in lockstep 200 times: no hang, no leaked descriptor, no process left (P15).

    python tests/long/start_stop.py [--cycles 200] [--processes device=2,edge=3,fog=3,cloud=1] [--report FILE]

Prints a line every 10 cycles and in the end one JSON object with what was found; keep it with the commit and the date.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cycles import Cycle, cycle
from support.processes import Listener, descriptors, open_listeners
from tiertwin.runtime.processes import parse_processes

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the cycles; 1 when one was not as it should."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cycles", type=int, default=200)
    options.add_argument("--processes", default="device=2,edge=3,fog=3,cloud=1")
    options.add_argument("--report", type=Path, help="write the JSON here too")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = report(Path(folder), asked.cycles, asked.processes)
    text = json.dumps(found, indent=1)
    print(text)
    if asked.report is not None:
        asked.report.write_text(text + "\n")
    return 0 if found["well"] else 1


def report(folder: Path, cycles: int, processes: str) -> dict[str, object]:
    """Run `cycles` cycles of one epoch each and put what was seen together."""
    layout = parse_processes(processes)
    cycle(folder / "first", layout, epochs=1)
    gc.collect()
    before, done = descriptors(), list[Cycle]()
    still_open: set[Listener] = set()
    for k in range(cycles):
        done.append(cycle(folder / str(k), layout, epochs=1))
        still_open |= done[-1].listening & open_listeners()
        if (k + 1) % 10 == 0:
            print(f"{k + 1} cycles, {descriptors() - before:+d} descriptors", file=sys.stderr, flush=True)
    killed = [name for one in done for name in one.killed]
    broke = [name for one in done for name in one.broke]
    leaked = descriptors() - before
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "processes": processes,
        "cycles": cycles,
        "hung": 0,  # one that hangs ends this script by its timeouts, with an error
        "killed": killed,
        "broke": broke,
        "leaked_descriptors": leaked,
        "ports_left_open": sorted(port for port, _ in still_open),
        "start_s": spread([one.start_s for one in done]),
        "stop_s": spread([one.stop_s for one in done]),
        "well": not (killed or broke or leaked or still_open),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest."""
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {name: round(v, 3) for name, v in (("p50", statistics.median(ordered)), ("p99", p99), ("max", ordered[-1]))}


if __name__ == "__main__":
    sys.exit(main())
