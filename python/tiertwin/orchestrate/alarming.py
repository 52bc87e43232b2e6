"""From what a twin is told to the states of its observations: signals, thresholds, alarms.

==============  =====================================================================================================
observation     alarm when
==============  =====================================================================================================
link down       one of its ends told lately that it is down
link errors     bad frames over all are above `error_ratio` and there are some in the newest sample; or its capacity (no
                adaptive modulation) is below the plan's
node dark       nothing that stands there was heard for `silent_s`, and the twin that tells of it is there
server down     told lately that it is down
server slow     even the fastest task in `response_s` took more than `response` times what it needs alone
site late       missed tasks over all are above what is usual there by `late`
site rate       power of its base stations (where told), or else tasks a second, below a share of what is usual there
==============  =====================================================================================================

What was not heard for `silent_s` is missing. Names are those of `functions.assure.causes.Naming`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.assure.causes import Naming
from tiertwin.functions.assure.impact import Severities
from tiertwin.functions.assure.signals import Least, States, Usual, Window
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.sight import Sight
    from tiertwin.orchestrate.watchrules import AssuranceRules
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    I8 = npt.NDArray[np.int8]
    I64 = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

LEAST_FRAMES, LEAST_TASKS, LEAST_RATE = 50.0, 50.0, 10.0  # in a window: fewer say nothing


class _Links:
    """`down` and `errors` of the undirected links of which one end is told."""

    def __init__(self, world: World, sight: Sight, rules: AssuranceRules) -> None:
        self._rules = rules
        self.links, self._of = np.unique(sight.link // 2, return_inverse=True)
        self._plan = np.where(np.isin(self.links, rules.modulated), 0.0, world.link_capacity_mbps[self.links])
        self._bad = Window(len(sight.link), rules.window_s)

    def names(self, names: Naming) -> list[str]:
        return [f"{names.link(int(link))} {what}" for what in ("down", "errors") for link in self.links]

    def judge(self, sight: Sight, now: float) -> tuple[Flags, Flags]:
        rows, rules = sight.links, self._rules
        fresh = now - rows.heard <= rules.silent_s
        down = fresh & (rows.of(A.UP) < 0.5)
        self._bad.add(rows.at, rows.of(A.FRAME_ERRORS), rows.of(A.FRAMES), rows.new)
        gone = self._any(down)
        self._bad.forget(gone[self._of])
        ratio, frames = self._bad.ratio(LEAST_FRAMES), rows.of(A.FRAMES)
        with np.errstate(invalid="ignore"):
            clean = (frames >= LEAST_FRAMES) & (
                rows.of(A.FRAME_ERRORS) <= 0.0
            )  # the newest: it is over, or luck (held)
            bad = fresh & (ratio > rules.error_ratio) & ~clean
            narrow = fresh & (rows.of(A.CAPACITY_MBPS) < rules.capacity * self._plan[self._of])
        counted = fresh & (np.isfinite(ratio) | (self._plan[self._of] > 0.0))
        there = self._any(fresh)
        over = np.concatenate([gone, self._any(bad | narrow) & ~gone])
        return over, np.concatenate([there, self._any(counted) & ~gone])

    def severities(self, sight: Sight) -> tuple[dict[int, float], dict[int, float]]:
        """Return share of the plan's capacity that is left, and of frames that are bad, by undirected link."""
        bad, frames = (np.bincount(self._of, row, len(self.links)) for row in self._bad.sums)
        told = sight.links.of(A.CAPACITY_MBPS) / np.where(self._plan > 0.0, self._plan, np.nan)[self._of]
        left = np.full(len(self.links), np.nan)
        np.fmin.at(left, self._of, told)
        narrow, lossy = left < self._rules.capacity, bad > self._rules.error_ratio * np.maximum(frames, LEAST_FRAMES)
        capacity = {int(self.links[k]): float(left[k]) for k in np.flatnonzero(narrow)}
        return capacity, {int(self.links[k]): float(bad[k] / frames[k]) for k in np.flatnonzero(lossy)}

    def _any(self, flags: Flags) -> Flags:
        return np.bincount(self._of, flags, len(self.links)) > 0


class _Servers:
    """`down` and `slow` of servers."""

    def __init__(self, sight: Sight, rules: AssuranceRules) -> None:
        self._rules, self._server = rules, sight.server
        self._least = Least(len(sight.server), rules.response_s)

    def names(self, names: Naming) -> list[str]:
        return [f"{names.server(int(server))} {what}" for what in ("down", "slow") for server in self._server]

    def judge(self, sight: Sight, now: float) -> tuple[Flags, Flags]:
        rows, rules = sight.servers, self._rules
        fresh = now - rows.heard <= rules.silent_s
        down = fresh & (rows.of(A.UP) < 0.5)
        self._least.add(now, np.where(rows.newly(A.LEAST_RESPONSE) & ~down, rows.of(A.LEAST_RESPONSE), np.nan))
        self._least.forget(down)
        least = self._least.value()
        told = fresh & ~down & np.isfinite(least)
        slow = np.greater(least, rules.response, out=np.zeros(rows.count, dtype=bool), where=told)
        return np.concatenate([down, slow]), np.concatenate([fresh, told])

    def severities(self) -> dict[int, float]:
        """Return the share of its speed that a server has, of slow ones: the fastest task's need over its time."""
        least = self._least.value()
        slow = np.flatnonzero(np.nan_to_num(least) > self._rules.response)
        return {int(self._server[k]): float(1.0 / least[k]) for k in slow}


