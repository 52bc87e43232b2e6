"""Looks at the tree that runs in a folder: reads its map, connects, and says what is wrong."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.errors import InputError
from tiertwin.runtime.counters import NODE, PROCESS, TRAVELLING
from tiertwin.runtime.countertable import by_scope
from tiertwin.runtime.deployment import schema_fingerprint
from tiertwin.runtime.diagnose import diagnose
from tiertwin.runtime.diagnosis import Diagnosis, KeyNote
from tiertwin.runtime.lookout import WAIT_S, ProcessLook, Report, look, look_at_processes
from tiertwin.runtime.status import Waiting
from tiertwin.runtime.treefile import read_tree
from tiertwin.wire.keys import DAY_S, check_folder, free_observer_key

if TYPE_CHECKING:
    from tiertwin.runtime.treefile import RunningNode, RunningTree
    from tiertwin.wire.keys import NodeKey

MOST_PLACES = 3  # named in the table of counters


@dataclass(frozen=True, slots=True)
class Examined:
    """A tree as it was seen."""

    tree: RunningTree
    processes: list[ProcessLook]
    reports: dict[str, Report]
    diagnosis: Diagnosis

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        found = self.diagnosis
        return {
            "healthy": found.healthy,
            "epoch": found.epoch,
            "asked": found.asked,
            "answered": found.answered,
            "findings": [asdict(finding) for finding in found.findings],
            "processes": [asdict(process) for process in self.processes],
            "nodes": {n: None if r.status is None else asdict(r.status) for n, r in self.reports.items()},
            "counters": {n: by_scope(r.counts, NODE) for n, r in self.reports.items() if r.status is not None},
            "process_counters": self.counted_by_process(),
        }

    def counted_by_process(self) -> dict[str, dict[str, int]]:
        """Return what each process counted, as one of its nodes told it."""
        told: dict[str, dict[str, int]] = {}
        for node in self.tree.nodes:
            report = self.reports.get(node.name)
            if report is not None and report.status is not None:
                told.setdefault(node.process, by_scope(report.counts, PROCESS))
        return told

    def counters(self) -> dict[str, list[Any]]:
        """Return one row a counter that is not 0, for a table: how often in all, and where most."""
        by_node = {n: by_scope(r.counts, NODE) for n, r in self.reports.items()}
        rows = []
        for counter in TRAVELLING:
            held = by_node if counter.scope == NODE else self.counted_by_process()
            counts = {where: found[counter.name] for where, found in held.items() if counter.name in found}
            if counts:
                most = sorted(counts.items(), key=lambda item: -item[1])[:MOST_PLACES]
                places = ", ".join(f"{where} {count}" for where, count in most)
                more = f" and {len(counts) - len(most)} more" if len(counts) > len(most) else ""
                rows.append((counter.name, counter.rule, sum(counts.values()), counter.unit, places + more))
        names = ("counter", "rule", "total", "unit", "most at")
        return {name: [row[k] for row in rows] for k, name in enumerate(names)} if rows else {}

    def columns(self) -> dict[str, list[Any]]:
        """Return one row a node, for a table."""
        rows: list[dict[str, Any]] = []
        state = {process.name: process for process in self.processes}
        for node in self.tree.nodes:
            if node.name not in self.reports:
                continue
            process = state.get(node.process)
            rows.append(
                {
                    "node": node.name,
                    "process": f"{node.process} {process.pid}" if process and process.pid else node.process,
                    **_row(node, self.reports[node.name], process),
                }
            )
        return {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}


def _row(node: RunningNode, report: Report, process: ProcessLook | None) -> dict[str, Any]:
    status = report.status
    if status is None:
        state = process.state if process is not None and process.state in ("stopped", "gone") else "no answer"
        return {"state": state, **dict.fromkeys(_COLUMNS, "")}
    up = [link for link in status.links if link.awaited > 0]
    waiting = Waiting(int(status.waiting)).name.lower() if 0 <= status.waiting < len(Waiting) else "?"
    lease = "" if status.lease_epoch < 0 else f"{status.lease_epoch:.0f}: {status.lease_left_ms / 1e3:.1f} s"
    age = max((link.age_ms for link in status.links), default=-1.0)
    values = (
        f"{max((link.silent_ms for link in status.links), default=0.0):.0f}",
        "" if age < 0 else f"{age:.0f}",
        f"{status.epoch:.0f}",
        "" if status.decided < 0 else f"{status.decided:.0f}",
        lease,
        "" if waiting == "nothing" else f"{waiting} {up[0].peer if len(up) == 1 else len(up) or ''}".strip(),
        f"{status.frames_in:.0f}/{status.frames_out:.0f}",
        f"{status.refused:.0f}",
        f"{status.rss_mb:.0f}",
    )
    state = "root" if node.parent is None else "alone" if status.alone > 0 else "led"
    return {"state": state, **dict(zip(_COLUMNS, values, strict=True))}


_COLUMNS = ("silent ms", "age ms", "epoch", "decided", "lease", "waiting", "frames in/out", "refused", "RSS MB")


def examine(folder: Path, wait_s: float = WAIT_S) -> Examined:
    """Look at the tree that runs in a run directory, or whose deployment lies there.

    Raises
    ------
    InputError
        No tree left its files here, or there is no key for an observer, or none that nobody uses.
    """
    folder = folder.parent if folder.is_file() else folder
    tree = read_tree(folder)
    processes = look_at_processes(tree)
    with free_observer_key(tree.keys) as key:  # an expired one is a finding
        reports = look(tree, key, processes, wait_s)
    now = time.time()
    notes = _key_notes(tree.keys, key, now)
    found = diagnose(tree, reports, processes, now, notes, schema_fingerprint())
    return Examined(tree, processes, reports, found)


def _key_notes(folder: Path, key: NodeKey, now: float) -> list[KeyNote]:
    notes = [KeyNote(key.node, (key.not_after_s - now) / DAY_S)]
    try:
        states = check_folder(folder, now)
    except InputError as error:
        return [*notes, KeyNote("keys", 0.0, "; ".join(error.problems))]
    return [*notes, *(KeyNote(s.name, s.days_left, s.problem) for s in states if s.problem and s.name != key.node)]
