"""What causes will cost, foretold from what the twins of a domain believed before they came.

    at once     set-points stay. What is sent to a server that is down, or over a route that is cut, is lost; users of a
                site that is not heard are heard by others (`world.handover`), and are served as their ring is there
    later       routes, servers, cells and users as the causes leave them (`cpp/whatif`), and everybody has decided
                anew, on both sides of the comparison
    lossy links a task that goes over one is lost with its share of bad frames, link after link, at once and later
    slow        a server that is slow does everything, late: it loses nothing
    followed    plans follow part after part, as those who plan hear of it; in between everybody has decided anew for
                what was heard of and loses what is sent to the rest (`mean`)

    lost by site and class = what is served before − what is served then; users in proportion to their tasks

Where users go elsewhere, what they lose is told where they are then, but at once where they were. Gb/s are of tasks.
How bad a degradation is comes from measurement (`Severities`); of one that was not measured `Degradation` in
`functions.assure.impact` says what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.solvetree import solve_tree
from tiertwin.errors import InputError, suggest
from tiertwin.functions.assure.impact import Broken, Degradation, Severities
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.changes import Batch, Change, Row, handed_over
from tiertwin.orchestrate.forktree import tree_of
from tiertwin.world.handover import moved, slower_ring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tiertwin.functions.assure.causes import Cause
    from tiertwin.orchestrate.belief import Belief

    F64 = NDArray[np.float64]

REPLANS = ("local", "tree")


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What is lost while the causes last.

    Parameters
    ----------
    at_once
        Tasks/s not served any more while set-points stay, [S, C].
    later
        The same once everybody decided anew; negative where a site is served better.
    users_a_task, megabits
        Users over their tasks/s, and Mb of a task, of each class, [C].
    """

    at_once: F64
    later: F64
    users_a_task: F64
    megabits: F64

    def tasks(self, for_s: float = np.inf, follow_s: float = 0.0) -> F64:
        """Return the mean tasks/s lost in the first `for_s` seconds, [S, C]; plans follow after `follow_s`."""
        early = 0.0 if np.isinf(for_s) else min(follow_s / for_s, 1.0)
        mean: F64 = early * self.at_once + (1.0 - early) * self.later
        return mean

    def users(self, for_s: float = np.inf, follow_s: float = 0.0) -> F64:
        """Return users' worth of service lost of each class (half of ten users' tasks: 5), [C]."""
        found: F64 = self.tasks(for_s, follow_s).sum(axis=0) * self.users_a_task
        return found

    def gbps(self, for_s: float = np.inf, follow_s: float = 0.0) -> float:
        """Return the traffic of the tasks lost, Gb/s."""
        return float(self.tasks(for_s, follow_s).sum(axis=0) @ self.megabits) / 1e3


@dataclass(frozen=True)
class Followed:
    """A part that is gone, as a cause of its own, and when plans begin to follow it.

    Parameters
    ----------
    cause
        A link or a server, of the causes that are foretold.
    after_s
        Seconds after the causes came; at least as long as they last: never.
    """

    cause: Cause
    after_s: float


