"""What a maintenance problem is made from, and the schedules it has to beat.

Weibull wear-out as in `weibull`, many parts at once. Baselines: run to failure, and periodic maintenance as far as
crews, windows and redundancy allow. Ours: which parts count as redundant (`redundant_pairs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.allocate.maintenance import UNDONE, Maintenance, worth
from tiertwin.errors import InputError
from tiertwin.functions.assure import weibull

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

YOUNG = 1e-3  # of the scale: the hazard of younger parts is that of this age


def failure_curve(shape: ArrayLike, scale_s: ArrayLike, age_s: ArrayLike, slot_s: float, slots: int) -> F64:
    """Return P(fails before slot t | alive at its age now), (parts, slots + 1).

    Parameters
    ----------
    shape, scale_s, age_s
        Of each part; shape and scale above 0, age of at least 0, s.
    slot_s, slots
        Length of a slot, s, and how many there are.
    """
    k, eta, age = (one[:, None] for one in map(np.atleast_1d, _parts(shape, scale_s, age_s, "failure_curve")))
    if not (np.isfinite(slot_s) and slot_s > 0 and slots >= 1):
        raise InputError(f"expected slots of more than 0 s, at least one; got {slots} of {slot_s} s", "failure_curve")
    curve = weibull.failure(k, eta, age, slot_s * np.arange(slots + 1))
    return np.maximum.accumulate(np.clip(curve, 0.0, 1.0), axis=1)


def hazard(shape: ArrayLike, scale_s: ArrayLike, age_s: ArrayLike) -> F64:
    """Return the Weibull hazard of parts, 1/s; from a thousandth of the scale on, below which it may be infinite."""
    k, eta, age = _parts(shape, scale_s, age_s, "hazard")
    return weibull.hazard(k, eta, np.maximum(age, YOUNG * eta))


def _parts(shape: ArrayLike, scale_s: ArrayLike, age_s: ArrayLike, where: str) -> tuple[F64, F64, F64]:
    k, eta, age = (np.asarray(one, dtype=np.float64) for one in (shape, scale_s, age_s))
    if not (np.isfinite(k + eta + age).all() and (k > 0).all() and (eta > 0).all() and (age >= 0).all()):
        raise InputError("expected finite shapes and scales above 0 and ages of at least 0", where)
    return k, eta, age


def run_to_failure(problem: Maintenance) -> I64:
    """Return the schedule that does nothing: every failure comes when it comes. What must be done is broken."""
    return np.full(len(problem.jobs), UNDONE, dtype=np.int64)


def periodic(problem: Maintenance, due: ArrayLike) -> I64:
    """Return each job in the first slot from which it is due (and all before) that crews, windows and spares leave.

    Parameters
    ----------
    due
        Slot at which each job is due by the calendar, (J,); those due after the horizon are not done.
    """
    when = np.asarray(due, dtype=np.int64)
    if when.shape != (len(problem.jobs),):
        raise InputError(f"expected {len(problem.jobs)} slots (one a job), got shape {when.shape}", "due")
    start = run_to_failure(problem)
    for j in np.argsort(when, kind="stable").tolist():
        if when[j] >= problem.horizon:
            continue
        for t in problem.starts(j).tolist():
            if t < when[j]:
                continue
            start[j] = t
            if not any(text.startswith("slot") for text in worth(problem, start).broken):
                break
            start[j] = UNDONE
    return start


def redundant_pairs(world: World, links: ArrayLike) -> tuple[tuple[int, int], ...]:
    """Return the pairs (a < b) of the places in `links` that stand in for each other.

    A pair is redundant when both out together cut off more users from the cloud than the two do one at a time, added:
    one sweep over all pairs.
    """
    chosen = np.asarray(links, dtype=np.int64)
    if chosen.ndim != 1 or (chosen.size and (chosen.min() < 0 or chosen.max() >= world.link_count)):
        raise InputError(f"expected links 0 … {world.link_count - 1}, got {chosen}", "links")
    if len(np.unique(chosen)) != chosen.size:
        raise InputError("expected each link once", "links")
    ends = np.stack([world.link_tail, world.link_head], axis=1)
    graph = _core.Graph(world.node_count, ends.ravel(), ends[:, ::-1].ravel().copy(), np.ones(2 * world.link_count))
    cables = _core.Cables(graph, np.repeat(np.arange(world.link_count), 2))
    users = np.zeros((world.node_count, 1))
    np.add.at(users[:, 0], world.site_node, world.group_devices.sum(axis=(1, 2)).astype(np.float64))
    core = _core.FailureCore(cables, np.array([world.cloud_node]), users, chosen, np.empty(0, np.int64))
    lost = core.pairs()[:, :, 0]
    alone = np.diag(lost)
    more = lost > alone[:, None] + alone[None, :] + 1e-9
    return tuple((int(a), int(b)) for a, b in np.argwhere(np.triu(more, 1)))