class _Sites:
    """`dark` of the nodes of sites, `late` and `rate` of the sites."""

    def __init__(self, world: World, sight: Sight, rules: AssuranceRules) -> None:
        self._rules = rules
        self._child = np.flatnonzero(sight.sites >= 0)
        self._site = sight.sites[self._child]
        self._nodes = world.site_node[self._site]
        count = len(self._child)
        self._missed, self._tasks = Window(count, rules.window_s), Window(count, rules.window_s)
        levels = (rules.warm_s, rules.memory_s)
        self._late, self._rate, self._power = (Usual(count, *levels) for _ in range(3))
        self.states = np.zeros((2, count), dtype=bool)  # late, rate: in alarm after the last look
        own = {int(server): k for k, server in enumerate(sight.server)}
        self._station = np.array([own.get(int(site), -1) for site in self._site], dtype=np.int64)

    def names(self, names: Naming) -> list[str]:
        dark = [f"node {names.nodes[node]} dark" for node in self._nodes]
        return dark + [f"{names.site(int(site))} {what}" for what in ("late", "rate") for site in self._site]

    def judge(self, sight: Sight, now: float, live: Flags) -> tuple[Flags, Flags]:
        rules, child = self._rules, self._child
        heard, new, at = sight.heard()[child], sight.members_new()[child], sight.members_at()[child]
        dark = live[child] & (heard > 0.0) & (now - heard > rules.silent_s)
        rate = sight.by_child(A.RATE_SUM)[child]
        self._missed.add(at, sight.by_child(A.MISSED_SUM)[child], rate * rules.period_s, new)
        self._tasks.add(at, rate, np.ones(len(child)), new)
        fresh = ~dark & (self._members_heard(sight, now) <= rules.silent_s)
        late, told_late = self._lately(now, fresh)
        gone, told_rate = self._gone(sight, now, fresh)
        return np.concatenate([dark, late, gone]), np.concatenate([live[child] & (heard > 0.0), told_late, told_rate])

    def _members_heard(self, sight: Sight, now: float) -> F64:
        newest = np.full(len(sight.sites), -np.inf)
        np.maximum.at(newest, sight.members.child, sight.members.heard)
        return now - newest[self._child]

    def _lately(self, now: float, fresh: Flags) -> tuple[Flags, Flags]:
        ratio = np.where(fresh, self._missed.ratio(LEAST_TASKS), np.nan)
        known = self._late.known & np.isfinite(ratio)
        level = np.nan_to_num(self._late.level)
        spread = np.sqrt(np.maximum(level * (1.0 - level), 0.01) / np.maximum(self._missed.sums[1], 1.0))
        limit = level + np.maximum(self._rules.late, self._rules.sigmas * spread)
        late = np.greater(ratio, limit, out=np.zeros_like(fresh), where=known)
        self._late.learn(now, ratio, ~late)
        return late, known

    def _gone(self, sight: Sight, now: float, fresh: Flags) -> tuple[Flags, Flags]:
        """Below a share of what is usual: power, where base stations tell theirs; else tasks a second."""
        rules, rate = self._rules, np.where(fresh, self._tasks.ratio(0.5), np.nan)
        power = np.full(len(rate), np.nan)
        there = self._station >= 0
        power[there] = sight.servers.of(A.POWER_W)[self._station[there]]
        power[~fresh] = np.nan
        powered = np.isfinite(power)
        enough = self._rate.known & (self._rate.level * rules.window_s >= LEAST_RATE) & np.isfinite(rate)
        with np.errstate(invalid="ignore"):
            dead = powered & self._power.known & (power < rules.power * self._power.level)
            quiet = ~powered & enough & (rate < rules.rate * self._rate.level)
        self._power.learn(now, power, ~dead)
        self._rate.learn(now, rate, ~quiet & ~dead)
        return dead | quiet, np.where(powered, self._power.known, enough)


class Alarming:
    """States of all observations of a domain.

    Parameters
    ----------
    world
        Inventory.
    sight
        What its twin is told.
    rules
        Thresholds and times.
    """

    def __init__(self, world: World, sight: Sight, rules: AssuranceRules) -> None:
        self._links, self._servers = _Links(world, sight, rules), _Servers(sight, rules)
        self._sites = _Sites(world, sight, rules)
        names = Naming(world)
        self.names = [name for kind in (self._links, self._servers, self._sites) for name in kind.names(names)]
        self._states = States(len(self.names), rules.hold_s)

    def judge(self, sight: Sight, now: float, live: Flags) -> I8:
        """Return the state of each of `names` at `now`, s, [n]; `live`: children with a session, [children]."""
        found = [
            self._links.judge(sight, now),
            self._servers.judge(sight, now),
            self._sites.judge(sight, now, live),
        ]
        over, there = (np.concatenate([part[k] for part in found]) for k in (0, 1))
        return self._states.judge(now, over, there)

    def severities(self, sight: Sight) -> Severities:
        """Return how bad what is degraded was measured to be, as of the last look."""
        return Severities(*self._links.severities(sight), self._servers.severities())
