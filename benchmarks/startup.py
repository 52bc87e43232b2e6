"""How long `tiertwin --help` takes: whole processes, against `pip --help`, the command line every environment has.

The answer is asserted: the help names every verb, no heavy package was loaded, and the median is under 0.3 s. The
second case is no rival but the floor: an interpreter that imports click and stops, which we cannot beat.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from support import Case, main

LIMIT_S = 0.3
HEAVY = ("numpy", "tiertwin._core", "pydantic", "yaml", "networkx", "cvxpy", "duckdb")
HELP = f"""
import sys, tiertwin.cli
try:
    tiertwin.cli.main(["--help"])
except SystemExit:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)


def ours() -> subprocess.CompletedProcess[str]:
    return process("-c", HELP)


def check(mine: subprocess.CompletedProcess[str], _: object) -> None:
    from tiertwin.cli import VERBS

    assert all(verb in mine.stdout for verb in VERBS), mine.stdout
    assert mine.stderr == "[]\n", f"loaded by --help: {mine.stderr}"
    took = []
    for _turn in range(5):
        start = time.perf_counter()
        ours()
        took.append(time.perf_counter() - start)
    median = statistics.median(took)
    assert median < LIMIT_S, f"--help takes {median:.3f} s, expected less than {LIMIT_S} s"


def cases(quick: bool) -> Iterator[Case]:
    yield Case("startup/help", ours, lambda: process("-m", "pip", "--help"), "python -m pip --help", check)
    if not quick:
        yield Case("startup/floor", ours, lambda: process("-c", "import click"), "python -c 'import click'", check)


if __name__ == "__main__":
    main(__doc__ or "", cases)
