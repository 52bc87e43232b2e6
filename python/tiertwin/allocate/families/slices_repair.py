"""Plans of slices made feasible: scaled down by the network, then by isolation, caps and limits."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.families import fair
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.leaf import Array


def fitted(problem: SliceProblem, x: Array) -> Array:
    """Make any ``x[K]`` feasible: clipped and scaled by the network, then slices by what they overfill."""
    plan = fair.fit(problem.base, x)
    for _ in range(3):
        plan = plan * _factor(problem, plan)
    return plan


def _factor(problem: SliceProblem, x: Array) -> Array:
    """``[K]`` ≤ 1: common parts, caps and limits that are overfilled scale down the options over them."""
    load = problem.loads(x)
    room = problem.capacity - problem.kept.sum(axis=0)
    beyond = np.maximum(load - problem.kept, 0.0)
    total = beyond.sum(axis=0)
    share = np.where(total > room, np.divide(room, total, out=np.zeros_like(total), where=total > 0), 1.0)
    most = np.minimum(load, problem.kept) + np.maximum(share, 0.0) * beyond
    if problem.slices.cap is not None:
        most = np.minimum(most, problem.slices.cap)
    each = np.divide(most, load, out=np.ones_like(load), where=load > most)
    options = problem.options
    entry = problem.slice_of_option.repeat(np.diff(options.option_offsets))
    option = np.repeat(np.arange(options.count), np.diff(options.option_offsets))
    factor = np.ones(options.count)
    used = options.use > 0
    np.minimum.at(factor, option[used], each[entry[used], options.resource[used]])
    served = np.bincount(problem.slice_of_option, weights=x * factor, minlength=problem.slices.count)
    end = np.divide(problem.limit, served, out=np.ones_like(served), where=served > problem.limit)
    scaled: Array = factor * end[problem.slice_of_option]
    return scaled
