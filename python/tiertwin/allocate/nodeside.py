"""A node's side of the hierarchy: two models of its children, queries down, cuts and points up, at the root bounds.

The *upper model* is the minimum of each child's cuts, the *lower model* the mixtures of its points; the node's own
delay terms stand in both exactly. Each operation that needs a master problem solved is a generator: it yields a list of
MasterRequest and is sent the list of answers (None where none came in time), so that a solver process can sit between
and no clock or thread is in here. Children are folded in roster order; the order of calls to `learn` does not matter.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol, TypeVar

import numpy as np

from tiertwin.allocate.archive import Archive, CutBasis
from tiertwin.allocate.childmodel import Children
from tiertwin.allocate.leaf import Array
from tiertwin.allocate.leafside import OFFER_SHARES, distinct
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
from tiertwin.allocate.nodemodel import LEAST_QUERY, NodeModel, used_slots
from tiertwin.allocate.renewal import NODE, Worked
from tiertwin.errors import InputError

HINT_LIMIT = 3.0  # inner prices are clipped at so many times the dearest tier cost before they are averaged
HELLO_SHARES = (0.25, 0.5)  # share of the free use at which a node asks itself in a hello

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
        free, model = np.zeros(self.levels - self.own), self._model()
        answers = yield from self._solve([*model.both(quota=free), *model.both(price=free)])
        said = [self._learn_own(*answers[:2], zero=True), self._learn_own(*answers[2:])]
        use = answers[3].r[:, self.own :].sum(axis=0)
        trials = [share * use for share in HELLO_SHARES]
        if offer is not None:
            most = self._model().most_passed
            trials = [np.clip(share * offer, LEAST_QUERY * most, most) for share in OFFER_SHARES]
        said += yield from self._learn_answers([one for trial in trials for one in self._model().both(quota=trial)])
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
        model = self._model()
        asked = [] if self._asked is None else model.asked(self._asked)
        if self._worked is not None:
            most = model.most_passed
            quotas, prices = self._worked.questions(most)
            quotas = np.maximum(quotas, LEAST_QUERY * most)
            asked += [one for quota in quotas for one in model.both(quota=quota)]
            asked += [one for price in prices for one in model.both(price=price)]
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
        learnt = yield from self._learn_answers(self._model().asked(query))
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
            answers = yield from self._solve(self._model().asked(query))
            upper, lower, *priced = answers
        children = self._model().children
        inner = np.minimum(priced[1].price, HINT_LIMIT * children.dear)
        price = (priced[0].price + inner) / 2
        quotas = np.maximum((upper.r + lower.r) / 2, LEAST_QUERY * children.rmax)
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
        model = self._model()
        ub, _ = model.cut_value(CutBasis(upper.weight, upper.price))
        value, scale, _ = model.mixture(lower.weight)
        now = Bounds(
            ub=ub,
            lb=value,
            scale=scale,
            v0=sum(said.v0 for said in self._said.heard()),
            plan=lower.r,
            versions=np.array([said.version for said in self._said.heard()], dtype=np.int64),
            stale=model.children.stale,
            steps=tuple(sorted(self.ladder.taken)),
        )
        self._best = now if self._best is None else now.tightened(self._best)
        return self._best

    def commit(self, quota: Array | None = None) -> Masters[Array]:
        """Return the quotas ``[N, J]`` to grant: worth what was said for `quota` or more (root: the lower bound)."""
        if quota is None:
            best = yield from self.bounds()
            return best.plan
        asked = [self._model().request(LOWER, quota=quota)]
        if quota.size > 1:  # for one component two points suffice, and no solver loses digits on a tiny quota
            asked.append(self._own.request(quota))
        fresh, *mixture = yield from self._solve(asked)
        self._worked = Worked(quota, fresh.price[self.own :], self._model().most_passed, NODE)
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
            upper, lower = yield from self._solve(self._model().both())
            self._models = upper, lower
        return self._models

    def _learn_answers(self, requests: list[MasterRequest]) -> Masters[list[tuple[int, int]]]:
        """Solve pairs of upper and lower models; learn the cut and the point of each."""
        answers = yield from self._solve(requests)
        return [self._learn_own(*answers[i : i + 2]) for i in range(0, len(answers), 2)]

    # ---------------------------------------------------------------- own cuts and points

    def _learn_own(self, upper: MasterAnswer, lower: MasterAnswer, *, zero: bool = False) -> tuple[int, int]:
        model = self._model()
        phi, drift, basis = model.cut_of(upper)
        slot = self._own.learn_cut(phi, basis.price[self.own :], drift, basis)
        return slot, self._own.learn_point(model.point_of(lower, zero=zero))

    def _revise(self) -> None:
        """Make all own cuts and points anew from what the children say now, within the version."""
        self._revision, self._outdated = self._revision + 1, False
        self._own.begin()
        self._renew_cuts()
        self._renew_points()

    def _renew_cuts(self) -> None:
        slots, bases = self._own.cut_bases()
        model = self._model()
        made = np.array([model.cut_value(basis) for basis in bases])
        self._own.renew_cuts(slots, made[:, 0], made[:, 1])

    def _renew_points(self) -> None:
        """Value the same mixtures on the children's new points, mixed with zero points where they no longer fit."""
        slots, lam, uses = self._own.mixtures()
        points = self._model().renewed(lam, uses, np.stack([table.filled for table in self._said.points]))
        for point in points:
            self._used |= used_slots(point.lam, 16)
        self._own.renew_points(slots, points)

    # ---------------------------------------------------------------- the children as arrays

    def _start(self, version: int) -> None:
        self._said.heard()
        self.version, self._revision, self._outdated = version, 0, False
        self._models = self._best = None
        self._own.begin()
        self.ladder.begin()

    def _model(self) -> NodeModel:
        return NodeModel(self._said.model(self.version), self.capacity, self.kappa)

    def _fold(self, request: MasterRequest, answer: MasterAnswer) -> MasterAnswer:
        """Fold the weights of a model over the children, and note which slots carry weight."""
        model = self._model()
        if not model.is_over_children(request):
            return answer
        folded = model.fold(request, answer)
        self._used |= used_slots(folded.weight, 0 if request.kind == UPPER else 16)
        return folded

    def _say(self, cuts: Slots, points: Slots) -> Said:
        heard, model = self._said.heard(), self._model().children
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
