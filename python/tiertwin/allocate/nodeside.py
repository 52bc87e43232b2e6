"""A node's side of the hierarchy: two models of its children, queries down, cuts and points up, at the root bounds.

The *upper model* is the minimum of each child's cuts, the *lower model* the mixtures of its points; the node's own
delay terms stand in both exactly. Each operation that needs a master problem solved is a generator: it yields a list of
MasterRequest and is sent the list of answers (None where none came in time), so that a solver process can sit between
and no clock or thread is in here. Children are folded in roster order; the order of calls to `learn` does not matter.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np

from tiertwin.allocate.archive import Archive, CutBasis, OwnPoint
from tiertwin.allocate.bounds import delay
from tiertwin.allocate.childmodel import NOTHING, ChildModel, Children, without_unusable
from tiertwin.allocate.leaf import LOAD_LIMIT, Array
from tiertwin.allocate.leafside import DEAR_LIMIT, OFFER_SHARES, distinct
from tiertwin.allocate.masterladder import MasterLadder
from tiertwin.allocate.messages import (
    BRACKET,
    LOWER,
    SCHEMES,
    TWO_SIDED,
    UPPER,
    Bounds,
    MasterAnswer,
    MasterRequest,
    Query,
    Said,
    Slots,
)
from tiertwin.allocate.nodemath import fitting, node_cut
from tiertwin.allocate.renewal import NODE, Worked
from tiertwin.errors import InputError

HINT_LIMIT = 3.0  # inner prices are clipped at so many times the dearest tier cost before they are averaged
LEAST_QUERY = 1e-7  # a query asks at least this share of rmax: at 0 the slopes are degenerate
HELLO_SHARES = (0.25, 0.5)  # share of the free use at which a node asks itself in a hello
USED_WEIGHT = 1e-5  # dual weight from which a slot counts as used

Masters = Generator[list[MasterRequest], list["MasterAnswer | None"], "T"]
T = TypeVar("T")


class MasterSolver(Protocol):
    """What solves master problems (`mastersolver.py`), here or in a process of the pool."""

    def solve(self, request: MasterRequest) -> MasterAnswer | None:
        """Return a checked answer, or None when there is none in time."""


def run(steps: Generator[list[MasterRequest], list[MasterAnswer | None], T], solver: MasterSolver) -> T:
    """Drive one operation of a NodeSide to its end with a solver in this process."""
    answers: list[MasterAnswer | None] | None = None
    while True:
        try:
            requests = next(steps) if answers is None else steps.send(answers)
        except StopIteration as end:
            result: T = end.value
            return result
        answers = [solver.solve(request) for request in requests]


class NodeSide:
    """State of an inner node in the hierarchy. One owner; not thread-safe.

    Parameters
    ----------
    children
        Names, in roster order.
    compute
        (C, κ) of the node's compute, GHz and utils/s.
    uplink
        (C, κ) of its uplink, Mb/s and utils/s; None at the root.
    levels
        J, quota components of each child: own resources first, then what the node's own parent grants.
    slots
        Cuts and points kept a child, and said to the parent.
    asks
        What it asks its children: one of `SCHEMES`; `LEAN` and `BRACKET` are for children that are leaves.
    """

    def __init__(
        self,
        children: Sequence[str],
        compute: tuple[float, float],
        uplink: tuple[float, float] | None,
        levels: int,
        *,
        slots: int = 12,
        asks: str = TWO_SIDED,
    ) -> None:
        own = 1 if uplink is None else 2
        if not children or levels < own:
            raise InputError(f"levels: expected at least {own} for {len(children)} children (≥ 1), got {levels}")
        if asks not in SCHEMES:
            raise InputError(f"asks: expected one of {list(SCHEMES)}, got {asks!r}")
        self.levels, self.own, self.version = levels, own, -1
        self._revision, self._outdated = 0, False
        self._models: tuple[MasterAnswer, MasterAnswer] | None = None
        self._best: Bounds | None = None
        self.set_capacity(compute, uplink)
        self._said = Children(children, levels, slots)
        self._asks = asks
        self._own = Archive(slots, levels - own)
        self._worked: Worked | None = None
        self._used = np.zeros(len(self.children), dtype=np.int64)
        self.ladder = MasterLadder()
        self._asked: Query | None = None

    # ---------------------------------------------------------------- data

    def set_capacity(self, compute: tuple[float, float], uplink: tuple[float, float] | None) -> None:
        """Take new data of the own resources; say so with a refresh afterwards."""
        pairs = [compute] if uplink is None else [compute, uplink]
        self.capacity = np.array([c for c, _ in pairs], dtype=np.float64)
        self.kappa = np.array([k for _, k in pairs], dtype=np.float64)
        if self.capacity.size != self.own or not np.isfinite(self.capacity).all() or np.any(self.capacity < 0):
            raise InputError(f"capacity: expected {self.own} finite numbers ≥ 0, got {self.capacity.tolist()}")
        self._models = self._best = None

    @property
    def children(self) -> list[str]:
        """Names in roster order."""
        return self._said.names

    @property
    def missing(self) -> list[str]:
        """Children that have not said hello yet; nothing can be bounded before this is empty."""
        return self._said.missing

    def learn(self, child: int, said: Said) -> bool:
        """Take what a child said; refused as a whole when a number is not finite or a slope negative.

        A new data version replaces everything known of the child. It must open with a hello or a refresh (cuts, and
        the zero point in slot 0): an answer in a version whose opening was lost, or in an older one, is ignored. Within
        a version any order will do: all of it is true.

        Returns
        -------
        Whether it was taken.
        """
        before = self._said.edition_of(child)
        taken = self._said.learn(child, said)
        if taken:
            self._models = None
            self._outdated |= before != said.edition
        return taken

    def edition_of(self, child: int) -> tuple[int, int] | None:
        """Return version and revision last heard of a child: what it says in another one must be all it has."""
        return self._said.edition_of(child)

    @property
    def edition(self) -> tuple[int, int]:
        """Version and revision of what the node says itself."""
        return self.version, self._revision

    def rearrange(self, children: Sequence[str]) -> None:
        """Have these children from now on; a refresh for a new version must follow.

        What was said of the node by cuts and mixtures of those who stay is kept. Who joins must be learnt of before
        anything is solved: a hello, or what it registered with (membership.py).
        """
        if not children:
            raise InputError("children: expected at least one")
        origin = self._said.rearrange(children)
        self._own.rearrange(origin)
        self._used = np.zeros(len(origin), dtype=np.int64)
        self.ladder.forget()
        self._models = self._best = None

    # ---------------------------------------------------------------- operations (generators)

    def hello(self, version: int, offer: Array | None = None) -> Masters[Said]:
        """Say the first cuts and points: quota 0, price 0, and two shares of the use at price 0 or three of an offer.

        `offer` ``[J − O]`` is the quota the node's parent thinks it may get (`nodemath.offers`).
        """
        self._start(version)
        self._own.clear()
        free = np.zeros(self.levels - self.own)
        asked = [self._request(kind, quota=free) for kind in (UPPER, LOWER)]
        asked += [self._request(kind, price=free) for kind in (UPPER, LOWER)]
        answers = yield from self._solve(asked)
        said = [self._learn_own(*answers[:2], zero=True), self._learn_own(*answers[2:])]
        use = answers[3].r[:, self.own :].sum(axis=0)
        trials = [share * use for share in HELLO_SHARES]
        if offer is not None:
            most = self._most_passed()
            trials = [np.clip(share * offer, LEAST_QUERY * most, most) for share in OFFER_SHARES]
        asked = [self._request(kind, quota=trial) for trial in trials for kind in (UPPER, LOWER)]
        answers = yield from self._solve(asked)
        said += [self._learn_own(*answers[i : i + 2]) for i in range(0, len(answers), 2)]
        return self._say(self._own.cuts.taken, self._own.points.taken)

    def refresh(self, version: int) -> Masters[Said]:
        """Say every slot again for the children's new data: closed forms, then a solve at the last query.

        Where the children's data moved much since the last commit, solves at quotas and prices moved with them follow
        (renewal.py), and the new cuts and points take the place of slots that hold up nothing.
        """
        if not self._own.cuts.filled.any():
            return (yield from self.hello(version))
        self._start(version)
        self._renew_cuts()
        self._renew_points()
        self._own.note_support()
        asked = [] if self._asked is None else self._asked_models(self._asked)
        if self._worked is not None:
            most = self._most_passed()
            quotas, prices = self._worked.questions(most)
            quotas = np.maximum(quotas, LEAST_QUERY * most)
            asked += [self._request(kind, quota=quota) for quota in quotas for kind in (UPPER, LOWER)]
            asked += [self._request(kind, price=price) for price in prices for kind in (UPPER, LOWER)]
        if asked:
            yield from self._learn_answers(asked)
        return self._say(self._own.cuts.taken, self._own.points.taken)

    def answer(self, query: Query) -> Masters[Said]:
        """Answer the parent's query with the models as they are now: two cuts, two points.

        Where a child was heard of these data only after the node had spoken, what the node said rested on older data
        of that child: all of it is made anew and said again.
        """
        self._asked = query
        self._own.note_used(query.used)
        anew = self._outdated
        if anew:
            self._revise()
        learnt = yield from self._learn_answers(self._asked_models(query))
        if anew:
            return self.everything()
        cuts, points = zip(*learnt, strict=True)
        return self._say(distinct(cuts), distinct(points))

    def everything(self) -> Said:
        """Say every slot again as it stands: what a parent that missed the hello or the refresh must hear first."""
        return self._say(self._own.cuts.taken, self._own.points.taken)

    def begin(self, version: int) -> None:
        """Open a new data version at the root: bounds from here on hold for these data."""
        self._start(version)

    def descend(self, query: Query | None = None) -> Masters[list[Query]]:
        """Ask every child halfway between the two models' quotas and prices. The root has no query of its own.

        Quotas come from the models at the asked quota, prices from the models at the asked price: so one price of a
        resource reaches every leaf below it. With the duals at the quota instead (a trial, often unbalanced between
        compute and uplink) each subtree works at prices of its own, and a tree of depth 4 needs twice the rounds.
        """
        if query is None:
            upper, lower = yield from self._solve_root()
            priced = [upper, lower]
        else:
            answers = yield from self._solve(self._asked_models(query))
            upper, lower, *priced = answers
        inner = np.minimum(priced[1].price, HINT_LIMIT * self._model().dear)
        price = (priced[0].price + inner) / 2
        quotas = np.maximum((upper.r + lower.r) / 2, LEAST_QUERY * self._model().rmax)
        used, self._used = self._used, np.zeros_like(self._used)
        if self._asks != TWO_SIDED:
            quotas = np.zeros((len(self.children), 0))
        more = np.stack([priced[0].price, inner]) if self._asks == BRACKET else None
        return [Query(quotas[e], price.copy(), int(used[e]), more) for e in range(len(self.children))]

    def bounds(self) -> Masters[Bounds]:
        """Bracket the optimum of the whole tree; within one data version the best of all bounds so far is kept."""
        if self.own != self.levels:
            raise InputError(f"bounds: expected the root (levels {self.own}), this node has levels {self.levels}")
        upper, lower = yield from self._solve_root()
        ub, _ = self._cut_value(upper.weight, upper.price)
        value, scale, _ = self._mixture(lower.weight)
        now = Bounds(
            ub=ub,
            lb=value,
            scale=scale,
            v0=sum(said.v0 for said in self._heard()),
            plan=lower.r,
            versions=np.array([said.version for said in self._heard()], dtype=np.int64),
            stale=self._model().stale,
            steps=tuple(sorted(self.ladder.taken)),
        )
        self._best = now if self._best is None else _tighter(self._best, now)
        return self._best

    def commit(self, quota: Array | None = None) -> Masters[Array]:
        """Return the quotas ``[N, J]`` to grant: worth what was said for `quota` or more (root: the lower bound)."""
        if quota is None:
            best = yield from self.bounds()
            return best.plan
        asked = [self._request(LOWER, quota=quota)]
        if quota.size > 1:  # for one component two points suffice, and no solver loses digits on a tiny quota
            asked.append(self._own.request(quota))
        fresh, *mixture = yield from self._solve(asked)
        self._worked = Worked(quota, fresh.price[self.own :], self._most_passed(), NODE)
        plan, kept = self._own.best_pair(quota)
        for answer in mixture:
            if answer.value > kept:
                plan, kept = self._own.mixture_of(answer), answer.value
        return plan if kept > fresh.value + 1e-12 * abs(fresh.value) else fresh.r

    # ---------------------------------------------------------------- solving

    def _solve(self, requests: list[MasterRequest]) -> Masters[list[MasterAnswer]]:
        answers = yield requests
        return [
            self._fold(request, self.ladder.admit(request, answer))
            for request, answer in zip(requests, answers, strict=True)
        ]

    def _solve_root(self) -> Masters[tuple[MasterAnswer, MasterAnswer]]:
        """Solve both models without a quota, once for bounds and queries until something new is learnt."""
        if self._models is None:
            upper, lower = yield from self._solve([self._request(kind) for kind in (UPPER, LOWER)])
            self._models = upper, lower
        return self._models

    def _learn_answers(self, requests: list[MasterRequest]) -> Masters[list[tuple[int, int]]]:
        """Solve pairs of upper and lower models; learn the cut and the point of each."""
        answers = yield from self._solve(requests)
        return [self._learn_own(*answers[i : i + 2]) for i in range(0, len(answers), 2)]

    def _asked_models(self, query: Query) -> list[MasterRequest]:
        """Both models at the quota of a query, then both at its price."""
        quota = np.maximum(query.quota, LEAST_QUERY * self._most_passed())
        price = np.maximum(query.price, 0.0)
        at_quota = [self._request(kind, quota=quota) for kind in (UPPER, LOWER)]
        return at_quota + [self._request(kind, price=price) for kind in (UPPER, LOWER)]

    def _request(self, kind: int, quota: Array | None = None, price: Array | None = None) -> MasterRequest:
        passed = self.levels - self.own
        model = self._model()
        level, slope = (model.phi, model.g) if kind == UPPER else (model.v, model.u)
        if quota is not None and kind == LOWER:
            level, slope = without_unusable(level, slope, quota, model.rmax[:, self.own :].sum(axis=0), self.own)
        return MasterRequest(
            kind=kind,
            level=level,
            slope=slope,
            rmax=self._model().rmax,
            capacity=self.capacity,
            kappa=self.kappa,
            quota=np.full(passed, np.inf) if quota is None else np.asarray(quota, dtype=np.float64),
            price=np.zeros(passed) if price is None else np.asarray(price, dtype=np.float64),
        )

    def _most_passed(self) -> Array:
        """Return ``[J − O]`` the most the subtree can use of what its parent grants."""
        most: Array = self._model().rmax[:, self.own :].sum(axis=0)
        return most

    # ---------------------------------------------------------------- own cuts and points

    def _learn_own(self, upper: MasterAnswer, lower: MasterAnswer, *, zero: bool = False) -> tuple[int, int]:
        return self._learn_own_cut(upper), self._learn_own_point(lower, zero=zero)

    def _learn_own_cut(self, upper: MasterAnswer) -> int:
        price = upper.price.copy()
        dear = self._model().dear[self.own :]
        price[self.own :] = np.minimum(price[self.own :], DEAR_LIMIT * dear)
        phi, drift = self._cut_value(upper.weight, price)
        return self._own.learn_cut(phi, price[self.own :], drift, CutBasis(upper.weight, price))

    def _learn_own_point(self, lower: MasterAnswer, *, zero: bool) -> int:
        use = np.zeros(self.levels - self.own) if zero else lower.r[:, self.own :].sum(axis=0)
        return self._own.learn_point(self._point_of(lower, use))

    def _point_of(self, lower: MasterAnswer, use: Array) -> OwnPoint:
        value, scale, low = self._mixture(lower.weight)
        return OwnPoint(lower.weight, lower.r, use, value, scale, low)

    def _revise(self) -> None:
        """Make all own cuts and points anew from what the children say now, within the version."""
        self._revision, self._outdated = self._revision + 1, False
        self._own.begin()
        self._renew_cuts()
        self._renew_points()

    def _renew_cuts(self) -> None:
        slots, bases = self._own.cut_bases()
        made = np.array([self._cut_value(basis.rho, basis.price) for basis in bases])
        self._own.renew_cuts(slots, made[:, 0], made[:, 1])

    def _renew_points(self) -> None:
        """Value the same mixtures on the children's new points, mixed with zero points where they no longer fit."""
        model = self._model()
        slots, lam, uses = self._own.mixtures()
        there = np.stack([table.filled for table in self._said.points])
        limits = np.concatenate([np.tile(LOAD_LIMIT * self.capacity, (len(slots), 1)), uses], axis=1)
        dust = np.concatenate([np.full(self.own, -1.0), NOTHING * self._most_passed()])
        lam = fitting(lam, model.u, there, limits, dust)
        self._used |= (((lam > USED_WEIGHT).any(axis=0).astype(np.int64)) << (np.arange(lam.shape[2]) + 16)).sum(axis=1)
        plans = np.einsum("pnk,nkj->pnj", lam, model.u)
        points = [
            OwnPoint(mixture, plan, use, *self._mixture(mixture))
            for mixture, plan, use in zip(lam, plans, uses, strict=True)
        ]
        self._own.renew_points(slots, points)

    def _cut_value(self, rho: Array, price: Array) -> tuple[float, float]:
        model = self._model()
        box = model.rmax.copy()
        box[:, : self.own] = np.minimum(box[:, : self.own], LOAD_LIMIT * self.capacity)
        phi = node_cut((model.phi, model.g), rho, price, top=box, own=(self.capacity, self.kappa))
        return phi, float((rho * model.drift).sum())

    def _mixture(self, lam: Array) -> tuple[float, float, float]:
        """Return value, scale and drifted value of a mixture of the children's points."""
        model = self._model()
        load = np.einsum("nk,nkj->j", lam, model.u)[: self.own]
        cost = float(delay(np.minimum(load, LOAD_LIMIT * self.capacity), self.capacity, self.kappa).sum())
        value, drifted = (float((lam * part).sum()) - cost for part in (model.v, model.v_low))
        return value, float((lam * model.scale).sum()), min(value, drifted)

    # ---------------------------------------------------------------- the children as arrays

    def _start(self, version: int) -> None:
        self._heard()
        self.version, self._revision, self._outdated = version, 0, False
        self._models = self._best = None
        self._own.begin()
        self.ladder.begin()

    def _heard(self) -> list[Said]:
        return self._said.heard()

    def _model(self) -> ChildModel:
        return self._said.model(self.version)

    def _fold(self, request: MasterRequest, answer: MasterAnswer) -> MasterAnswer:
        """Move the weight of slots that repeat another (empty ones, unusable points) to the slot they repeat."""
        model = self._model()
        if request.level.shape != model.phi.shape:
            return answer
        first = model.first_cut if request.kind == UPPER else np.zeros_like(model.first_cut)
        slope = np.take_along_axis(request.slope, first[:, None, None], axis=1)
        level = np.take_along_axis(request.level, first[:, None], axis=1)
        repeats = np.all(request.slope == slope, axis=2) & (request.level == level)
        weight = np.where(repeats, 0.0, answer.weight)
        rows = np.arange(len(first))
        weight[rows, first] = np.where(repeats, answer.weight, 0.0).sum(axis=1)
        shift = 0 if request.kind == UPPER else 16
        self._used |= ((weight > USED_WEIGHT).astype(np.int64) << (np.arange(weight.shape[1]) + shift)).sum(axis=1)
        return replace(answer, weight=weight)

    def _say(self, cuts: Slots, points: Slots) -> Said:
        heard, model = self._heard(), self._model()
        declared = self._said.declare(self.version)
        own = self.own
        return Said(
            version=self.version,
            cut_slots=cuts,
            phi=self._own.cuts.level[cuts],
            g=self._own.cuts.slope[cuts],
            point_slots=points,
            u=self._own.points.slope[points],
            v=self._own.points.level[points],
            scale=self._own.points.scale[points],
            rmax=model.rmax[:, own:].sum(axis=0),
            dear=model.dear[own:],
            v0=sum(said.v0 for said in heard),
            leaves=sum(said.leaves for said in heard),
            stale=model.stale,
            revision=self._revision,
            drift=self._own.cuts.spare[cuts] if declared else None,
            v_low=self._own.points.spare[points] if declared else None,
        )


def _tighter(before: Bounds, now: Bounds) -> Bounds:
    """Combine bounds of one data version; uncertified ones are never carried on."""
    if not (before.certified and now.certified):
        return now
    best = before if before.lb >= now.lb else now
    return replace(now, ub=min(before.ub, now.ub), lb=best.lb, scale=best.scale, plan=best.plan)
