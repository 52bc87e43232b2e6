"""What faults cost in the running plant, and how near it was foretold, beside answers that take no thought.

lost        tasks shed or lost in the case less those in the same seed's run without faults, by class, over the whole
            network, a second: users who went to other cells are where they went. Both runs have the same users, ways
            and tasks. What is late is done
something   was lost where that is above what two runs differ by without a fault: `chance`, the 95 % quantile of the
            absolute difference in the rests between faults
floor       error that an answer without any fault of its own has: mean |difference| in the rests, in as many cases as
            lost something, over what was lost in them. Rests are shorter than faults: it is rather too high
error       Σ |foretold − lost| / Σ lost over the cases in which something was lost; of tasks, and of users and Gb/s
            class by class, |·| summed over classes
elsewhere   mean of |foretold| where nothing was lost, tasks/s

foreseen    `orchestrate.foresight` of the causes that twins held to be there
told        the same of the true causes: what is left is the model's own error
rules       `functions.assure.impact` of the causes held to be there
nothing     nothing is lost; its error is 1 by definition
all         everything that the touched sites have done without the fault is lost
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world import World

    F64 = NDArray[np.float64]

ANSWERS = ("foreseen", "told", "rules", "nothing", "all")
WITHIN = 0.1


def rate(counts: Sequence[Any], span: slice) -> F64:
    """Return the mean a second of counts by epoch, site and class, [E][S][C] → [S, C], over epochs of 1 s."""
    mean: F64 = np.mean(np.array(counts[span], dtype=np.float64), axis=0)
    return mean


def lost(quiet: dict[str, Any], answer: dict[str, Any], span: slice) -> F64:
    """Return tasks/s by class that are undone with the faults and not without them, [C]."""
    difference: F64 = (rate(answer["undone"], span) - rate(quiet["undone"], span)).sum(axis=0)
    return difference


def chance(cases: Sequence[dict[str, Any]]) -> float:
    """Return the loss, tasks/s, that two runs without a fault exceed in 5 % of the windows."""
    return float(np.quantile(np.abs([case["by_chance"] for case in cases]), 0.95))


def impact_rows(world: World, cases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return ``chance``, how many cases lost something, ``floor`` (None: none did), and ``rows``, one an answer.

    Parameters
    ----------
    cases
        As `localise.judged` returns them.
    """
    limit = chance(cases)
    hit = [case for case in cases if sum(case["lost"]) > limit]
    spared = [case for case in cases if sum(case["lost"]) <= limit]
    rows = [_row(world, answer, hit, spared) for answer in ANSWERS]
    return {
        "chance_tasks_per_s": limit,
        "cases": len(cases),
        "lost_something": len(hit),
        "floor": _floor(cases, hit),
        "rows": rows,
    }


def _floor(cases: Sequence[dict[str, Any]], hit: Sequence[dict[str, Any]]) -> float | None:
    """Return the error of tasks that chance in the plant makes alone; None: nothing was lost."""
    if not hit:
        return None
    by_chance = float(np.mean([abs(case["by_chance"]) for case in cases]))
    return by_chance * len(hit) / float(np.sum([case["lost"] for case in hit]))


def _row(world: World, answer: str, hit: Sequence[dict[str, Any]], spared: Sequence[dict[str, Any]]) -> dict[str, Any]:
    elsewhere = [abs(sum(case["costs"][answer])) for case in spared]
    row: dict[str, Any] = {"answer": answer, "elsewhere": float(np.mean(elsewhere)) if elsewhere else None}
    if not hit:
        return row
    true = np.array([case["lost"] for case in hit])  # [N, C]
    told = np.array([case["costs"][answer] for case in hit])
    users = world.group_devices.sum(axis=(0, 2)) / np.maximum([case["offered"] for case in hit], 1e-12)
    single = np.abs(told.sum(axis=1) - true.sum(axis=1)) / true.sum(axis=1)
    return row | {
        "tasks": float(np.abs(told.sum(axis=1) - true.sum(axis=1)).sum() / true.sum()),
        "users": _error(told * users, true * users),
        "gbps": _error(told * world.megabits, true * world.megabits),
        "median": float(np.median(single)),
        "within_10": float(np.mean(single <= WITHIN)),
        "bias": float(told.sum() / true.sum() - 1.0),
    }


def _error(told: F64, true: F64) -> float:
    """Return what is missed class by class over what was lost altogether."""
    return float(np.abs(told - true).sum() / true.sum())
