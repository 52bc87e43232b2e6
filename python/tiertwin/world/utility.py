"""What service was worth: the objective's own formula on what was offered, done, waited for and used.

    worth of a class at a site   n b U(q; α) − s·latency − energy weight·J        q = min(done/n, 1), of n offered
    U(q; α)                      ln q (α = 1), else (q^(1−α) − 1)/(1−α)           q at least `SERVED_FLOOR`

One place for what the plant's books say, what twins are told, and what models predict: what is compared is the same.
U: J. Mo and J. Walrand, IEEE/ACM Transactions on Networking 8(5), 2000, shifted to 0 at q = 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tiertwin.world.world import F64, World

SERVED_FLOOR = 0.01  # of a site's class: log and α > 1 utilities have no value at 0


def alpha_utility(q: F64, alpha: F64) -> F64:
    """Return U(q; α), q at least `SERVED_FLOOR`, the last axis that of α."""
    safe = np.maximum(q, SERVED_FLOOR)
    log = np.isclose(alpha, 1.0)
    power = np.where(log, 0.5, alpha)
    result: F64 = np.where(log, np.log(safe), (safe ** (1.0 - power) - 1.0) / (1.0 - power))
    return result


def site_class_worth(
    world: World, offered: F64, done: F64, latency_s: F64, energy_j: F64, *, least: float = 1.0
) -> F64:
    """Return what each class of each site was worth, utils, [..., S, C].

    Parameters
    ----------
    offered, done
        Tasks, or tasks/s: then all are a second, [..., S, C].
    latency_s, energy_j
        Summed over tasks, [..., S, C].
    least
        What is divided by at least; offered less than that, nothing is done.
    """
    q = np.minimum(done / np.maximum(offered, least), 1.0)
    utility = offered * world.b * alpha_utility(q, world.alpha)
    cost = latency_s * world.s + energy_j * world.objective.energy_utils_per_j
    worth: F64 = utility - cost
    return worth


def utility_a_task(world: World, offered: F64, done: F64, latency_s: F64, energy_j: F64, *, least: float = 1.0) -> F64:
    """Return the worth of all sites and classes over the tasks offered, utils a task, [...]; as `site_class_worth`."""
    worth = site_class_worth(world, offered, done, latency_s, energy_j, least=least)
    total: F64 = worth.sum(axis=(-2, -1)) / np.maximum(offered.sum(axis=(-2, -1)), least)
    return total
