"""How long ``tiertwin --help`` takes, against ``pip --help``, the command line every environment has.

    python benchmarks/startup.py [--quick] --json

The answer is asserted: the help names every verb, none of the heavy packages was loaded, and the median is under 0.3 s.
Ours and the peers are whole processes, run in turn on the same machine; times are wall times in ms. The second case is
no rival but a floor: an interpreter that imports click and stops, which we cannot beat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from tiertwin.cli import VERBS

LIMIT_S = 0.3
HEAVY = ("numpy", "tiertwin._core", "pydantic", "yaml", "networkx", "cvxpy", "duckdb")
HELP = "from tiertwin.cli import main; main(['--help'])"
CHECK = (
    "import sys, tiertwin.cli\n"
    "try:\n    tiertwin.cli.main(['--help'])\nexcept SystemExit:\n"
    f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
)
CASES = (
    ("help", "python -m pip --help", ("-m", "pip", "--help")),
    ("help-floor", "python -c 'import click'", ("-c", "import click")),
)


def wall(command: tuple[str, ...]) -> float:
    """Seconds of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def check_answer() -> None:
    """The help is whole, and light."""
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    assert all(verb in done.stdout for verb in VERBS), done.stdout
    assert done.stderr == "[]\n", f"loaded by --help: {done.stderr}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    parser.add_argument("--json", action="store_true", help="one JSON object a case, on a line")
    options = parser.parse_args()
    check_answer()
    runs = 9 if options.quick else 31
    commands = [("-c", HELP), *(command for _, _, command in CASES)]
    for command in commands:
        wall(command)  # compiled files and disk cache are warm for all
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(runs):
        for command, kept in zip(commands, times, strict=True):
            kept.append(wall(command))
    ours, *peers = (1000.0 * statistics.median(kept) for kept in times)
    for (case, name, _), peer in zip(CASES, peers, strict=True):
        row = {"case": case, "ours": round(ours, 1), "peer": round(peer, 1), "peer_name": name}
        row |= {"ratio": round(peer / ours, 3), "unit": "ms", "runs": runs}
        print(json.dumps(row) if options.json else f"{case}: {ours:.0f} ms, {name}: {peer:.0f} ms")
    assert ours < 1000.0 * LIMIT_S, f"tiertwin --help takes {ours:.0f} ms, expected less than {1000 * LIMIT_S:.0f}"


if __name__ == "__main__":
    main()
