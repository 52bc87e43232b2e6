"""Devices: how many at each site, of which class, in which ring, with which clock.

Sites share the devices by demand (largest remainders, ties to the lowest site). Within the network every class keeps
its share to within one device, within a site every ring keeps its share as near as whole devices allow: what
rounding takes from one site is carried to the next. Clocks follow the golden-ratio sequence, which lies evenly
between slowest and fastest in every run of neighbouring devices: no randomness is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiertwin.model.scenario import Scenario
from tiertwin.world.world import F64, I64

GOLDEN = 0.6180339887498949


def split(total: int, weight: F64, least: int = 0) -> I64:
    """Return whole numbers that add up to `total`, near proportional to `weight`, none below `least`.

    `least` gives way where `total` does not reach it.
    """
    count = len(weight)
    floor = min(least, total // count)
    rest = total - floor * count
    share = weight / weight.sum() if weight.sum() > 0 else np.full(count, 1.0 / count)
    # those whose share is below the floor keep the floor; the others divide what is left
    target = np.maximum(total * share - floor, 0.0)
    target = target / target.sum() * rest if target.sum() > 0 else np.full(count, rest / count)
    return np.asarray(_largest_remainder(target, rest) + floor)


def group_counts(scenario: Scenario, devices: I64, names: Sequence[str]) -> I64:
    """Return the devices of each group, [S, C, R], given those of each site and the explicitly placed ones."""
    shares = np.array([row.share for row in scenario.classes])
    rings = np.array(scenario.radio.ring_shares)
    counts = np.zeros((len(devices), len(shares), len(rings)), dtype=np.int64)
    class_carry = np.zeros(len(shares))
    ring_carry = np.zeros((len(shares), len(rings)))
    for site, number in enumerate(devices.tolist()):
        target = number * shares + class_carry
        of_class = _largest_remainder(target, number)
        class_carry = target - of_class
        for kind, members in enumerate(of_class.tolist()):
            counts[site, kind] = _rings(members, rings, ring_carry[kind])
    index = {name: i for i, name in enumerate(names)}
    kinds = {row.name: i for i, row in enumerate(scenario.classes)}
    for row in scenario.devices.placed:
        cell = counts[index[row.site], kinds[row.service]]
        if row.ring is None:
            cell += _largest_remainder(row.count * rings, row.count)
        else:
            cell[row.ring] += row.count
    return counts


def rows_of(counts: I64) -> tuple[I64, I64, I64]:
    """Return (site, class, ring) of every device, sorted, from the counts [S, C, R]."""
    sites, classes, rings = np.indices(counts.shape)
    flat = counts.ravel()
    return tuple(np.repeat(axis.ravel(), flat).astype(np.int64) for axis in (sites, classes, rings))  # type: ignore[return-value]


def clocks(number: int, slowest: float, fastest: float) -> F64:
    """Return the clock of every device, GHz."""
    spread: F64 = (np.arange(number, dtype=np.float64) + 0.5) * GOLDEN % 1.0
    return np.asarray(slowest + (fastest - slowest) * spread)


def group_means(values: F64, counts: I64, default: float) -> F64:
    """Return the mean of per-device `values` over every group, `default` where a group is empty, [S, C, R]."""
    flat = counts.ravel()
    owner = np.repeat(np.arange(flat.size), flat)
    sums = np.bincount(owner, values, minlength=flat.size)
    means = np.where(flat > 0, sums / np.maximum(flat, 1), default)
    return means.reshape(counts.shape).astype(np.float64)


def _rings(members: int, shares: F64, carry: F64) -> I64:
    """Split one class of one site over the rings; at least one each where there are enough, `carry` is updated."""
    target = members * shares + carry
    wanted = (shares > 0).astype(np.int64)
    least = wanted if members >= wanted.sum() else np.zeros_like(wanted)
    rest = members - int(least.sum())
    above = np.maximum(target - least, 0.0)
    above = above / above.sum() * rest if above.sum() > 0 else shares / shares.sum() * rest
    dealt = _largest_remainder(above, rest) + least
    carry[:] = target - dealt
    return dealt


def _largest_remainder(target: F64, total: int) -> I64:
    """Round `target` (near `total` in sum, possibly a little below 0) to whole numbers that add up to `total`."""
    floor = np.maximum(np.floor(target + 1e-9), 0.0).astype(np.int64)
    short = total - int(floor.sum())
    order = np.argsort(floor - target, kind="stable")
    while short > 0:
        take = order[: min(short, len(order))]
        floor[take] += 1
        short -= len(take)
    while short < 0:  # clipping negatives up may have given too much: take it from the fullest remainders' other end
        for cell in order[::-1].tolist():
            if short < 0 and floor[cell] > 0:
                floor[cell] -= 1
                short += 1
    return floor
