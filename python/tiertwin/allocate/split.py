"""Splits what a plan may use of servers and links over the service classes: the square-root rule.

A plan says how many tasks of each group go to each tier, and so how much work each class brings to each server and to
each hop of the route. `class_shares` divides one capacity over those loads, `split_plan` every capacity a site has a
say in. The shares are weights of a fair, work-conserving server: what one class leaves free the others use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.leaf import Array, LeafProblem
from tiertwin.errors import InputError

OWN_COMPUTE, OWN_UPLINK = 1, 2
"""Own resources of a site that are split; radio (0) is shared by the cells themselves."""


@dataclass(frozen=True, eq=False)
class ClassShares:
    """What each service class of one site may use of the servers and hops above its devices.

    Parameters
    ----------
    cpu
        ``[T − 1, C]`` GHz at the servers, bottom-up: edge, fog, …, root.
    uplink
        ``[T − 2, C]`` Mb/s on the hops, bottom-up: site → fog, …, → root.
    """

    cpu: Array
    uplink: Array

    @classmethod
    def equal(cls, servers: int, hops: int, classes: int) -> ClassShares:
        """Grant no class anything, so that all get the same part of every server and hop."""
        return cls(np.zeros((servers, classes)), np.zeros((hops, classes)))


def class_shares(load: Array, worth: Array, capacity: float) -> Array:
    """Divide a capacity over classes so that weighted delay is least.

    With λ_c tasks/s of g_c units of work each, load_c = λ_c g_c. A class that has φ_c for itself takes
    g_c / (φ_c − load_c) seconds a task (M/M/1; M/G/1 with processor sharing), so what latency costs in all is

        Σ_c λ_c s_c g_c / (φ_c − load_c)  =  Σ_c s_c load_c / e_c        with e_c = φ_c − load_c > 0

    which is convex in e. Under Σ e_c = E, the capacity that is left, the multiplier ν of that sum gives
    s_c load_c / e_c² = ν, that is e_c ∝ √(s_c load_c):

        φ_c = load_c + (capacity − Σ load) · √(s_c load_c) / Σ √(s load)

    (capacity assignment: Kleinrock, Queueing Systems vol. 2, 1976, ch. 5.) The true delay of work-conserving shares is
    shorter, since classes lend each other what they leave; with several cores a task is slower than φ_c allows when
    that is more than one core.

    Parameters
    ----------
    load
        ``[C]`` work a second of each class, in the unit of `capacity`, ≥ 0.
    worth
        ``[C]`` s, utility lost per second of latency per task, ≥ 0. If all classes with load have none, all are
        taken as alike; if only some have none, those get their load and nothing more.
    capacity
        What there is to divide, ≥ 0.

    Returns
    -------
    ``[C]``, at least the load, and 0 for a class without load; they add up to the capacity, or to 0 where nobody has
    load. If the loads leave nothing (Σ load ≥ capacity), the capacity in proportion to the loads.

    Raises
    ------
    InputError
        Shapes differ, or something is negative or not finite.
    """
    _check(load, worth, capacity)
    total = float(load.sum())
    if total <= 0.0:
        return np.zeros_like(load)
    if total >= capacity:
        return np.asarray(load / total * capacity)
    root = np.sqrt(worth) * np.sqrt(load)
    if not root.any():
        root = np.sqrt(load)
    return np.asarray(load + (capacity - total) * (root / root.sum()))


def split_plan(problem: LeafProblem, x: Array, quota: Array, class_of: NDArray[np.int64], worth: Array) -> ClassShares:
    """Divide a site's own server and uplink, and its quotas, over the classes of a plan.

    Parameters
    ----------
    problem
        The leaf problem the plan is for: own resources radio, compute, uplink; quotas compute and uplink in turn,
        bottom-up, the root's compute last.
    x
        ``[G, T]`` tasks/s.
    quota
        ``[J]`` what the site was granted above, ≥ 0.
    class_of
        ``[G]`` class of each group.
    worth
        ``[C]`` utility lost per second of latency per task, ≥ 0.

    Returns
    -------
    Shares that add up to the capacity or quota wherever the plan puts load, and are 0 elsewhere.
    """
    classes = len(worth)

    def split(use: Array, capacity: float) -> Array:
        load = np.bincount(class_of, weights=(use * x).sum(axis=1), minlength=classes)
        return class_shares(np.maximum(load, 0.0), worth, max(capacity, 0.0))

    def own(k: int) -> Array:
        return split(problem.use_own[k], float(problem.capacity[k]))

    above = [split(problem.use_quota[j], float(quota[j])) for j in range(problem.quotas)]
    hops = [own(OWN_UPLINK), *above[1::2]] if above else []  # nothing above the edge, no hop
    return ClassShares(
        cpu=np.stack([own(OWN_COMPUTE), *above[0::2]]),
        uplink=np.array(hops, dtype=np.float64).reshape(len(hops), classes),
    )


def _check(load: Array, worth: Array, capacity: float) -> None:
    if load.ndim != 1 or load.shape != worth.shape:
        shapes = f"{list(load.shape)} and {list(worth.shape)}"
        raise InputError(f"class_shares: expected load [C] and worth [C], got {shapes}")
    for name, values in (("load", load), ("worth", worth), ("capacity", np.array([capacity]))):
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
        if bad.size:
            raise InputError(f"class_shares: {name}[{bad[0]}]: expected a finite number ≥ 0, got {values[bad[0]]:g}")
