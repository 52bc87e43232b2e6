"""A durable tree of real processes under a rate of updates and faults, its processes measured meanwhile (T10)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tiertwin.model.scenario import Scenario
from tiertwin.runtime.chaos.plan import KINDS, Kind
from tiertwin.runtime.chaos.run import Asked, play
from tiertwin.runtime.chaos.tree import ChaosTree, Wanted
from tiertwin.runtime.treewatch import TreeWatch
from tiertwin.wire.keys import METRICS
from tiertwin.world import load

LOOK_S = 5.0
PROCESSES = {"device": 8, "edge": 4, "fog": 2, "cloud": 1}  # as section 8 has it
SPARED = ("gateways-8", "edges-4", "fogs-2")  # no fault ends them: their memory is looked at over the whole time
TIERS = ("device", "edge", "fog", "cloud")


def scenario_at(rate: float) -> Scenario:
    """Metro, its devices reporting so often that together they make `rate` reports a second, none lost."""
    data = load("metro").model_dump()
    data["telemetry"] |= {"period_s": data["devices"]["count"] / rate, "loss": 0.0}
    return Scenario.model_validate(data)


@dataclass
class Life:
    """One process from its start to its end: time (s since the beginning), resident 10⁶ bytes, descriptors, threads."""

    name: str
    rows: list[tuple[float, float, int, int]] = field(default_factory=list)


@dataclass
class Looks:
    """What was measured every `LOOK_S` seconds; called at every turn of the tree's loop."""

    began: float = field(default_factory=time.monotonic)
    lives: dict[tuple[str, int], Life] = field(default_factory=dict)
    applied: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    acks: list[tuple[float, float]] = field(default_factory=list)  # when, 99th percentile, ms
    ages: list[tuple[float, float]] = field(default_factory=list)
    watch: TreeWatch | None = None
    _next: float = 0.0

    def __call__(self, tree: ChaosTree) -> None:
        """Look, if it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + LOOK_S
        if self.watch is None:
            self.watch = TreeWatch(tree.folder, tree.launcher.keys.keys[METRICS]).__enter__()
        at = round(now - self.began, 1)
        pids = {"launcher": os.getpid()} | {name: child.pid for name, child in tree.launcher.children.items()}
        for name, pid in pids.items():
            if (row := look_at(pid)) is not None:
                self.lives.setdefault((name, pid), Life(name)).rows.append((at, *row))
        by_tier: dict[str, int] = {}
        for (_, parent), count in tree.ledger.records.items():
            tier = TIERS[tree.roster.tier(parent)]
            by_tier[tier] = by_tier.get(tier, 0) + count
        self.applied.append((at, by_tier))
        taken, tree.ledger.ack_ms = tree.ledger.ack_ms, []
        if taken:
            self.acks.append((at, float(np.percentile(taken, 99))))
        self._look_at_ages(at)

    def _look_at_ages(self, at: float) -> None:
        assert self.watch is not None
        seen = self.watch.seen(0.5)
        reports = {} if seen is None else seen.reports
        found = [
            link.age_ms
            for name, report in reports.items()
            if name.startswith("cloud") and report.status is not None
            for link in report.status.links
            if link.age_ms >= 0
        ]
        if found:
            self.ages.append((at, max(found)))

    def close(self) -> None:
        """End the watch."""
        if self.watch is not None:
            self.watch.close()


def look_at(pid: int) -> tuple[float, int, int] | None:
    """Resident memory (10⁶ bytes), descriptors, threads of a process; None: it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        if not pages:  # it has ended and nobody has waited for it yet
            return None
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir(f"/proc/{pid}/fd")), threads
    except OSError:
        return None


def soak(
    folder: Path,
    seconds: float,
    rate: float,
    spacing_s: float,
    seed: int,
    tell: Callable[[str], None],
    kinds: tuple[Kind, ...] = KINDS,
    processes: dict[str, int] | None = None,
    spare: tuple[str, ...] = SPARED,
) -> dict[str, Any]:
    """Run it for so long; returns the report of the faults and what was measured."""
    looks = Looks()
    wanted = Wanted(scenario_at(rate), processes=PROCESSES if processes is None else processes)
    asked = Asked(kinds, seed, seconds=seconds, spare=spare, spacing_s=spacing_s)
    try:
        found = play(wanted, asked, folder, tell, looks)
    finally:
        looks.close()
    return found | measured(looks)


def measured(looks: Looks) -> dict[str, Any]:
    """Put what was measured together: slopes after the first fifth of each life (at most 5 minutes), drifts."""
    return {
        "lives": [row for row in map(life_row, looks.lives.values()) if row is not None],
        "applied_per_s": rates(looks.applied),
        "applied": looks.applied[-1][1] if looks.applied else {},
        "ack_p99_ms": thirds(looks.acks),
        "root_age_max_ms": thirds(looks.ages),
    }


def life_row(life: Life) -> dict[str, Any] | None:
    """Slope of memory in MB/h, and growth of descriptors and threads from the first to the last third; None: too short.

    What comes before the first fifth of a life, at most 5 minutes, is warm-up.
    """
    rows = np.array(life.rows, dtype=np.float64)
    length = rows[-1, 0] - rows[0, 0]
    rows = rows[rows[:, 0] >= rows[0, 0] + min(length / 5, 300.0)]
    if len(rows) < 6:
        return None
    slope = np.polyfit(rows[:, 0] / 3600, rows[:, 1], 1)[0]
    third = len(rows) // 3
    grown = np.median(rows[-third:, 2:], axis=0) - np.median(rows[:third, 2:], axis=0)
    return {
        "process": life.name,
        "seconds": round(float(length)),
        "rss_mb": round(float(rows[-1, 1]), 1),
        "rss_mb_h": round(float(slope), 2),
        "descriptors": int(rows[-1, 2]),
        "descriptors_more": float(grown[0]),
        "threads": int(rows[-1, 3]),
        "threads_more": float(grown[1]),
    }


def rates(applied: list[tuple[float, dict[str, int]]]) -> dict[str, float]:
    """Records applied a second, by the tier that applied them, over the whole time."""
    if len(applied) < 2:
        return {}
    (first, before), (last, after) = applied[0], applied[-1]
    return {tier: round((count - before.get(tier, 0)) / (last - first), 1) for tier, count in after.items()}


def thirds(values: list[tuple[float, float]]) -> dict[str, float | None]:
    """Median of the looks in the first and in the last third, and the largest."""
    found = [value for _, value in values]
    if len(found) < 3:
        return {"first_third": None, "last_third": None, "max": max(found, default=None)}
    third = len(found) // 3
    first, last = float(np.median(found[:third])), float(np.median(found[-third:]))
    return {"first_third": round(first, 1), "last_third": round(last, 1), "max": round(max(found), 1)}
