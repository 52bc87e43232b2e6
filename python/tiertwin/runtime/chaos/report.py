"""Rows by kind of fault and tier, and which promises held."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tiertwin.runtime.chaos.play import Played

COLUMNS = (
    *("fault", "where", "played", "recovered", "median_s", "p99_s"),
    *("levels", "lost", "twice_alarms", "missed", "verdict"),
)


def rows(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Return a row a kind and place; P1 is claimed only where levels were compared, and so never without logs."""
    groups: dict[tuple[str, str], list[Played]] = {}
    for done in sorted(played, key=lambda one: one.fault.kind.name):
        groups.setdefault((done.fault.kind.name, done.fault.where), []).append(done)
    return [_row(name, where, group) for (name, where), group in groups.items()]


def _row(name: str, where: str, group: list[Played]) -> dict[str, Any]:
    times = sorted(done.recovery_s for done in group if done.recovery_s is not None)
    broken = {promise for done in group for promise, _ in done.broken}
    levels = sum(done.levels for done in group)
    claimed = sorted({*group[0].fault.kind.promises} - (set() if levels else {1}) | broken)
    held = [f"P{p}" for p in claimed if p not in broken]
    verdict = " ".join(f"P{p}" for p in sorted(broken))
    return {
        "fault": name,
        "where": where,
        "played": len(group),
        "recovered": len(times),
        "median_s": round(statistics.median(times), 2) if times else None,
        "p99_s": round(times[min(len(times) - 1, int(0.99 * len(times)))], 2) if times else None,
        "levels": levels,
        "lost": sum(done.lost for done in group),
        "twice_alarms": sum(done.wrong for done in group),
        "missed": sum(done.missed for done in group),
        "verdict": f"BROKEN {verdict}" if broken else " ".join(held),
        "promises": {f"P{p}": p not in broken for p in claimed},
    }


def promises(rows: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """Return of every promise that was claimed whether it held in all rows."""
    found: dict[str, bool] = {}
    for row in rows:
        for name, held in row["promises"].items():
            found[name] = found.get(name, True) and held
    return dict(sorted(found.items(), key=lambda item: int(item[0][1:])))


def report(played: Sequence[Played], skipped: Mapping[str, str], killed: Sequence[str]) -> dict[str, Any]:
    """Return everything that was found; ``held``: every promise did, and something was played.

    Parameters
    ----------
    played
        Faults, with their periods counted.
    skipped
        Kinds that could not be played here, and why.
    killed
        Processes that did not end by themselves when the tree was told to.
    """
    found = rows(played)
    held = promises(found)
    broken = [
        f"P{promise} in {done.fault.number} ({done.fault.kind.name} of {done.fault.node or done.fault.process}): {why}"
        for done in played
        for promise, why in done.broken
    ]
    if killed:
        held["P15"] = False
        broken.append(f"P15 at the end: {', '.join(killed)} had to be killed")
    return {
        "rows": found,
        "promises": held,
        "broken": broken,
        "skipped": dict(skipped),
        "played": len(played),
        "held": bool(played) and all(held.values()) and not broken,
    }
