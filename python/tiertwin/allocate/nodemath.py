"""Closed forms of a node: the cut its children's cuts prove, the point their points make, and the check of a master.

With ρ, λ in the simplex per child, prices p ≥ 0 (p_o for own resource o, μ = p_O: for what is passed up), for all R:

    cut     W(R) ≤ Σ_e [Σ_k ρ_ek φ_ek + Σ_j (Σ_k ρ_ek g_ekj − p_j)⁺ rmax_ej] + Σ_o D*_o(p_o) + μ·R
    point   W(Σ_e Σ_k λ_ek u_ek,O:) ≥ Σ λ v − Σ_o D_o(Σ λ u_o)

The first holds because a minimum is at most any convex mixture and the couplings are relaxed at prices ≥ 0; what is
left is linear on the box 0 ≤ r ≤ rmax, or D*. The second because the mixture of plans is feasible. So neither depends
on how good a solver's ρ, p or λ were. Weak duality between the two sides of one model is also the independent check of
a solver's answer.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.bounds import conjugate, delay, marginal_delay
from tiertwin.allocate.leaf import LOAD_LIMIT, Array
from tiertwin.allocate.messages import LOWER, UPPER, MasterAnswer, MasterRequest

OFFERED = 0.7  # share of a capacity that is offered: what is put to use of scarce resources, delay counted
SPREAD_LIMIT = 1e9  # S1: largest ratio of a slope's worth over its whole box to the spread of the model


def node_cut(cuts: tuple[Array, Array], weight: Array, price: Array, *, top: Array, own: tuple[Array, Array]) -> float:
    """Return the intercept φ of the node's cut with slope ``price[O:]``.

    Parameters
    ----------
    cuts
        φ ``[N, K]`` and g ``[N, K, J]`` of the children.
    weight, price
        ρ ``[N, K]``, rows in the simplex; p ``[J]`` ≥ 0.
    top
        ``[N, J]`` the box: more no child can use or be granted.
    own
        C ``[O]`` and κ ``[O]`` of the own resources.
    """
    (level, slope), (capacity, kappa) = cuts, own
    mixed = np.einsum("nk,nkj->nj", weight, slope)
    over = np.maximum(mixed - price, 0.0) * top
    relaxed = conjugate(price[: capacity.size], capacity, kappa)
    return float((weight * level).sum() + over.sum() + relaxed.sum())


def primal_value(request: MasterRequest, r: Array, weight: Array) -> float:
    """Return the model's objective at r (upper) or at the mixture `weight` (lower)."""
    own = request.capacity.size
    load = r.sum(axis=0)
    if request.kind == UPPER:
        worth = (request.level + np.einsum("nkj,nj->nk", request.slope, r)).min(axis=1).sum()
    else:
        worth = (weight * request.level).sum()
    limit = LOAD_LIMIT * request.capacity
    cost = (
        delay(np.minimum(load[:own], limit), request.capacity, request.kappa).sum() + (request.price * load[own:]).sum()
    )
    return float(worth - cost)


def dual_value(request: MasterRequest, price: Array, weight: Array) -> float:
    """Return the model's dual bound at prices ``[J]``: an upper bound on its objective whatever the prices."""
    own = request.capacity.size
    shadow = np.maximum(price[own:] - request.price, 0.0)
    passed = request.price + shadow
    quota = np.where(shadow > 0, request.quota, 0.0)
    full = np.concatenate([price[:own], passed])
    if request.kind == UPPER:
        resources = request.capacity, request.kappa
        phi = node_cut((request.level, request.slope), weight, full, top=request.box, own=resources)
    else:
        best = (request.level - np.einsum("nkj,j->nk", request.slope, full)).max(axis=1)
        phi = float(best.sum() + conjugate(full[:own], request.capacity, request.kappa).sum())
    return phi + float((shadow * quota).sum())


