"""One start and stop of a tree in lockstep, looked at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.processes import Known, Listener, assert_gone, listeners
from support.trees import tree_plan
from tiertwin.runtime.treerun import TreeRun

LEANEST: Mapping[str, int] = {"device": 1, "edge": 1, "fog": 1, "cloud": 1}


@dataclass(frozen=True)
class Cycle:
    """What one cycle was like."""

    start_s: float
    stop_s: float
    killed: list[str]
    broke: list[str]
    listening: set[Listener]


def cycle(folder: Path, processes: Any, epochs: int = 0) -> Cycle:
    """Start metro in lockstep, run some epochs, stop; every process must be gone."""
    folder.mkdir()
    began = time.monotonic()
    run = TreeRun(tree_plan(folder, processes, solvers=1))
    started = time.monotonic()
    try:
        held = [Known.of(child.pid) for child in run.launcher.children.values()]
        listening = {one for process in held for one in listeners(process)}
        for epoch in range(epochs):
            run.run_epoch(epoch)
    finally:
        stopping = time.monotonic()
        killed = run.close()
        stopped = time.monotonic()
    assert_gone(held)
    broke = [path.name for path in (folder / "logs").glob("*.log") if "Traceback" in path.read_text()]
    return Cycle(started - began, stopped - stopping, killed, broke, listening)
