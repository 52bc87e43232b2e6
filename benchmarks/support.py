"""One harness for all benchmarks: ours and the peer in turns, the answer asserted, one JSON object a case.

A benchmark is a list of `Case`; `main` runs it:

    python benchmarks/sssp.py [--quick] [--json]

Method: see README.md beside this file.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MOST_RUNS = 41
CASE_SECONDS = 2.5  # short cases are repeated until this is used up: a median of 5 runs of 15 ms says little


@dataclass(frozen=True)
class Case:
    """One workload, done by us and by a peer.

    `ours` and `peer` return their answers; `check(ours, peer)` raises if they disagree and runs once before any timing.
    `amount` is what one run gets through, in the unit that `unit` counts per second: with ``amount=1e6`` and
    ``unit="records/s"`` a run of 10 ms is 1e8 records/s. With `unit` "s" the figure is the time itself, less is better,
    and `amount` is not used. `setup` runs, untimed, before each timed run of either, and its result goes to both.
    Without `peer` the case reports our figure against a stated `target` in the same unit. `figure` takes the figure out
    of an answer where it is not the time of the run (a latency); `cpu` what other processes spent on it, CPU seconds.
    `less`: less is better in another unit than "s", too (an error). `runs`: so many of each, no more and no fewer, for
    cases that take long. `claim`: the least ratio that is promised; whether it holds is told, and fails nothing.
    """

    case: str
    ours: Callable[..., Any]
    peer: Callable[..., Any] | None
    peer_name: str
    check: Callable[[Any, Any], None]
    unit: str = "s"
    amount: float = 1.0
    setup: Callable[[], Any] | None = None
    target: float | None = None
    figure: Callable[[Any], float] | None = None
    cpu: Callable[[Any], float] | None = None
    less: bool = False
    runs: int | None = None
    claim: float | None = None


def _timed(run: Callable[..., Any], case: Case) -> tuple[float, float]:
    """Run once; return the figure and the CPU seconds it took."""
    arguments = () if case.setup is None else (case.setup(),)
    start, spent = time.perf_counter(), time.process_time()
    answer = run(*arguments)
    seconds, spent = time.perf_counter() - start, time.process_time() - spent
    if case.cpu is not None:
        spent += case.cpu(answer)
    if case.figure is not None:
        return case.figure(answer), spent
    return (seconds if case.unit == "s" else case.amount / seconds), spent


def _ratio(ours: float, peer: float, less: bool) -> float | None:
    above, below = (peer, ours) if less else (ours, peer)
    return above / below if below else None


def measure(case: Case, least_runs: int) -> dict[str, Any]:
    """Check the answers, then time pairs in turns: what disturbs one disturbs the other.

    At least `least_runs` pairs, and more (odd, up to `MOST_RUNS`) while `CASE_SECONDS` last. When to stop depends on
    the time spent only, never on the figures.
    """
    given = () if case.setup is None else (case.setup(),)
    ours = case.ours(*given)
    case.check(ours, None if case.peer is None else case.peer(*given))
    runs: dict[str, list[tuple[float, float]]] = {"ours": [], "peer": []}
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + CASE_SECONDS
        turn = 0
        least, most = (least_runs, MOST_RUNS) if case.runs is None else (case.runs, case.runs)
        while turn < least or (turn < most and (turn % 2 == 0 or time.perf_counter() < end)):
            pair = [("ours", case.ours), ("peer", case.peer)]
            for name, run in pair if turn % 2 == 0 else reversed(pair):
                if run is not None:
                    runs[name].append(_timed(run, case))
            turn += 1
    finally:
        gc.enable()
    figures = {name: [figure for figure, _ in done] for name, done in runs.items()}
    cpu = {name: statistics.median([spent for _, spent in done]) for name, done in runs.items() if done}
    median = statistics.median(figures["ours"])
    against = statistics.median(figures["peer"]) if case.peer is not None else case.target
    ratio = None if against is None else _ratio(median, against, case.less or case.unit == "s")
    return {
        "case": case.case,
        "ours": median,
        "peer": against,
        "peer_name": case.peer_name,
        "ratio": ratio,
        "claim": case.claim,
        "holds": None if case.claim is None or ratio is None else ratio >= case.claim,
        "unit": case.unit,
        "runs": turn,
        "spread": (max(figures["ours"]) - min(figures["ours"])) / median if median else 0.0,
        "cpu_ours": cpu["ours"],
        "cpu_peer": cpu.get("peer"),
    }


def main(
    description: str,
    cases: Callable[..., Iterable[Case]],
    more: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """Parse the flags, run the cases `cases(quick)`, print a line each; an answer that is wrong ends with status 1.

    `more` adds flags of a benchmark's own, which become keywords of `cases`.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller workloads; within 45 s on 2 cores")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a case and nothing else on standard output"
    )
    parser.add_argument("--runs", type=int, default=None, help="least pairs of runs a case (never below 5)")
    if more is not None:
        more(parser)
    options = parser.parse_args()
    own = {name: value for name, value in vars(options).items() if name not in ("quick", "json", "runs")}
    runs = max(5, options.runs or (5 if options.quick else 15))
    if not options.json:
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; at least {runs} runs")
    for case in cases(options.quick, **own):
        try:
            result = measure(case, runs)
        except AssertionError as wrong:
            sys.exit(f"{case.case}: wrong answer: {wrong}")
        if options.json:
            print(json.dumps(result), flush=True)
        else:
            ratio = "" if result["ratio"] is None else f"  ratio {result['ratio']:.2f}"
            peer = "" if result["peer"] is None else f"  {result['peer_name']} {result['peer']:.4g}"
            holds = {None: "", True: "holds", False: "MISSED"}[result["holds"]]
            claim = f", claimed {case.claim:g}: {holds}" if holds else ""
            print(f"{result['case']}: ours {result['ours']:.4g}{peer} {result['unit']}{ratio}{claim}", flush=True)
