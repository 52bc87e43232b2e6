"""A node's two models as they stand: the master problems over what its children said, and what their answers prove.

Pure functions of the children's arrays and the own resources; `nodeside.py` says when what is asked. The formulas of
cuts and points are those of `nodemath.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.archive import CutBasis, OwnPoint
from tiertwin.allocate.bounds import delay
from tiertwin.allocate.childmodel import NOTHING, ChildModel, without_unusable
from tiertwin.allocate.leaf import LOAD_LIMIT, Array
from tiertwin.allocate.leafside import DEAR_LIMIT
from tiertwin.allocate.messages import LOWER, UPPER, MasterAnswer, MasterRequest, Query, Slots
from tiertwin.allocate.nodemath import fitting, node_cut

LEAST_QUERY = 1e-7  # a query asks at least this share of rmax: at 0 the slopes are degenerate
USED_WEIGHT = 1e-5  # dual weight from which a slot counts as used


@dataclass(frozen=True, eq=False)
class NodeModel:
    """What its children said and what it owns itself, at one moment.

    Parameters
    ----------
    children
        Cuts and points of the children, as arrays over [child, slot].
    capacity, kappa
        C ``[O]`` and κ ``[O]`` of the own resources, the first components of the children's quotas ``[J]``.
    """

    children: ChildModel
    capacity: Array
    kappa: Array

    @property
    def own(self) -> int:
        """O, components of the children's quotas that end here."""
        return self.capacity.size

    @property
    def most_passed(self) -> Array:
        """``[J − O]`` the most the subtree can use of what the node's parent grants."""
        most: Array = self.children.rmax[:, self.own :].sum(axis=0)
        return most

    # ---------------------------------------------------------------- requests

    def request(self, kind: int, quota: Array | None = None, price: Array | None = None) -> MasterRequest:
        """Return one model as a master problem, at a quota or at a price ``[J − O]``; none: without limit, price 0."""
        model = self.children
        passed = model.rmax.shape[1] - self.own
        level, slope = (model.phi, model.g) if kind == UPPER else (model.v, model.u)
        if quota is not None and kind == LOWER:
            level, slope = without_unusable(level, slope, quota, self.most_passed, self.own)
        return MasterRequest(
            kind=kind,
            level=level,
            slope=slope,
            rmax=model.rmax,
            capacity=self.capacity,
            kappa=self.kappa,
            quota=np.full(passed, np.inf) if quota is None else np.asarray(quota, dtype=np.float64),
            price=np.zeros(passed) if price is None else np.asarray(price, dtype=np.float64),
        )

    def both(self, *, quota: Array | None = None, price: Array | None = None) -> list[MasterRequest]:
        """Return the upper and the lower model there."""
        return [self.request(kind, quota, price) for kind in (UPPER, LOWER)]

    def asked(self, query: Query) -> list[MasterRequest]:
        """Return both models at the quota of a query, then both at its price."""
        quota = np.maximum(query.quota, LEAST_QUERY * self.most_passed)
        return [*self.both(quota=quota), *self.both(price=np.maximum(query.price, 0.0))]

    def is_over_children(self, request: MasterRequest) -> bool:
        """Say whether the request is one of this model's (and not about the node's own points)."""
        return request.level.shape == self.children.phi.shape

    def fold(self, request: MasterRequest, answer: MasterAnswer) -> MasterAnswer:
        """Move the weight of slots that repeat another (empty ones, unusable points) to the slot they repeat."""
        model = self.children
        first = model.first_cut if request.kind == UPPER else np.zeros_like(model.first_cut)
        slope = np.take_along_axis(request.slope, first[:, None, None], axis=1)
        level = np.take_along_axis(request.level, first[:, None], axis=1)
        repeats = np.all(request.slope == slope, axis=2) & (request.level == level)
        weight = np.where(repeats, 0.0, answer.weight)
        weight[np.arange(len(first)), first] = np.where(repeats, answer.weight, 0.0).sum(axis=1)
        return replace(answer, weight=weight)

    # ---------------------------------------------------------------- what answers prove

    def cut_of(self, upper: MasterAnswer) -> tuple[float, float, CutBasis]:
        """Return φ and drift of the node's cut that an answer to the upper model proves, and what it was made of."""
        price = upper.price.copy()
        dear = self.children.dear[self.own :]
        price[self.own :] = np.minimum(price[self.own :], DEAR_LIMIT * dear)
        basis = CutBasis(upper.weight, price)
        return *self.cut_value(basis), basis

    def cut_value(self, basis: CutBasis) -> tuple[float, float]:
        """Return φ and drift of the cut made of a basis."""
        model = self.children
        box = model.rmax.copy()
        box[:, : self.own] = np.minimum(box[:, : self.own], LOAD_LIMIT * self.capacity)
        own = self.capacity, self.kappa
        phi = node_cut((model.phi, model.g), basis.rho, basis.price, top=box, own=own)
        return phi, float((basis.rho * model.drift).sum())

    def mixture(self, lam: Array) -> tuple[float, float, float]:
        """Return value, scale and drifted value of a mixture ``[N, K]`` of the children's points."""
        model = self.children
        load = np.einsum("nk,nkj->j", lam, model.u)[: self.own]
        cost = float(delay(np.minimum(load, LOAD_LIMIT * self.capacity), self.capacity, self.kappa).sum())
        value, drifted = (float((lam * part).sum()) - cost for part in (model.v, model.v_low))
        return value, float((lam * model.scale).sum()), min(value, drifted)

    def point(self, lam: Array, plan: Array, use: Array) -> OwnPoint:
        """Return the node's point made of a mixture, with the quotas ``[N, J]`` that realise it and what they use."""
        return OwnPoint(lam, plan, use, *self.mixture(lam))

    def point_of(self, lower: MasterAnswer, *, zero: bool = False) -> OwnPoint:
        """Return the point that an answer to the lower model makes; `zero`: it uses nothing of what is passed."""
        use = lower.r[:, self.own :].sum(axis=0)
        return self.point(lower.weight, lower.r, np.zeros_like(use) if zero else use)

    def renewed(self, lam: Array, uses: Array, there: NDArray[np.bool_]) -> list[OwnPoint]:
        """Value mixtures ``[P, N, K]`` on the children's points of now, mixed with zero points where they do not fit.

        Parameters
        ----------
        uses
            ``[P, J − O]`` what each has promised to use at most.
        there
            ``[N, K]`` which slots hold a point.
        """
        limits = np.concatenate([np.tile(LOAD_LIMIT * self.capacity, (len(lam), 1)), uses], axis=1)
        dust = np.concatenate([np.full(self.own, -1.0), NOTHING * self.most_passed])
        fitted = fitting(lam, self.children.u, there, limits, dust)
        plans = np.einsum("pnk,nkj->pnj", fitted, self.children.u)
        return [self.point(*one) for one in zip(fitted, plans, uses, strict=True)]


def used_slots(weight: Array, shift: int) -> Slots:
    """Return ``[N]`` masks of the slots that carry weight ``[N, K]``, slot k as bit k + `shift`: as `Query` has it."""
    bits = np.arange(weight.shape[1]) + shift
    mask: Slots = ((weight > USED_WEIGHT).astype(np.int64) << bits).sum(axis=1)
    return mask