class Foresight:
    """What causes cost a domain. Read-only but for what it keeps of its own answers; one owner.

    Parameters
    ----------
    belief
        Of the domain, from before the causes came.
    solver, masters
        What solves leaves and masters.
    replan
        ``local``: edges decide anew inside the quotas they hold; ``tree``: the whole hierarchy does.
    degraded
        What unmeasured degradations leave.

    Raises
    ------
    InputError
        Another `replan`.
    """

    def __init__(
        self, belief: Belief, solver: Any, masters: Any, replan: str = "local", degraded: Degradation | None = None
    ) -> None:
        if replan not in REPLANS:
            raise InputError(f"replan: expected local or tree, got {replan!r}{suggest(replan, REPLANS)}", "Foresight")
        self.belief, self._solver, self._masters, self._replan = belief, solver, masters, replan
        self._degraded = degraded or Degradation()
        world = belief.world
        self._classes = (len(world.class_names), len(world.ring_rate_mbps))
        self._sites = np.array([edge.site for edge in belief.edges], dtype=np.int64)
        self._standing = np.stack([edge.plan for edge in belief.edges])  # [D, G, T]
        self._unchanged: F64 | None = None

    def lost(self, *causes: Cause, severities: Severities | None = None) -> Foreseen:
        """Return what `causes` of this world cost together, as badly degraded as `severities` says."""
        measured = severities or Severities()
        broken = Broken.of(self.belief.world, causes, self._degraded)
        rows = self._rows(causes, broken, measured)
        entered = self._entered(rows)
        kept = self._kept(causes, measured, entered)
        standing = self._standing.sum(axis=2)
        at_once = standing - self._served(self._standing, broken, kept * self._works(broken) * self._reached(entered))
        later = standing - (self._standing * kept[:, None, :]).sum(axis=2)
        if rows:
            later = self._planned([]).sum(axis=2) - (self._planned(rows) * kept[:, None, :]).sum(axis=2)
        return Foreseen(self._by_site(at_once), self._by_site(later), *self._units())

    def mean(
        self, causes: Sequence[Cause], followed: Sequence[Followed], for_s: float, severities: Severities | None = None
    ) -> F64:
        """Return the mean tasks/s lost in the first `for_s` seconds (> 0, finite), [S, C].

        Plans follow the parts of `followed` at their times. Once they follow all of them nothing of `causes` is left
        that they would send tasks to.
        """
        if not 0.0 < for_s < np.inf:
            raise InputError(f"for_s: expected seconds above 0, got {for_s}", "Foresight.mean")
        whole = self.lost(*causes, severities=severities)
        times = sorted({min(max(part.after_s, 0.0), for_s) for part in followed})
        if not times:
            return whole.at_once
        total: F64 = times[0] * whole.at_once + (for_s - times[-1]) * whole.later
        for begin, end in pairwise(times):
            heard = [part.cause for part in followed if part.after_s <= begin]
            total = total + (end - begin) * self._half_followed(tuple(causes), heard, severities or Severities())
        mean: F64 = total / for_s
        return mean

    def _half_followed(self, causes: tuple[Cause, ...], heard: Sequence[Cause], measured: Severities) -> F64:
        """Return what is lost while plans follow only what was heard of, [S, C]."""
        broken = Broken.of(self.belief.world, causes, self._degraded)
        entered = self._entered(self._rows(causes, broken, measured))
        through = self._kept(causes, measured, entered) * self._works(broken) * self._reached(entered)
        known = Broken.of(self.belief.world, tuple(heard), self._degraded)
        plan = self._planned(self._rows(tuple(heard), known, measured))
        return self._by_site(self._planned([]).sum(axis=2) - self._served(plan, broken, through))

    # -- what the engine makes of causes ---------------------------------------------------------------------------
    def _rows(self, causes: tuple[Cause, ...], broken: Broken, measured: Severities) -> list[Row]:
        """Return the engine's changes: links, nodes, servers, cells and users; lossy links are not the engine's."""
        world, rows = self.belief.world, list[Row]()
        if world.grouped:
            rows += handed_over(world, broken.unheard)
        rows += [(int(Change.SERVER_TIMES), int(k), 0, 0.0) for k in np.flatnonzero(broken.server_share <= 0.0)]
        for cause in causes:
            rows += [(int(Change.NODE_DOWN), node, 0, 0.0) for node in cause.nodes]
            if cause.hard:
                rows += [(int(Change.LINK_SHARE), link, 0, 0.0) for link in cause.links]
            elif cause.kind == "degraded":
                link = cause.links[0]
                usual = 1.0 if link in measured.loss else self._degraded.link  # one that was looked at
                left = min(max(measured.capacity.get(link, usual), 0.0), 1.0)
                rows.append((int(Change.LINK_SHARE), link, 0, float(left)))
            if cause.site >= 0:
                rows.append((int(Change.RADIO_TIMES), cause.site, 0, 0.0))
        return rows

    def _entered(self, rows: list[Row]) -> Mapping[str, Any]:
        return self.belief.engine.enter(*Batch.of([rows]).arrays())

    def _planned(self, rows: list[Row]) -> F64:
        """Return the plan of everybody after the changes, [D, G, T]; without changes it is worked out once."""
        if not rows and self._unchanged is not None:
            return self._unchanged
        entered = self._entered(rows)
        tree = tree_of(self.belief, entered)
        if self._replan == "tree":
            scenario = self.belief.world.scenario
            gap, rounds = (1e-3, 6) if scenario is None else (scenario.policy.target_gap, scenario.policy.max_rounds)
            solved = solve_tree(tree, target_gap=gap, max_rounds=rounds, solver=self._solver, masters=self._masters)
            plan = np.stack([solved.allocation[edge.name] for edge in self.belief.edges])
        else:
            leaves = {leaf.name: leaf.problem for leaf in tree.leaves()}
            left = self._quota_left(entered)
            edges = zip(self.belief.edges, left, strict=True)
            plan = np.stack([self._solver.solve_quota(leaves[e.name], e.quota * share).x for e, share in edges])
        if not rows:
            self._unchanged = plan
        return plan

    def _quota_left(self, entered: Mapping[str, Any]) -> F64:
        """Return the share of each quota that is left: of the fog's server, the fog's uplink, the cloud, [D, 3]."""
        world, before = self.belief.world, self._entered([])
        fog = world.site_fog[self._sites]
        server, uplink = (entered[name] / np.maximum(before[name], 1e-12) for name in ("server_ghz", "uplink_fog_mbps"))
        cloud = np.full(len(fog), server[-1])
        return np.stack([server[world.site_count + fog], uplink[fog], cloud], axis=1)

    # -- what gets through -----------------------------------------------------------------------------------------
    def _served(self, plan: F64, broken: Broken, through: F64) -> F64:
        """Return what of a plan [D, G, T] is served, [D, G]; `through`: share by site and tier, [D, T]."""
        served: F64 = (plan * through[:, None, :]).sum(axis=2)
        world, home = self.belief.world, self.belief.home
        if not world.grouped or not broken.unheard.any():
            return served
        demand = np.stack([edge.problem.demand for edge in self.belief.edges])
        share = self._served_share(served, demand)
        gone, slower = moved(world, broken.unheard), slower_ring(world)
        for d in {home[int(site)] for site in gone.site if int(site) in home}:
            there = np.zeros(self._classes)
            for k in np.flatnonzero(gone.site == self._sites[d]):
                if int(gone.other[k]) in home:
                    there += gone.share[k] * share[home[int(gone.other[k])]][:, slower]
            served[d] = demand[d] * np.minimum(there.ravel(), 1.0)
        return served

    def _served_share(self, served: F64, demand: F64) -> F64:
        """Return the share of tasks served by class and ring, [D, C, R]; of its class where a ring has none."""
        did, asked = (rates.reshape(len(rates), *self._classes) for rates in (served, demand))
        of_class = did.sum(axis=2) / np.maximum(asked.sum(axis=2), 1e-12)
        share: F64 = np.where(asked > 0.0, did / np.maximum(asked, 1e-12), of_class[:, :, None])
        return share

    def _reached(self, entered: Mapping[str, Any]) -> F64:
        """Return 1 for tiers that a site's tasks still reach and 0 for those that they do not, [D, T]."""
        world, sites = self.belief.world, self._sites
        before = [*world.route_site_links, *world.route_fog_links]
        there = np.array([len(now) > 0 or not len(old) for now, old in zip(entered["routes"], before, strict=True)])
        reached = np.ones((len(sites), len(Tier)))
        reached[:, Tier.FOG] = there[sites]
        reached[:, Tier.CLOUD] = there[sites] & there[world.site_count + world.site_fog[sites]]
        return reached

    def _works(self, broken: Broken) -> F64:
        """Return 1 for tiers whose server does a site's tasks, be it late, and 0 where it is down, [D, T]."""
        world, sites = self.belief.world, self._sites
        works = (broken.server_share > 0.0).astype(np.float64)
        found = np.ones((len(sites), len(Tier)))
        found[:, Tier.EDGE] = works[sites]
        found[:, Tier.FOG] = works[world.site_count + world.site_fog[sites]]
        found[:, Tier.CLOUD] = works[-1]
        return found

    def _kept(self, causes: tuple[Cause, ...], measured: Severities, entered: Mapping[str, Any]) -> F64:
        """Return the share of each site's tasks at each tier that no lossy link loses, [D, T]."""
        world, sites = self.belief.world, self._sites
        fog = world.site_count + world.site_fog[sites]
        passed = np.ones(2 * world.link_count)
        for link in (cause.links[0] for cause in causes if cause.kind == "degraded"):
            passed[2 * link : 2 * link + 2] = 1.0 - min(max(measured.loss.get(link, 0.0), 0.0), 1.0)
        route = np.array([passed[links].prod() for links in entered["routes"]])
        kept = np.ones((len(sites), len(Tier)))
        kept[:, Tier.FOG] = route[sites]
        kept[:, Tier.CLOUD] = route[sites] * route[fog]
        return kept

    def _by_site(self, lost: F64) -> F64:
        """Return losses by site and class, [S, C], of those by site of the domain and group, [D, G]."""
        tasks = np.zeros((self.belief.world.site_count, self._classes[0]))
        tasks[self._sites] = lost.reshape(len(lost), *self._classes).sum(axis=2)
        return tasks

    def _units(self) -> tuple[F64, F64]:
        """Return users over tasks/s, and Mb of a task, [C] each."""
        edges = self.belief.edges
        demand = np.stack([edge.problem.demand for edge in edges]).reshape(-1, *self._classes).sum(axis=(0, 2))
        users = np.stack([edge.users for edge in edges]).reshape(-1, *self._classes).sum(axis=(0, 2))
        return users / np.maximum(demand, 1e-12), np.asarray(self.belief.world.megabits, dtype=np.float64)
