"""What a node has said of itself: its cuts and points by slot, what each was made of, and older points for the commit.

A slot a parent still holds and a point it has long dropped are both promises: the commit must be worth any mixture of
them. So points of one data version stay in the archive when their slot has gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tiertwin.allocate.leaf import Array
from tiertwin.allocate.messages import LOWER, MasterAnswer, MasterRequest, Slots
from tiertwin.allocate.nodemath import best_pair
from tiertwin.allocate.renewal import note_support
from tiertwin.allocate.slots import SlotTable

KEPT = 48  # own points of this version kept for the commit, whatever slots the parent still holds


@dataclass(frozen=True, eq=False)
class CutBasis:
    """What a cut of the node was made of, ρ ``[N, K]`` and p ``[J]``; recomputes its φ for new data of the children."""

    rho: Array
    price: Array


@dataclass(frozen=True, eq=False)
class OwnPoint:
    """A point of the node: the mixture λ ``[N, K]`` of its children's points and the quotas ``[N, J]`` that realise it.

    Parameters
    ----------
    use, value, scale, low
        What is said of it: u, v, S and v after declared drift.
    """

    lam: Array
    plan: Array
    use: Array
    value: float
    scale: float
    low: float


class Archive:
    """Own cuts and points of a node. One owner; not thread-safe.

    Parameters
    ----------
    slots
        Slots of each, as many as the parent keeps.
    passed
        Quota components the parent grants.
    """

    def __init__(self, slots: int, passed: int) -> None:
        self.cuts = SlotTable(slots, passed, smaller_is_better=True)
        self.points = SlotTable(slots, passed, smaller_is_better=False, pinned=0)
        self._bases: dict[int, CutBasis] = {}
        self._made: dict[int, OwnPoint] = {}
        self._kept: list[OwnPoint] = []

    def clear(self) -> None:
        """Forget what was said (a hello follows)."""
        self.cuts.clear()
        self.points.clear()

    def begin(self) -> None:
        """Open a new data version: older points hold no more until they are said again."""
        self._kept.clear()

    def rearrange(self, origin: list[int]) -> None:
        """Take over what was made of children that stood at `origin`; −1 joins with its first cut and zero point."""
        at = np.array(origin, dtype=np.int64)

        def rows(weight: Array) -> Array:
            fresh = np.zeros((len(at), weight.shape[1]))
            fresh[:, 0] = 1.0
            return np.where(at[:, None] >= 0, weight[at], fresh)

        def quotas(plan: Array) -> Array:
            return np.where(at[:, None] >= 0, plan[at], 0.0)

        self._bases = {slot: replace(basis, rho=rows(basis.rho)) for slot, basis in self._bases.items()}
        self._made = {slot: replace(p, lam=rows(p.lam), plan=quotas(p.plan)) for slot, p in self._made.items()}
        self._kept.clear()

    def note_used(self, mask: int) -> None:
        """Age the slots by one query of the parent; `mask` as in :class:`Query`."""
        self.cuts.note_used(mask)
        self.points.note_used(mask >> 16)

    def note_support(self) -> None:
        """Age the slots that hold up nothing at the others (renewal.py)."""
        note_support(self.cuts, self.points)

    # ---------------------------------------------------------------- new ones

    def learn_cut(self, phi: float, passed: Array, drift: float, basis: CutBasis) -> int:
        """Give a new cut a slot; −1 when it is no news."""
        slot, written = self.cuts.place(phi, passed, drift)
        if written:
            self._bases[slot] = basis
        return slot

    def learn_point(self, point: OwnPoint) -> int:
        """Give a new point a slot; −1 when it is no news."""
        slot, written = self.points.place(point.value, point.use, point.low, point.scale)
        if written:
            self._made[slot] = point
            self._kept.append(point)
            del self._kept[1 : -KEPT + 1]
        return slot

    # ---------------------------------------------------------------- the same slots, new data

    def cut_bases(self) -> tuple[Slots, list[CutBasis]]:
        """Return the slots of cuts in use, and what each was made of."""
        slots = self.cuts.taken
        return slots, [self._bases[int(slot)] for slot in slots]

    def mixtures(self) -> tuple[Slots, Array, Array]:
        """Return the slots of points in use, λ ``[P, N, K]`` and use ``[P, J − O]`` of each."""
        slots = self.points.taken
        return slots, np.stack([self._made[int(slot)].lam for slot in slots]), self.points.slope[slots].copy()

    def renew_cuts(self, slots: Slots, phi: Array, drift: Array) -> None:
        """Say cuts again with new intercepts."""
        self.cuts.renew(slots, phi, drift)

    def renew_points(self, slots: Slots, points: list[OwnPoint]) -> None:
        """Say points again at their old uses, with new values."""
        value, low, scale = (np.array([getattr(p, name) for p in points]) for name in ("value", "low", "scale"))
        self.points.renew(slots, value, low, scale)
        self._made |= {int(slot): point for slot, point in zip(slots, points, strict=True)}
        self._kept += points

    # ---------------------------------------------------------------- keeping promises

    def best_pair(self, quota: Array) -> tuple[Array, float]:
        """Return the quotas ``[N, J]`` of the best mixture of two kept points inside `quota`, and its value."""
        values, uses = np.array([p.value for p in self._kept]), np.stack([p.use for p in self._kept])
        weight, value = best_pair(values, uses, quota)
        return self.mixed(weight), value

    def mixed(self, weight: Array) -> Array:
        """Return the quotas ``[N, J]`` of a mixture of the kept points."""
        plans = np.stack([p.plan for p in self._kept])
        mixture: Array = np.einsum("k,knj->nj", weight[: len(self._kept)], plans)
        return mixture

    def request(self, quota: Array) -> MasterRequest:
        """Ask for the best mixture of all kept points inside `quota`: one child with `KEPT` slots, point 0 repeated."""
        rows = (self._kept + self._kept[:1] * KEPT)[:KEPT]
        use = np.stack([point.use for point in rows])
        return MasterRequest(
            kind=LOWER,
            level=np.array([[point.value for point in rows]]),
            slope=use[None],
            rmax=use.max(axis=0)[None],
            capacity=np.zeros(0),
            kappa=np.zeros(0),
            quota=np.asarray(quota, dtype=np.float64),
            price=np.zeros(quota.size),
        )

    def mixture_of(self, answer: MasterAnswer) -> Array:
        """Return the quotas of the answer to :meth:`request`; weight on a repeated point counts for that point."""
        weight = answer.weight[0].copy()
        weight[0] += weight[len(self._kept) :].sum()
        return self.mixed(weight)
