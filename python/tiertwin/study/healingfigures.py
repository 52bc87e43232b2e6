"""What one fault cost under one way to heal, against the same seed's run without faults.

hit          sites that serve less than `HIT` of what they do in the run without faults, while nothing heals; those
             of fewer than `FEW` tasks a second are left out. A fault that hits none is harmless: no restoration
deficit      tasks served by the run without faults less those served, in an epoch; of the sites hit
depth        largest deficit of the first three epochs where nothing heals
restored     start of the first epoch from which the deficit stays, for `STAYS` epochs, at most `BACK` of the depth;
             at the latest the fault's own end: it is repaired then
detect       to the first alarm; localise: to a true cause being named; decide: to something being put in force;
             apply: to service being back. Stages a way to heal has not got are left out
lost         deficit of all sites from its start to `REST_S` after its end, of what was offered
outages      sites that serve less than half of what they do without faults for `OUTAGE_S` in a row; and seconds
cost         utility a task of the run without faults less that measured, over the same time; by the plant's books
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.study.healingruns import TOLD_AFTER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.causes import Cause

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FOR_S, REST_S = 15, 5
HIT, FEW, BACK, STAYS = 0.9, 10.0, 0.2, 3
OUTAGE_S = 5
FIGURES = ("restoration_s", "lost_percent", "outages", "outage_s", "availability_percent", "cost", "actions")
STAGES = ("detect_s", "localise_s", "decide_s", "apply_s")


@dataclass(frozen=True)
class Fault:
    """One fault of a seed."""

    cause: Cause
    start_s: int

    @property
    def end_s(self) -> int:
        """When it is repaired."""
        return self.start_s + FOR_S


def judged(fault: Fault, runs: dict[str, dict[str, Any]], arm: str) -> dict[str, float]:
    """Return the figures of a fault under one way to heal; NaN where there is none. Epochs are seconds."""
    good, none, served = (np.array(runs[name]["served"], dtype=np.float64) for name in ("clean", "none", arm))
    offered = np.array(runs["clean"]["offered"], dtype=np.float64)
    during, after = slice(fault.start_s, fault.end_s), slice(fault.start_s, fault.end_s + REST_S)
    hit = hit_sites(good[during], none[during])
    out = (served[during] < 0.5 * good[during]) & (good[during].mean(axis=0) >= FEW)
    cost = np.subtract(runs["clean"]["utility"][after], runs[arm]["utility"][after])
    figures = {
        "lost_percent": 100.0 * float((good - served)[after].sum() / offered[after].sum()),
        "availability_percent": 100.0 * float(np.minimum(served[during].sum() / max(good[during].sum(), 1.0), 1.0)),
        "outages": float(sum(longest(column) >= OUTAGE_S for column in out.T)),
        "outage_s": float(out.sum()),
        "cost": float(np.mean(cost)),
        "actions": float(sum(fault.start_s < t <= fault.end_s for t in runs[arm]["acted"])),
        "restoration_s": restored(
            (good - served)[during][:, hit].sum(axis=1), (good - none)[during][:, hit].sum(axis=1)
        ),
    }
    return figures | _stages(fault, runs[arm], figures["restoration_s"], arm)


def hit_sites(good: F64, none: F64) -> Flags:
    """Return the sites that a fault hits, [S], of tasks served without it and where nothing heals, [E, S]."""
    hit: Flags = (none.mean(axis=0) < HIT * good.mean(axis=0)) & (good.mean(axis=0) >= FEW)
    return hit


def longest(flags: Flags) -> int:
    """Return the length of the longest run of true ones."""
    best = now = 0
    for flag in flags.tolist():
        now = now + 1 if flag else 0
        best = max(best, now)
    return best


def restored(deficit: F64, worst: F64) -> float:
    """Return seconds to service being back; NaN where nothing was missing.

    Parameters
    ----------
    deficit, worst
        Tasks of each epoch of the fault, and where nothing heals, [E].
    """
    depth = float(worst[:3].max(initial=0.0))
    if depth <= 0.0:
        return float("nan")
    back = deficit <= BACK * depth
    for epoch in range(len(back) - STAYS + 1):
        if back[epoch : epoch + STAYS].all():
            return float(epoch)
    return float(len(deficit))


def _stages(fault: Fault, run: dict[str, Any], restoration: float, arm: str) -> dict[str, float]:
    """Return the stages of restoration, s from one to the next."""
    alarm = _first([e for e, _, _, raised in run["alarms"] if raised], fault)
    named = _first([e for e, name in run["named"] if name == fault.cause.name], fault)
    applied = _first(run["acted"], fault)
    if arm == "told":
        alarm = named = float(fault.start_s + TOLD_AFTER_S)
    elif arm != "twin":
        named = alarm  # nobody looks for the cause
    back = fault.start_s + restoration
    return {
        "detect_s": alarm - fault.start_s,
        "localise_s": named - alarm,
        "decide_s": applied - named,
        "apply_s": max(back - applied, 0.0) if back < fault.end_s else float("nan"),
    }


def _first(times: list[float], fault: Fault) -> float:
    return min((t for t in times if fault.start_s < t <= fault.end_s), default=float("nan"))
