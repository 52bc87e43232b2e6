"""Clocks of others, from two-way exchanges of messages.

    t1 sent (there)   t2 received (here)   t3 answered (here)   t4 answer received (there)
    offset  o = ((t2 − t1) − (t4 − t3)) / 2        what their clock lacks: here = there + o
    delay   d = ((t2 − t1) + (t4 − t3)) / 2        one way, exact when both ways take as long
    skew    least squares of o over t1

An exchange whose ways differ by e is wrong by e/2 and never by more than d. Of many, those with the least delay are the
least wrong (Mills, RFC 5905, section 10): the fit uses a share of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiertwin.errors import InputError

F64 = NDArray[np.float64]


def two_way(t1: ArrayLike, t2: ArrayLike, t3: ArrayLike, t4: ArrayLike) -> tuple[F64, F64]:
    """Return (offset, delay) of each exchange, s. InputError: shapes that differ, not finite, a negative round trip."""
    a, b, c, d = (np.asarray(t, dtype=np.float64) for t in (t1, t2, t3, t4))
    if not a.shape == b.shape == c.shape == d.shape:
        raise InputError(
            f"expected four arrays of one shape, got {a.shape}, {b.shape}, {c.shape}, {d.shape}", "two_way"
        )
    there, back = b - a, d - c
    offset, delay = (there - back) / 2.0, (there + back) / 2.0
    bad = np.flatnonzero(~(np.isfinite(offset) & np.isfinite(delay) & (delay >= 0.0)))
    if len(bad):
        k = int(bad[0])
        raise InputError(
            f"exchange {k}: expected finite times and t4 − t1 not below t3 − t2, got "
            f"t1 {a.flat[k]:g}, t2 {b.flat[k]:g}, t3 {c.flat[k]:g}, t4 {d.flat[k]:g}. Are the times in this order?",
            "two_way",
        )
    return offset, delay


@dataclass(frozen=True, eq=False, slots=True)
class Clocks:
    """How the clocks of n peers differ from ours: ``here = there + offset + skew (there − since)``."""

    offset_s: F64
    """At `since_s`. [n]"""
    skew: F64
    """Seconds a second; 0 with one exchange. [n]"""
    since_s: F64
    """By their clock: the middle of the exchanges. [n]"""
    delay_s: F64
    """Least one-way delay seen. [n]"""

    def here(self, there_s: ArrayLike) -> F64:
        """Return times of ours for times of theirs, shape (n,) or (k, n)."""
        there = np.asarray(there_s, dtype=np.float64)
        result: F64 = there + self.offset_s + self.skew * (there - self.since_s)
        return result


def fit_clocks(t1: F64, t2: F64, t3: F64, t4: F64, *, share: float = 0.5) -> Clocks:
    """Return offset and skew of each peer by least squares over its exchanges.

    Parameters
    ----------
    t1, t2, t3, t4
        Seconds, shape (exchanges, peers).
    share
        Of each peer's exchanges, those with the least delay, used for the fit; in (0, 1], at least 2 exchanges.
    """
    if not 0.0 < share <= 1.0:
        raise InputError(f"share: expected a number in (0, 1], got {share}", "fit_clocks")
    offset, delay = two_way(t1, t2, t3, t4)
    if offset.ndim != 2 or not offset.size:
        raise InputError(f"expected arrays (exchanges, peers), got shape {offset.shape}", "fit_clocks")
    used = min(len(offset), max(2, round(share * len(offset))))
    best = np.argsort(delay, axis=0, kind="stable")[:used]
    when = np.take_along_axis(np.asarray(t1, dtype=np.float64), best, axis=0)
    what = np.take_along_axis(offset, best, axis=0)
    middle = when.mean(axis=0)
    spread = ((when - middle) ** 2).sum(axis=0)
    slope = ((when - middle) * what).sum(axis=0)
    skew = np.divide(slope, spread, out=np.zeros_like(slope), where=spread > 0.0)
    return Clocks(what.mean(axis=0), skew, middle, delay.min(axis=0))
