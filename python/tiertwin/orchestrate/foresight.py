"""What causes will cost, foretold from what the twins of a domain believed before they came.

    links, nodes, cells   routes, cells and users as the causes leave them (`cpp/whatif`): users of a site that is not
                          heard are at the nearest that is; then everybody decides anew, on both sides of the comparison
    servers               set-points stay: twins do not look at whether a server works, so what they send to one that is
                          down is lost, and one that is slow does speed · capacity of it
    lossy links           a task that goes over such a link is lost with its share of bad frames, link after link

    lost by site and class = what is served before − what is served after; users in proportion to their tasks

Where users go elsewhere, what they lose is told where they are then. Gb/s are of tasks. How bad a degradation is comes
from measurement (`Severities`); of one that was not measured `functions.assure.impact.Degradation` says what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.solvetree import solve_tree
from tiertwin.errors import InputError, suggest
from tiertwin.functions.assure.impact import Broken, Degradation, Severities, nearest_heard
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.changes import Batch, Change, Row
from tiertwin.orchestrate.forktree import tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    tasks
        Tasks/s not served any more, [S, C]; negative where a site is served better.
    users
        Users' worth of service lost of each class, by name (half of ten users' tasks: 5).
    gbps
        Traffic of the tasks lost, Gb/s.
    """

    tasks: F64
    users: dict[str, float]
    gbps: float

    @property
    def tasks_per_s(self) -> float:
        """Tasks lost a second, altogether."""
        return float(self.tasks.sum())


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
        before, after, entered = self._standing, self._standing, self._entered(rows)
        if rows:
            before, after = self._planned([]), self._planned(rows)
        through = self._through(causes, broken, measured, after, entered)
        return self._told(before.sum(axis=2) - (after * through).sum(axis=2))

    # -- what the engine makes of causes ---------------------------------------------------------------------------
    def _rows(self, causes: tuple[Cause, ...], broken: Broken, measured: Severities) -> list[Row]:
        """Return the engine's changes: links, nodes, cells and users. Servers and lossy links are not the engine's."""
        world, rows = self.belief.world, list[Row]()
        if broken.unheard.any() and world.grouped and not broken.unheard.all():
            near = nearest_heard(world, broken.unheard)
            rows += [(int(Change.MOVE), int(s), int(near[s]), 1.0) for s in np.flatnonzero(broken.unheard)]
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
        tree = tree_of(self.belief, self._entered(rows))
        if self._replan == "tree":
            scenario = self.belief.world.scenario
            gap, rounds = (1e-3, 6) if scenario is None else (scenario.policy.target_gap, scenario.policy.max_rounds)
            solved = solve_tree(tree, target_gap=gap, max_rounds=rounds, solver=self._solver, masters=self._masters)
            plan = np.stack([solved.allocation[edge.name] for edge in self.belief.edges])
        else:
            leaves = {leaf.name: leaf.problem for leaf in tree.leaves()}
            plan = np.stack([self._solver.solve_quota(leaves[e.name], e.quota).x for e in self.belief.edges])
        if not rows:
            self._unchanged = plan
        return plan

    # -- what gets through -----------------------------------------------------------------------------------------
    def _through(
        self, causes: tuple[Cause, ...], broken: Broken, measured: Severities, plan: F64, entered: Mapping[str, Any]
    ) -> F64:
        """Return the share of each site's tasks at each tier that is served, [D, 1, T]."""
        world, sites = self.belief.world, self._sites
        server = self._servers(causes, broken, measured, plan)
        fog = world.site_count + world.site_fog[sites]
        kept = np.ones(2 * world.link_count)
        for link in (cause.links[0] for cause in causes if cause.kind == "degraded"):
            kept[2 * link : 2 * link + 2] = 1.0 - min(max(measured.loss.get(link, 0.0), 0.0), 1.0)
        route = np.array([kept[links].prod() for links in entered["routes"]])
        through = np.ones((len(sites), len(Tier)))
        through[:, Tier.EDGE] = server[sites]
        through[:, Tier.FOG] = server[fog] * route[sites]
        through[:, Tier.CLOUD] = server[-1] * route[sites] * route[fog]
        return through[:, None, :]

    def _servers(self, causes: tuple[Cause, ...], broken: Broken, measured: Severities, plan: F64) -> F64:
        """Return the share of the work sent to each server that it does, [S + F + 1]."""
        world, count = self.belief.world, len(self.belief.server_ghz)
        share = broken.server_share.copy()
        for cause in causes:
            if cause.kind == "slow" and share[cause.server] > 0.0:
                share[cause.server] = min(measured.speed.get(cause.server, share[cause.server]), 1.0)
        work = plan * np.repeat(world.gcycles, self._classes[1])[:, None]  # [D, G, T] GHz
        by_tier = work.sum(axis=1)
        wanted = np.zeros(count)
        np.add.at(wanted, self._sites, by_tier[:, Tier.EDGE])
        np.add.at(wanted, world.site_count + world.site_fog[self._sites], by_tier[:, Tier.FOG])
        wanted[-1] += by_tier[:, Tier.CLOUD].sum()
        capacity = share * self.belief.server_ghz
        through: F64 = np.where(share < 1.0, np.minimum(1.0, capacity / np.maximum(wanted, 1e-12)), 1.0)
        return through

    def _told(self, lost: F64) -> Foreseen:
        """Return tasks by site and class, users and traffic of losses by site and group, [D, G]."""
        world, belief = self.belief.world, self.belief
        tasks = np.zeros((world.site_count, self._classes[0]))
        tasks[self._sites] = lost.reshape(len(lost), *self._classes).sum(axis=2)
        demand = np.stack([edge.problem.demand for edge in belief.edges]).reshape(-1, *self._classes).sum(axis=(0, 2))
        users = np.stack([edge.users for edge in belief.edges]).reshape(-1, *self._classes).sum(axis=(0, 2))
        share = tasks.sum(axis=0) / np.maximum(demand, 1e-12)
        return Foreseen(
            tasks,
            dict(zip(world.class_names, (users * share).tolist(), strict=True)),
            float(tasks.sum(axis=0) @ world.megabits) / 1e3,
        )