def faults(request: MasterRequest) -> list[str]:
    """Step S1: say what makes a request unfit for a solver; empty when it may be tried."""
    found = [
        f"{name}: expected finite numbers"
        for name in ("level", "slope", "rmax", "capacity", "kappa", "price")
        if not np.isfinite(getattr(request, name)).all()
    ]
    if np.isnan(request.quota).any():
        found.append("quota: expected numbers, got NaN")
    found += [
        f"{name}: expected numbers ≥ 0"
        for name in ("slope", "rmax", "capacity", "kappa", "quota", "price")
        if not found and np.any(getattr(request, name) < 0)
    ]
    if not found and request.kind == UPPER:
        reach = float((request.slope * request.box[:, None, :]).max(initial=0.0))
        if reach > SPREAD_LIMIT * request.unit:
            found.append(f"slope: expected a spread ≤ {SPREAD_LIMIT:g}, got {reach / request.unit:.1e}")
    return found


def settle(request: MasterRequest, answer: MasterAnswer, *, slack: float, optimal: float) -> MasterAnswer | None:
    """Steps S4 and S5: repair an answer by clipping and scaling, check it independently, value it again.

    Parameters
    ----------
    slack
        Largest relative overdraft of a row that is repaired; beyond it the answer is refused.
    optimal
        Largest distance to the answer's own dual bound, as a share of the model's spread; inf accepts any feasible one.

    Returns
    -------
    The feasible answer with its recomputed value, or None.
    """
    total = float(answer.r.sum() + answer.price.sum() + answer.weight.sum())  # finite only if all its terms are
    if not math.isfinite(total) or answer.weight.min(initial=0.0) < -1e-3:
        return None
    weight = np.maximum(answer.weight, 0.0)
    sums = weight.sum(axis=1, keepdims=True)
    if np.any(np.abs(sums - 1) > 1e-2):
        return None
    weight = weight / sums
    price = np.maximum(answer.price, 0.0)
    own = request.capacity.size
    price[own:] = np.where(np.isinf(request.quota), request.price, np.maximum(price[own:], request.price))
    limits = np.concatenate([LOAD_LIMIT * request.capacity, request.quota])
    r = np.clip(answer.r, 0.0, request.box) if request.kind == UPPER else np.einsum("nk,nkj->nj", weight, request.slope)
    load = r.sum(axis=0)
    over = np.where(load > limits, 1 - limits / np.maximum(load, 1e-300), 0.0)
    tiny = load - limits <= 1e-6 * np.maximum(request.rmax.sum(axis=0), 1e-300)
    if np.any((over > slack) & ~tiny):
        return None
    if request.kind == UPPER:
        r = r * (1 - over)
    elif over.any():
        r, weight = _towards_zero_point(request, weight, over)
    value = primal_value(request, r, weight)
    if np.isfinite(optimal) and dual_value(request, price, weight) - value > optimal * request.unit:
        return None
    return replace(answer, r=r, price=price, weight=weight, value=value)


def fitting(mixtures: Array, points: Array, there: NDArray[np.bool_], limits: Array, dust: Array) -> Array:
    """Return mixtures ``[P, N, K]`` that fit into their limits, old ones where they do: step S5 for many at once.

    Parameters
    ----------
    mixtures
        λ ``[P, N, K]`` of the children's points; rows sum to 1.
    points, there
        u ``[N, K, J]``, and which slots hold one. Slot 0 uses nothing.
    limits
        ``[P, J]`` on the sum over the children.
    dust
        ``[J]`` a limit at most this is none: no point is mixed in that uses such a component.
    """
    unusable = ((points > 0)[None] & (limits <= dust)[:, None, None, :]).any(axis=3)
    dropped = np.where(unusable | ~there, mixtures, 0.0)
    mixed = mixtures - dropped
    mixed[:, :, 0] += dropped.sum(axis=2)
    r = np.einsum("pnk,nkj->pnj", mixed, points)
    load = r.sum(axis=1)
    over = np.where(load > limits, 1 - limits / np.maximum(load, 1e-300), 0.0)
    share = np.where(r > 0, over[:, None, :], 0.0).max(axis=2, initial=0.0)
    share = np.minimum(share * (1 + 1e-12), 1.0)
    mixed *= 1 - share[:, :, None]
    mixed[:, :, 0] += share
    return mixed


def _towards_zero_point(request: MasterRequest, weight: Array, over: Array) -> tuple[Array, Array]:
    """Mix in the zero points (slot 0) of the children that use an overdrawn component until nothing is overdrawn."""
    uses = np.einsum("nk,nkj->nj", weight, request.slope) > 0
    share = np.where(uses, over, 0.0).max(axis=1, keepdims=True, initial=0.0)
    share = np.minimum(share * (1 + 1e-12), 1.0)
    mixed = weight * (1 - share)
    mixed[:, 0] += share[:, 0]
    return np.einsum("nk,nkj->nj", mixed, request.slope), mixed


