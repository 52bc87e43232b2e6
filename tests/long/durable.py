"""The long forms of the log's tests: ``python tests/long/durable.py kills|calls|seeds|planted``; prints what it found.

======== ==========================================================================================================
kills    a process with a log, killed -9 again and again: what it had acknowledged is there (T11)
calls    every system call that changes something × EIO, ENOSPC, half a write, kill before, kill after (T3)
seeds    histories over the model of a disk; the seconds say how many seeds a minute this machine makes (T2)
planted  in how many of so many seeds each planted bug shows
======== ==========================================================================================================

Ends with status 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from support.durablesim import PLANTED, history  # noqa: E402
from support.logkills import cycles  # noqa: E402


def kills(count: int, seed: int) -> dict[str, object]:
    """Kill a process so many times."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        done = cycles(Path(folder), count, seed)
    return {
        "kills": count,
        "records": done.records,
        "lost": done.lost,
        "news": len(done.news),
        "seconds": round(time.monotonic() - start),
    }


def calls(every: int) -> dict[str, object]:
    """Fail every system call once, in each way."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, str(TESTS / "support" / "failing_calls.py"), f"{folder}/log", str(every)]
        done = subprocess.run(words, capture_output=True, text=True)
    runs = [line.split() for line in done.stdout.splitlines()]
    lost = [" ".join(run) for run in runs if int(run[5]) < int(run[4])]
    return {"runs": len(runs), "calls": sorted({run[2] for run in runs}), "lost": lost, "errors": done.stderr[-500:]}


def seeds(first: int, count: int) -> dict[str, object]:
    """Run histories, half of them with flipped bits."""
    start = time.process_time()
    lost = [f"{seed}: {wrong}" for seed in range(first, first + count) if (wrong := history(seed)) is not None]
    flipped = range(first, first + count)
    lost += [f"{seed} flips: {wrong}" for seed in flipped if (wrong := history(seed, flips=True)) is not None]
    spent = time.process_time() - start
    return {"seeds": 2 * count, "lost": lost, "seeds_a_minute_and_core": round(2 * count * 60 / spent)}


def planted(first: int, count: int) -> dict[str, object]:
    """Count the seeds that show each planted bug."""
    shown = {bug: sum(history(seed, bug) is not None for seed in range(first, first + count)) for bug in PLANTED}
    return {"seeds": count, "shown": shown, "lost": [bug for bug, seen in shown.items() if seen == 0]}


def main() -> None:
    """Parse, run, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["kills", "calls", "seeds", "planted"])
    parser.add_argument("--count", type=int, default=None, help="kills (1000), seeds (20000; planted 1000)")
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--every", type=int, default=1, help="calls: only every so many")
    options = parser.parse_args()
    if options.what == "kills":
        report = kills(options.count or 1000, options.first)
    elif options.what == "calls":
        report = calls(options.every)
    elif options.what == "seeds":
        report = seeds(options.first, (options.count or 20_000) // 2)
    else:
        report = planted(options.first, options.count or 1000)
    print(json.dumps(report, indent=1))
    sys.exit(1 if report["lost"] else 0)


if __name__ == "__main__":
    main()
