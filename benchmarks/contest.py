"""Benchmarks with many possible peers: each is tried once, the fastest that is right becomes the peer of the case.

A peer that takes long runs once and its figure is repeated; the name says so. The tries are alternatives a user has,
each in its best form: problem built and canonicalised beforehand where the library can keep that.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from support import Case

SLOW = 2.0  # seconds beyond which a peer is not run again
LIMIT = 300.0  # seconds after which no further peer is tried


@dataclass(frozen=True)
class Timed:
    """An answer, the seconds it took, and CPU seconds that were spent earlier."""

    answer: Any
    seconds: float
    cpu: float = 0.0


def timed(run: Callable[[], Any]) -> Timed:
    """Run and measure; a run that measured itself (in another process) is believed."""
    start = time.perf_counter()
    answer = run()
    if isinstance(answer, Timed):
        return answer
    return Timed(answer, time.perf_counter() - start)


def contest(
    case: str,
    ours: Callable[[], Any],
    peers: Mapping[str, Callable[[], Any]],
    right: Callable[[Any], None],
) -> Case:
    """Make the case of ours against the fastest peer whose answer passes `right`; each try goes to stderr."""
    best: tuple[str, Timed] | None = None
    spent = 0.0
    for name, peer in peers.items():
        if spent > LIMIT:
            print(f"  {case}: {name} not tried, {spent:.0f} s are spent", file=sys.stderr)
            continue
        before = time.process_time()
        try:
            tried = timed(peer)
            right(tried.answer)
        except Exception as error:  # a peer may fail in any way of its own; that is its result
            spent += time.process_time() - before
            print(f"  {case}: {name} out: {str(error).splitlines()[0][:100]}", file=sys.stderr)
            continue
        cpu = time.process_time() - before + tried.cpu
        spent += cpu
        print(f"  {case}: {name} {tried.seconds:.4g} s, {cpu:.4g} CPU s", file=sys.stderr)
        if best is None or tried.seconds < best[1].seconds:
            best = name, Timed(tried.answer, tried.seconds, cpu)
    assert best is not None, f"{case}: no peer answered rightly"
    name, first = best
    slow = first.seconds > SLOW
    return Case(
        case,
        lambda: timed(ours),
        (lambda: first) if slow else (lambda: timed(peers[name])),
        f"{name} (1 run)" if slow else name,
        lambda mine, _: right(mine.answer),
        figure=lambda done: done.seconds,
        cpu=lambda done: done.cpu,
    )