def greedy(request: MasterRequest) -> MasterAnswer:
    """Step S6: a feasible answer without any solver: every child the same share of its best point, or of its box.

    The share is the best of 33 on a line; prices are the marginal delays at the resulting load. O(N K J).
    """
    if request.kind == LOWER:
        best = np.argmax(request.level, axis=1)
        target = np.take_along_axis(request.slope, best[:, None, None], axis=1)[:, 0]
    else:
        best = np.zeros(request.level.shape[0], dtype=np.int64)
        target = request.box
    own = request.capacity.size
    limits = np.concatenate([LOAD_LIMIT * request.capacity, request.quota])
    load = target.sum(axis=0)
    top = float(np.where(load > limits, limits / np.maximum(load, 1e-300), 1.0).min(initial=1.0))
    tried = []
    for share in np.linspace(0.0, top, 33):
        weight = np.zeros_like(request.level)
        weight[:, 0] = 1 - share
        weight[np.arange(len(best)), best] += share
        r = share * target
        tried.append((primal_value(request, r, weight), float(share), r, weight))
    value, _, r, weight = max(tried, key=lambda t: (t[0], -t[1]))
    if request.kind == UPPER:
        active = (request.level + np.einsum("nkj,nj->nk", request.slope, r)).argmin(axis=1)
        weight = np.zeros_like(request.level)
        weight[np.arange(len(active)), active] = 1.0
    price = np.concatenate([marginal_delay(r.sum(axis=0)[:own], request.capacity, request.kappa), request.price])
    return MasterAnswer(r=r, price=price, weight=weight, value=value, step=6, status="greedy")


def best_pair(values: Array, uses: Array, quota: Array) -> tuple[Array, float]:
    """Return the best mixture of at most two points inside a quota: weights ``[K]`` and its value.

    Exact for one component (the upper envelope of points over a line has two corners); feasible and a lower bound for
    more. Point 0 uses nothing, so there is always an answer. O(K² J), no tolerance: what uses exactly the quota fits.
    """
    fits = np.asarray((uses <= quota).all(axis=1))
    step = uses[:, None, :] - uses[None, :, :]  # from b to a
    room = np.maximum(quota - uses, 0.0)[None, :, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(step > 0, room / step, np.inf).min(axis=2)
    reach = np.where(fits[None, :], np.minimum(reach, 1.0), 0.0)
    value = np.where(fits[None, :], values[None, :] + reach * (values[:, None] - values[None, :]), -np.inf)
    a, b = (int(k) for k in np.unravel_index(int(np.argmax(value)), value.shape))
    weight = np.zeros(len(values))
    weight[b] += 1.0 - reach[a, b]
    weight[a] += reach[a, b]
    return weight, float(value[a, b])


def zero_answer(request: MasterRequest) -> MasterAnswer:
    """Step S8: nobody is granted anything; the zero points (slot 0) are feasible for every quota."""
    weight = np.zeros_like(request.level)
    weight[:, 0] = 1.0
    r = np.zeros_like(request.rmax)
    price = np.concatenate([np.zeros(request.capacity.size), request.price])
    return MasterAnswer(
        r=r, price=price, weight=weight, value=primal_value(request, r, weight), step=8, status="zero points"
    )


def offers(most: Array, capacity: Array, above: Array) -> Array:
    """Return the quotas ``[N, J]`` to offer to children before anything is known of them but how much they could use.

    Each resource is shared out in proportion to that: `OFFERED` of the own capacities, and what the node was offered
    itself. A first question and no promise: it tells a child at what scale it will have to trade.

    Parameters
    ----------
    most
        ``[N, J]`` the most each child could use, from the inventory.
    capacity, above
        ``[O]`` of the own resources; ``[J − O]`` what the node's parent offered it (empty at the root).
    """
    given = np.concatenate([OFFERED * capacity, above])
    total = most.sum(axis=0)
    share: Array = np.divide(most, total, out=np.zeros_like(most), where=total > 0)
    offered: Array = share * given
    return offered
