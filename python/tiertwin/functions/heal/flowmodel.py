"""The twin's quick model of what actions do to tasks: flows over routes and servers, in a handful of situations.

A site's tasks of class c and ring r come at a believed rate λ and go to the tiers by the standing shares x. With the
actions in force, of each situation:

    link        load y = Σ D λ x over the routes that cross it; free F = capacity · what is left − background,
                at least a hundredth of the capacity; through: min(1, F/y); time D/(F − y), at most `longest_s`
    server      work w = Σ G λ x; c cores; through: min(1, C/w); G/core + Erlang C waiting, at most `longest_s`
    air         airtime of a site, shared: D/R/(1 − ρ)
    a route or server that is down lets nothing through

    score = Σ_sc [ b n U(q; α) − s · time − energy weight · J ] / Σ n        q: share of class c of site s that is done

the objective's own formula (`world.utility`), so what is predicted is what is measured. Situations:
rates and background times lognormal factors of the twin's stated errors, drawn once, the same for all actions.
The model's own error is stated in proportion to the change it predicts: relative · |change| and at least `least`.
Erlang C: A. K. Erlang 1917. Ours: flows as fluids, losses one after the other, a fallen-back link losing linearly less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.heal.actions import Actions, FallBack, MoveService, Reroute
from tiertwin.functions.heal.scores import Predicted, tail_mean
from tiertwin.model.tiers import Tier
from tiertwin.world.objective import PROPAGATION_S_PER_KM, tier_energies, tier_latencies
from tiertwin.world.utility import utility_a_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.impact import Broken
    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

LEAST_FREE = 0.01  # of a link's capacity: background never takes all
LEAST_RATE = 1e-12  # tasks/s that are divided by
FULLEST = 0.98  # of a server or cell, up to which waiting is a steady state


@dataclass(frozen=True, slots=True)
class Doubt:
    """How far the twin's belief may be off.

    Parameters
    ----------
    rates, background
        Relative standard deviation of each site's rates, and of the background.
    situations
        How many are drawn.
    seed
        Of the drawing.
    change, least
        Of a predicted change of score: its model error relative to it, and at least.
    """

    rates: float = 0.1
    background: float = 0.1
    situations: int = 12
    seed: int = 1
    change: float = 0.4
    least: float = 0.002


@dataclass(frozen=True, eq=False)
class Belief:
    """What the twin believes of the network now.

    Parameters
    ----------
    rates
        Tasks/s of each group, [S, C, R].
    shares
        Of each group's tasks by tier as the set-points stand, rows adding up to at most 1, [S, C, R, 4].
    broken
        What is gone or narrower.
    background
        Multiplier of the world's background.
    frame_loss
        Share of tasks lost on each undirected link at its full rate, [m]; None: none.
    """

    rates: F64
    shares: F64
    broken: Broken
    background: float = 1.0
    frame_loss: F64 | None = None


class FlowModel:
    """An `Evaluator` over one world and one belief. Read-only.

    Raises
    ------
    InputError
        Arrays of the belief that do not fit the world, or are not finite.
    """

    def __init__(self, world: World, belief: Belief, doubt: Doubt | None = None, longest_s: float = 3.0) -> None:
        shape = world.group_devices.shape
        if belief.rates.shape != shape or belief.shares.shape != (*shape, len(Tier)):
            raise InputError(
                f"expected rates of {shape} and shares of {(*shape, len(Tier))}, got {belief.rates.shape} and "
                f"{belief.shares.shape}",
                "FlowModel",
            )
        if not (np.isfinite(belief.rates).all() and np.isfinite(belief.shares).all() and belief.rates.min() >= 0.0):
            raise InputError("expected finite rates of at least 0, and finite shares", "FlowModel")
        self._world, self._belief, self._doubt = world, belief, doubt or Doubt()
        self._longest = longest_s
        self._base, self._energy = self._own_times(), tier_energies(world)
        self._rates, self._background = self._situations()
        self._nothing = self._samples(())

    def score(self, actions: Actions) -> Predicted:
        """Return what these actions are expected to be worth, utils a task; () is doing nothing."""
        samples = self._samples(actions) if actions else self._nothing
        changed = float(np.mean(samples - self._nothing))
        spread = max(self._doubt.change * abs(changed), self._doubt.least) if actions else 0.0
        told = tuple(samples.tolist())
        return Predicted(float(samples.mean()), tail_mean(told), spread, told)

    # -- situations ----------------------------------------------------------------------------------------------------
    def _situations(self) -> tuple[F64, F64]:
        """Return rates [K, S, C, R] and background [K, 2m]; the first situation is what is believed."""
        doubt, world = self._doubt, self._world
        random = np.random.Generator(np.random.Philox(doubt.seed))
        count = max(doubt.situations, 1)
        of_sites = random.standard_normal((count, world.site_count))
        of_links = random.standard_normal((count, len(world.background_mbps)))
        of_sites[0] = of_links[0] = 0.0
        rates = self._belief.rates * np.exp(doubt.rates * of_sites)[:, :, None, None]
        background = self._belief.background * world.background_mbps * np.exp(doubt.background * of_links)
        return rates, background

    def _own_times(self) -> F64:
        """Return times without routes and waiting, s, [S, C, R, 4]."""
        world = self._world
        empty = replace(
            world,
            route_site_links=tuple(np.empty(0, np.int64) for _ in world.route_site_links),
            route_fog_links=tuple(np.empty(0, np.int64) for _ in world.route_fog_links),
            route_site_km=np.zeros(world.site_count),
            route_fog_km=np.zeros(world.fog_count),
        )
        times: F64 = tier_latencies(empty).copy()
        times[..., Tier.EDGE :] -= (world.megabits[:, None] / world.ring_rate_mbps)[None, :, :, None]
        return times

    # -- one set of actions --------------------------------------------------------------------------------------------
    def _samples(self, actions: Actions) -> F64:
        """Return the score in each situation, [K]."""
        world = self._world
        shares = moved(self._belief.shares, (a for a in actions if isinstance(a, MoveService)))
        tasks = self._rates[..., None] * shares  # [K, S, C, R, 4]
        air_time, heard = self._air(tasks)
        links = self._links(tasks, actions)
        servers = self._servers(tasks)
        done, time = np.ones_like(tasks), np.broadcast_to(self._base, tasks.shape).copy()
        time[..., Tier.EDGE :] += air_time[..., None]
        done[..., Tier.EDGE :] *= heard[None, :, None, None, None]
        for tier in (Tier.EDGE, Tier.FOG, Tier.CLOUD):
            through, wait = servers[tier]
            done[..., tier] *= through[:, :, None, None]
            time[..., tier] += wait[:, :, None, None]
        for tier in (Tier.FOG, Tier.CLOUD):
            through, per_megabit, way = links[tier]
            done[..., tier] *= through[:, :, None, None]
            waited = np.minimum(per_megabit[:, :, None] * world.megabits, self._longest) + way[None, :, None]
            time[..., tier] += waited[..., None]
        return self._worth(tasks, tasks * done, time)

    def _worth(self, tasks: F64, served: F64, time: F64) -> F64:
        world = self._world
        offered = self._rates.sum(axis=3)  # [K, S, C]
        seconds, joules = (served * time).sum(axis=(3, 4)), (tasks * self._energy).sum(axis=(3, 4))
        return utility_a_task(world, offered, served.sum(axis=(3, 4)), seconds, joules, least=LEAST_RATE)

    def _air(self, tasks: F64) -> tuple[F64, NDArray[np.bool_]]:
        """Return the time in the air, s, [K, S, C, R], and which sites are heard, [S]."""
        world = self._world
        airtime = world.megabits[:, None] / world.ring_rate_mbps  # [C, R]
        busy = (tasks[..., Tier.EDGE :].sum(axis=4) * airtime).sum(axis=(2, 3)) / world.site_cells
        slower = 1.0 / (1.0 - np.minimum(busy, FULLEST))
        return np.minimum(airtime * slower[:, :, None, None], self._longest), ~self._belief.broken.unheard

    def _servers(self, tasks: F64) -> dict[Tier, tuple[F64, F64]]:
        """Return what gets through and how long it waits, s, both [K, S], at each tier."""
        world, share = self._world, self._belief.broken.server_share
        sites, fogs = world.site_count, world.fog_count
        work = (tasks[..., Tier.EDGE :] * world.gcycles[:, None, None]).sum(axis=(2, 3))  # [K, S, 3]
        count = tasks[..., Tier.EDGE :].sum(axis=(2, 3))
        to_fog = (world.site_fog[:, None] == np.arange(fogs)).astype(np.float64)
        onto = (np.eye(sites), to_fog, np.ones((sites, 1)))
        every = [(work[..., k] @ at, count[..., k] @ at) for k, at in enumerate(onto)]
        cores = [world.site_cores, world.fog_cores, np.array([world.cloud_cores])]
        left = np.split(share, [sites, sites + fogs])
        where = [np.arange(sites), world.site_fog, np.zeros(sites, np.int64)]
        found = {}
        for k, tier in enumerate((Tier.EDGE, Tier.FOG, Tier.CLOUD)):
            through, wait = self._station(*every[k], cores[k], left[k])
            found[tier] = (through[:, where[k]], wait[:, where[k]])
        return found

    def _station(self, work: F64, count: F64, cores: I64, share: F64) -> tuple[F64, F64]:
        """Return (through, waiting besides one's own service at full speed, s), [K, Q], of servers with c cores."""
        speed = self._world.core_ghz * np.maximum(share, 1e-9)
        capacity = np.maximum(cores * speed, 1e-9)
        through = np.where(share > 0.0, np.minimum(1.0, capacity / np.maximum(work, 1e-12)), 0.0)
        mean = work / np.maximum(count, 1e-12)
        load = np.minimum(work / capacity, FULLEST)
        servers = np.broadcast_to(np.maximum(cores, 1), work.shape)
        waits = _core.erlang_c(np.ascontiguousarray(servers.ravel()), np.ascontiguousarray((load * servers).ravel()))
        wait = waits.reshape(work.shape) * mean / (capacity * (1.0 - load))
        slower = mean / speed - mean / self._world.core_ghz
        return through, np.minimum(wait + slower, self._longest)

    # -- links ---------------------------------------------------------------------------------------------------------
    def _links(self, tasks: F64, actions: Actions) -> dict[Tier, tuple[F64, F64, F64]]:
        """Return of fog and cloud (through [K, S], queueing s a megabit [K, S], propagation and back s [S])."""
        world = self._world
        turned = {a.route: np.array(a.links, np.int64) for a in actions if isinstance(a, Reroute)}
        routes = [*world.route_site_links, *world.route_fog_links]
        routes = [turned.get(route, links) for route, links in enumerate(routes)]
        crossed = np.zeros((len(routes), 2 * world.link_count))
        for route, links in enumerate(routes):
            crossed[route, links] = 1.0
        free, kept = self._free({a.link: a.rate for a in actions if isinstance(a, FallBack)})
        megabits = (tasks[..., Tier.FOG :] * world.megabits[:, None, None]).sum(axis=(2, 3))  # [K, S, 2]
        to_fog = (world.site_fog[:, None] == np.arange(world.fog_count)).astype(np.float64)
        offered = np.concatenate([megabits.sum(axis=2), megabits[..., 1] @ to_fog], axis=1)  # [K, S + F]
        load = offered @ crossed  # [K, 2m]
        passed = np.minimum(1.0, free / np.maximum(load, 1e-12)) * kept
        reached = self._reached(routes)
        with np.errstate(divide="ignore"):
            through = np.exp(np.log(passed) @ crossed.T) if (passed > 0).all() else _product(passed, routes)
        through = through * reached
        queue = (1.0 / np.maximum(free - load, free * (1.0 - FULLEST))) @ crossed.T
        km = np.array([float(world.link_km[links // 2].sum()) for links in routes])
        way = 2.0 * PROPAGATION_S_PER_KM * km
        sites, fog = world.site_count, world.site_fog + world.site_count
        first = (through[:, :sites], queue[:, :sites], way[:sites])
        both = (first[0] * through[:, fog], first[1] + queue[:, fog], first[2] + way[fog])
        return {Tier.FOG: first, Tier.CLOUD: both}

    def _free(self, rates: dict[int, float]) -> tuple[F64, F64]:
        """Return what is free of each directed link, Mb/s, [K, 2m], and the share of tasks not lost there, [2m]."""
        world, broken = self._world, self._belief.broken
        rate = np.ones(world.link_count)
        for link, share in rates.items():
            rate[link] = share
        loss = np.zeros(world.link_count) if self._belief.frame_loss is None else self._belief.frame_loss
        kept = 1.0 - loss * np.clip(2.0 * rate - 1.0, 0.0, 1.0)  # at half the rate nothing is lost any more
        capacity = np.repeat(world.link_capacity_mbps * np.minimum(broken.link_share, rate), 2)
        return np.maximum(capacity - self._background, LEAST_FREE * capacity), np.repeat(kept, 2)

    def _reached(self, routes: list[I64]) -> F64:
        """Return 1 for routes that are whole and 0 for those that are not, [S + F]."""
        world, broken = self._world, self._belief.broken
        gone = broken.links | broken.nodes[world.link_tail] | broken.nodes[world.link_head]
        starts = np.concatenate([world.site_node, world.fog_node])
        ends = np.concatenate([world.fog_node[world.site_fog], np.full(world.fog_count, world.cloud_node)])
        whole = [
            not gone[links // 2].any() and not broken.nodes[[start, end]].any() and (len(links) > 0 or start == end)
            for links, start, end in zip(routes, starts.tolist(), ends.tolist(), strict=True)
        ]
        return np.array(whole, dtype=np.float64)


class OneOf:
    """An `Evaluator` where the twin does not know which of several beliefs is right: their situations together.

    Parameters
    ----------
    models
        One a belief, with as many situations as the belief is likely (`dealt`).
    """

    def __init__(self, models: Sequence[FlowModel]) -> None:
        if not models:
            raise InputError("expected at least one model", "OneOf")
        self._models = tuple(models)

    def score(self, actions: Actions) -> Predicted:
        """Return what these actions are expected to be worth, whichever belief is right."""
        scores = [model.score(actions) for model in self._models]
        samples = tuple(sample for score in scores for sample in score.samples)
        weights = np.array([len(score.samples) for score in scores]) / len(samples)
        spread = float(weights @ [score.spread for score in scores])
        return Predicted(float(np.mean(samples)), tail_mean(samples), spread, samples)


def dealt(doubt: Doubt, probabilities: Sequence[float]) -> list[Doubt]:
    """Return a doubt a belief, its situations in proportion to the probabilities, at least one each.

    Rounded by largest remainder; InputError: probabilities that are negative, not finite or all 0.
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if not len(given) or not np.isfinite(given).all() or given.min() < 0.0 or given.sum() <= 0.0:
        raise InputError(f"expected probabilities of at least 0, not all 0, got {list(probabilities)}", "dealt")
    exact = given / given.sum() * doubt.situations
    count = np.maximum(np.floor(exact).astype(np.int64), 1)
    for k in np.argsort(np.floor(exact) - exact, kind="stable")[: max(doubt.situations - int(count.sum()), 0)]:
        count[k] += 1
    return [replace(doubt, situations=int(n), seed=doubt.seed + k) for k, n in enumerate(count)]


def moved(shares: F64, moves: Iterable[MoveService]) -> F64:
    """Return shares [S, C, R, 4] after services moved, all of them of the shares as they came; rows keep their sums."""
    result = shares.copy()
    for move in moves:
        part = move.share * shares[move.site, move.service, :, move.source]
        result[move.site, move.service, :, move.source] -= part
        result[move.site, move.service, :, move.target] += part
    return result


def _product(passed: F64, routes: list[I64]) -> F64:
    product: F64 = np.stack([passed[:, links].prod(axis=1) for links in routes], axis=1)
    return product
