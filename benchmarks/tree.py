"""The tree of processes in lockstep against one process that hosts all twins: the same epochs, the same log.

`epoch` is the wall time of one base epoch of `hierarchical` with the default layout; ours is the tree, the peer one
process. Both run the same epochs in turn, and their log entries are asserted to be equal. With two cores the tree can
gain little, and it pays for sockets: a ratio below 1 is the price of separate processes. `start` is the time from
nothing until every session of the tree stands (virtual second 1), `stop` until its last process is gone.

`cpu_ours` counts the launcher and every child. `windows` on standard error says how often an epoch was synchronised.

    python benchmarks/tree.py [--quick] [--json]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from support import Case, main
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.launcher import TreePlan
from tiertwin.runtime.plan import make_plan, settings_of
from tiertwin.runtime.processes import lay_out
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.treerun import TreeRun
from tiertwin.world import load, resolve

POLICY = "hierarchical"
START_S, STOP_S = 8.0, 2.0  # targets
TICK = os.sysconf("SC_CLK_TCK")


class Trees:
    """Makes trees and single processes of one scenario."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder, self._made = name, folder, 0
        self.world = resolve(load(name))
        assert self.world.scenario is not None
        self.plan = make_plan(self.world.scenario, 60, 7, [POLICY])

    def tree(self) -> TreeRun:
        """Start a tree."""
        self._made += 1
        folder = self._folder / f"{self.name}-{self._made}"
        folder.mkdir()
        roster = Roster(self.world)
        settings = settings_of(self.plan, self.world, POLICY)
        return TreeRun(TreePlan(self.world, roster, settings, lay_out(roster), 2, folder))

    def start(self) -> tuple[float, float]:
        """Start and stop a tree; return the seconds of either."""
        began = time.perf_counter()
        tree = self.tree()
        started = time.perf_counter()
        killed = tree.close()
        assert not killed, f"had to be killed: {killed}"
        return started - began, time.perf_counter() - started


def cpu_of(tree: TreeRun) -> float:
    """CPU seconds of all children so far."""
    total = 0
    for child in tree.launcher.children.values():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


class Epochs:
    """The same epochs by a tree and by one process."""

    def __init__(self, tree: TreeRun, single: Any) -> None:
        self.tree, self.single = tree, single
        self.ours = self.theirs = 0

    def by_tree(self) -> tuple[list[dict[str, Any]], float]:
        before = cpu_of(self.tree)
        self.tree.run_epoch(self.ours)
        self.ours += 1
        return self.tree.take_records(), cpu_of(self.tree) - before

    def by_one(self) -> tuple[list[dict[str, Any]], float]:
        self.single.run_epoch(self.theirs)
        self.theirs += 1
        return self.single.take_records(), 0.0


def check(ours: tuple[list[dict[str, Any]], float], peer: tuple[list[dict[str, Any]], float] | None) -> None:
    """The log of an epoch is the same."""
    assert peer is not None
    assert ours[0] == peer[0], "the tree logs something else than one process"


def cases(quick: bool) -> Iterable[Case]:
    """Yield the cases."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("metro", "germany50"):
            trees = Trees(name, Path(folder))
            tree = trees.tree()
            try:
                epochs = Epochs(tree, make_run(trees.plan, trees.world, POLICY, master_solver("kernel")))
                yield Case(
                    f"tree/epoch/{name}",
                    epochs.by_tree,
                    epochs.by_one,
                    "one process",
                    check,
                    cpu=lambda answer: answer[1],
                )
                done = tree.windows
                print(f"{name}: {done / max(epochs.ours + 1, 1):.0f} windows an epoch", file=sys.stderr)
            finally:
                tree.close()
            if quick:
                continue  # five starts of 15 processes take longer than the rest together
            for k, (what, target) in enumerate((("start", START_S), ("stop", STOP_S))):
                yield Case(
                    f"tree/{what}/{name}",
                    trees.start,
                    None,
                    "target",
                    lambda ours, peer: None,
                    target=target,
                    figure=(lambda answer: answer[0]) if k == 0 else (lambda answer: answer[1]),
                )


if __name__ == "__main__":
    main(__doc__, cases)
